/* Sixteen numbers at a time, in any number format; sharing rows among the threads that torch already has. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#if defined(__AVX512F__)
#include <immintrin.h>
#endif

typedef float v16 __attribute__((vector_size(64)));
typedef int32_t i16 __attribute__((vector_size(64)));
typedef uint32_t u16 __attribute__((vector_size(64)));
typedef uint16_t h16 __attribute__((vector_size(32)));
typedef float v8 __attribute__((vector_size(32)));
typedef float v4 __attribute__((vector_size(16)));
typedef uint8_t b16 __attribute__((vector_size(16)));

#define INLINE static inline __attribute__((always_inline))

INLINE v16 fill(float x) { return (v16){x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x}; }
INLINE v16 get(const float *p) { v16 v; memcpy(&v, p, sizeof v); return v; }
INLINE void put(float *p, v16 v) { memcpy(p, &v, sizeof v); }

/* The larger, the smaller of two: the second one where the first is not a number. */
#if defined(__AVX512F__)
INLINE v16 larger(v16 a, v16 b) { return (v16)_mm512_max_ps((__m512)a, (__m512)b); }
INLINE v16 smaller(v16 a, v16 b) { return (v16)_mm512_min_ps((__m512)a, (__m512)b); }
#else
INLINE v16 choose(i16 first, v16 a, v16 b) { return (v16)((first & (i16)a) | (~first & (i16)b)); }
INLINE v16 larger(v16 a, v16 b) { return choose(a > b, a, b); }
INLINE v16 smaller(v16 a, v16 b) { return choose(a < b, a, b); }
#endif

/* bfloat16 is the upper half of a float; rounded to the nearest, ties to even. */
INLINE v16 get_half(const uint16_t *p)
{
#if defined(__AVX512F__)
    return (v16)_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)p)), 16);
#else
    h16 h;
    memcpy(&h, p, sizeof h);
    return (v16)(__builtin_convertvector(h, u16) << 16);
#endif
}

INLINE void put_half(uint16_t *p, v16 v)
{
#if defined(__AVX512BF16__)
    __m256bh h = _mm512_cvtneps_pbh((__m512)v);
#else
    u16 bits = (u16)v, rounded = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16, lost = (u16)(v != v);
    h16 h = __builtin_convertvector((rounded & ~lost) | (lost & 0x7fc0), h16);
#endif
    memcpy(p, &h, sizeof h);
}

INLINE float widen(uint16_t h)
{
    uint32_t bits = (uint32_t)h << 16;
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* Three numbers and a zero, or four numbers, four times. */
INLINE v16 repeat(const float *p) { return (v16){p[0], p[1], p[2], 0, p[0], p[1], p[2], 0, p[0], p[1], p[2], 0, p[0], p[1], p[2], 0}; }
#define QUADRUPLE(p) {(p)[0], (p)[1], (p)[2], (p)[3], (p)[0], (p)[1], (p)[2], (p)[3], (p)[0], (p)[1], (p)[2], (p)[3], (p)[0], (p)[1], (p)[2], (p)[3]}

/* Four of 32 numbers, each four times. */
#define EACH(x, y, a, b, c, d) __builtin_shufflevector(x, y, a, a, a, a, b, b, b, b, c, c, c, c, d, d, d, d)

/* The sum of each of three vectors, and a zero. */
INLINE v4 sum(v16 r, v16 g, v16 b)
{
#define HALVED(v) (__builtin_shufflevector(v, v, 0, 1, 2, 3, 4, 5, 6, 7) + __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15))
    v8 rr = HALVED(r), gg = HALVED(g), bb = HALVED(b);
#undef HALVED
#define HALVED(v) (__builtin_shufflevector(v, v, 0, 1, 2, 3) + __builtin_shufflevector(v, v, 4, 5, 6, 7))
    v4 x = HALVED(rr), y = HALVED(gg), z = HALVED(bb), none = {0, 0, 0, 0};
#undef HALVED
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
