/* As many numbers at a time as a vector register holds, in any number format; sharing rows among the threads that torch already has. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#if defined(__AVX__)
#include <immintrin.h>
#endif

#if defined(__AVX512F__)
#define LANES 16
#else
#define LANES 8
#endif
#define PIXELS (LANES / 4)                      /* of a picture, of four numbers each */
#define INLINE static inline __attribute__((always_inline))

typedef float many __attribute__((vector_size(4 * LANES)));
typedef int32_t integers __attribute__((vector_size(4 * LANES)));
typedef uint32_t bits __attribute__((vector_size(4 * LANES)));
typedef uint16_t halves __attribute__((vector_size(2 * LANES)));
typedef uint8_t bytes __attribute__((vector_size(LANES)));
typedef float v8 __attribute__((vector_size(32)));
typedef float v4 __attribute__((vector_size(16)));

INLINE many get(const float *p) { many v; memcpy(&v, p, sizeof v); return v; }
INLINE void put(float *p, many v) { memcpy(p, &v, sizeof v); }
INLINE many fill(float x) { return x - (many){0}; }

/* The larger, the smaller of two: the second one where one is not a number. */
#if defined(__AVX512F__)
INLINE many larger(many a, many b) { return (many)_mm512_max_ps((__m512)a, (__m512)b); }
INLINE many smaller(many a, many b) { return (many)_mm512_min_ps((__m512)a, (__m512)b); }
#elif defined(__AVX__)
INLINE many larger(many a, many b) { return (many)_mm256_max_ps((__m256)a, (__m256)b); }
INLINE many smaller(many a, many b) { return (many)_mm256_min_ps((__m256)a, (__m256)b); }
#else
INLINE many choose(integers first, many a, many b) { return (many)((first & (integers)a) | (~first & (integers)b)); }
INLINE many larger(many a, many b) { return choose(a > b, a, b); }
INLINE many smaller(many a, many b) { return choose(a < b, a, b); }
#endif

/* bfloat16 is the upper half of a float; rounded to the nearest, ties to even. */
INLINE many get_half(const uint16_t *p)
{
#if defined(__AVX512F__)
    return (many)_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)p)), 16);
#else
    halves h;
    memcpy(&h, p, sizeof h);
    return (many)(__builtin_convertvector(h, bits) << 16);
#endif
}

INLINE void put_half(uint16_t *p, many v)
{
#if defined(__AVX512BF16__)
    __m256bh h = _mm512_cvtneps_pbh((__m512)v);
#else
    bits whole = (bits)v, rounded = (whole + 0x7fff + ((whole >> 16) & 1)) >> 16, lost = (bits)(v != v);
    halves h = __builtin_convertvector((rounded & ~lost) | (lost & 0x7fc0), halves);
#endif
    memcpy(p, &h, sizeof h);
}

#if defined(__AVX512BF16__)
/* Numbers of two vectors as halves, each one beside its like: first, second, first, second. */
INLINE __m512i pair_halves(many first, many second)
{
    const __m512i low = _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh((__m512)first)), high = _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh((__m512)second));
    return _mm512_or_si512(low, _mm512_slli_epi32(high, 16));
}
#endif

INLINE float widen(uint16_t h)
{
    uint32_t whole = (uint32_t)h << 16;
    float x;
    memcpy(&x, &whole, sizeof x);
    return x;
}

INLINE v4 get_four(const float *p) { v4 v; memcpy(&v, p, sizeof v); return v; }

/* Numbers a, a + s, ... of two vectors, each four times; four numbers again and again. */
#if LANES == 16
#define EACH(x, y, a, s) __builtin_shufflevector(x, y, a, a, a, a, a + s, a + s, a + s, a + s, \
                                                 a + 2 * s, a + 2 * s, a + 2 * s, a + 2 * s, a + 3 * s, a + 3 * s, a + 3 * s, a + 3 * s)
INLINE many again(v4 v) { return __builtin_shufflevector(v, v, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3); }
#else
#define EACH(x, y, a, s) __builtin_shufflevector(x, y, a, a, a, a, a + s, a + s, a + s, a + s)
INLINE many again(v4 v) { return __builtin_shufflevector(v, v, 0, 1, 2, 3, 0, 1, 2, 3); }
#endif

/* The sums of a vector's numbers 0, 4, 8, ..., of 1, 5, 9, ..., and so on. */
INLINE v4 fold(many v)
{
#if LANES == 16
    v8 half = __builtin_shufflevector(v, v, 0, 1, 2, 3, 4, 5, 6, 7) + __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15);
#else
    v8 half = v;
#endif
    return __builtin_shufflevector(half, half, 0, 1, 2, 3) + __builtin_shufflevector(half, half, 4, 5, 6, 7);
}

/* The sum of each of three vectors, and a zero. */
INLINE v4 sum(many r, many g, many b)
{
    v4 x = fold(r), y = fold(g), z = fold(b), none = {0, 0, 0, 0};
    v4 xy = __builtin_shufflevector(x, y, 0, 4, 1, 5) + __builtin_shufflevector(x, y, 2, 6, 3, 7);      /* r g r g */
    v4 zn = __builtin_shufflevector(z, none, 0, 4, 1, 5) + __builtin_shufflevector(z, none, 2, 6, 3, 7);
    return __builtin_shufflevector(xy, zn, 0, 1, 4, 5) + __builtin_shufflevector(xy, zn, 2, 3, 6, 7);
}

/* Memory of this thread, at least so many bytes; it stays. */
INLINE void *take_scratch(size_t bytes)
{
    static __thread char *kept;
    static __thread size_t size;
    if (bytes > size) {
        free(kept);
        size = (bytes + 4095) / 4096 * 4096;
        kept = aligned_alloc(64, size);
    }
    return kept;
}

/* What torch's OpenMP offers: run a function in so many threads; which one this is, and of how many. */
static void (*in_threads)(void (*)(void *), void *, unsigned, unsigned);
static int (*find_number)(void), (*find_count)(void);

void use_threads(void *run, void *number, void *count)
{
    in_threads = (void (*)(void (*)(void *), void *, unsigned, unsigned))run;
    find_number = (int (*)(void))number;
    find_count = (int (*)(void))count;
}

struct work { void (*part)(const void *call, long from, long to); const void *call; long total; };

static void do_share(void *given)
{
    const struct work *work = given;
    long number = find_number(), count = find_count();
    work->part(work->call, work->total * number / count, work->total * (number + 1) / count);
}

/* Have part(call, from, to) done for all of 0 .. total, by this many threads. */
static void run(void (*part)(const void *, long, long), const void *call, long total, long threads)
{
    struct work work = {part, call, total};
    if (in_threads && threads > 1)
        in_threads(do_share, &work, threads, 0);
    else
        part(call, 0, total);
}
