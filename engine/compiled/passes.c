/* What a picture needs besides its convolutions, each in one pass over the maps: channels last, one picture. Called by functions.py; what is done to weights, by weights.py.
   Letters: C channels, w, h size of a map, W, H that of one twice as large. */
#include "numbers.h"

/* maps: noise, or none; spread: one number for each channel. scale, bias: of each channel, or none; for sixteen channels and more. */
struct activation { const void *maps; int32_t spread; float strength, slope, clamp; const float *scale, *bias; };

/* A picture from three sums over each pixel's channels, and the picture of half its size below it. */
struct picture { const float *weight, *bias; float low, high; const float *below; float factor; float *whole; uint8_t *bytes; };

/* The weights of up to 8 channels, a vector for each: red, green, blue and nothing of each pixel. */
static const float *few_weights(float *few, const float *weight, long C)
{
    for (long c = 0; c < C; c++)
        put(few + LANES * c, again((v4){weight[c], weight[C + c], weight[2 * C + c], 0}));
    return few;
}

/* Numbers of memory that enlarge_row() wants. */
static long below_size(long W) { return 3 * (W / 2) + 4 + 4 * (W / 2 + 4); }

/* The row of the picture below that row y lies at, between two of its rows and nearer to one: [w + 2, 4] with an empty pixel at either end. */
static const float *enlarge_row(float *memory, long y, long H, long W, const struct picture *p)
{
    const long w = W / 2, near = y / 2, far = near + (y & 1 ? 1 : -1);
    const float outer = far < 0 || far >= H / 2 ? 0 : 0.25f * p->factor, inner = 0.75f * p->factor;
    const float *a = p->below + 3 * w * near, *b = outer ? p->below + 3 * w * far : a;
    float *flat = memory, *row = flat + 3 * w + 4;
    for (long i = 0; i < 3 * w; i++)
        flat[i] = inner * a[i] + outer * b[i];
    memset(row, 0, 4 * sizeof(float));
    for (long i = 0; i < w; i++)
        memcpy(row + 4 * (i + 1), flat + 3 * i, 4 * sizeof(float));
    memset(row + 4 * (w + 1), 0, 4 * sizeof(float));
    return row;
}

/* As many pixels as a vector holds between those of such a row, from the one before the first on. */
INLINE many enlarged(const float *row)
{
#if LANES == 16
    many v = get(row);
    many near = __builtin_shufflevector(v, v, 4, 5, 6, 7, 4, 5, 6, 7, 8, 9, 10, 11, 8, 9, 10, 11);
    many far = __builtin_shufflevector(v, v, 0, 1, 2, 3, 8, 9, 10, 11, 4, 5, 6, 7, 12, 13, 14, 15);
#else
    v4 left = get_four(row), right = get_four(row + 8);
    many near = again(get_four(row + 4)), far = __builtin_shufflevector(left, right, 0, 1, 2, 3, 4, 5, 6, 7);
#endif
    return near * 0.75f + far * 0.25f;
}

/* Pixels [., 4] as [., 3]. */
INLINE void put_colours(float *out, many colour)
{
    float four[LANES];
    put(four, colour);
    for (int k = 0; k < PIXELS; k++)
        memcpy(out + 3 * k, four + 4 * k, 3 * sizeof(float));
}

/* The same as bytes, 0 .. 255; what is not a number becomes 0. */
INLINE void put_bytes(uint8_t *out, many colour)
{
    bytes whole = __builtin_convertvector(__builtin_convertvector(smaller(fill(255), larger(colour, fill(0))), integers), bytes);
    uint8_t four[LANES];
    memcpy(four, &whole, sizeof four);
    for (int k = 0; k < PIXELS - 1; k++)
        memcpy(out + 3 * k, four + 4 * k, 4);                           /* a number too many, which the next one covers */
    memcpy(out + 3 * (PIXELS - 1), four + LANES - 4, 3);
}

#define T float
#define NAME(x) x##_single
#define LOAD(p) get(p)
#define STORE(p, v) put(p, v)
#define SINGLE(p) (*(p))
#include "passes.h"
#include "weights.h"
#include "convolve.h"
#undef T
#undef NAME
#undef LOAD
#undef STORE
#undef SINGLE

#define T uint16_t
#define NAME(x) x##_half
#define LOAD(p) get_half(p)
#define STORE(p, v) put_half(p, v)
#define SINGLE(p) widen(*(p))
#include "passes.h"
#include "weights.h"
#if defined(__AVX512BF16__)
#define DOTS
#endif
#include "convolve.h"

#include "styles.h"
#include "echo.h"
#include "enlarge.h"
