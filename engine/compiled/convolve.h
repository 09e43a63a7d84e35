/* The convolution of four channels, for which libraries compute as many as a register holds. Included once for each number format, as passes.h is.
   DOTS: the processor multiplies pairs of halves and adds both products up, so rows stay in halves, and weights are rounded to halves too. */
#undef NUMBER
#undef BRING
#undef TAPS
#undef MULTIPLY
#if defined(DOTS)
#define NUMBER uint16_t
#define BRING(row, x, count) memcpy(row, x, (count) * sizeof(uint16_t))
#define TAPS(weight) \
    const __m512i even = _mm512_setr_epi32(0, 0, 0, 0, 2, 2, 2, 2, 4, 4, 4, 4, 6, 6, 6, 6), odd = _mm512_add_epi32(even, _mm512_set1_epi32(1)); \
    __m512i taps[18]; \
    for (int k = 0; k < 18; k++) \
        taps[k] = pair_halves(again(get_four((weight) + 8 * k)), again(get_four((weight) + 8 * k + 4)));
#define MULTIPLY(at, r, d) \
    const __m512i x = _mm512_castsi256_si512(_mm256_loadu_si256((const __m256i *)(at))); \
    const __m512bh a = (__m512bh)_mm512_permutexvar_epi32(even, x), b = (__m512bh)_mm512_permutexvar_epi32(odd, x); \
    if (r < 3) \
        upper = (many)_mm512_dpbf16_ps(_mm512_dpbf16_ps((__m512)upper, a, (__m512bh)taps[6 * (r) + 2 * (d)]), b, (__m512bh)taps[6 * (r) + 2 * (d) + 1]); \
    if (r > 0) \
        lower = (many)_mm512_dpbf16_ps(_mm512_dpbf16_ps((__m512)lower, a, (__m512bh)taps[6 * (r) + 2 * (d) - 6]), b, (__m512bh)taps[6 * (r) + 2 * (d) - 5]);
#else
#define NUMBER float
#define BRING(row, x, count) for (long k = 0; k < (count); k += LANES) put((row) + k, LOAD((x) + k))
#define TAPS(weight) \
    many taps[36]; \
    for (int k = 0; k < 36; k++) \
        taps[k] = again(get_four((weight) + 4 * k));
#define MULTIPLY(at, r, d) \
    const many x = get(at), each[4] = {EACH(x, x, 0, 4), EACH(x, x, 1, 4), EACH(x, x, 2, 4), EACH(x, x, 3, 4)}; \
    for (int c = 0; c < 4; c++) { \
        if (r < 3) \
            upper += each[c] * taps[((r) * 3 + (d)) * 4 + c]; \
        if (r > 0) \
            lower += each[c] * taps[((r) * 3 + (d)) * 4 + c - 12]; \
    }
#endif

/* Maps x [H, W, 4] under 3x3 kernels: weight [3, 3, 4 in, 4 out] and bias [4], y [H, W, 4]; there are zeros around them. */
struct NAME(convolve_call) { const T *x; long height, width; const float *weight, *bias; T *y; };

/* Rows y - 1 .. y + 2 of x, each with a zero before it and zeros behind, lie at row % 4 of `rows`, from `ready` on they have to be brought there. */
static inline long NAME(bring_rows)(struct NAME(convolve_call) call, NUMBER *rows, long size, long y, long ready)
{
    for (; ready <= y + 2; ready++) {
        NUMBER *row = rows + (ready + 4) % 4 * size + 4;
        if (ready < 0 || ready >= call.height)
            memset(row, 0, 4 * call.width * sizeof(NUMBER));
        else
            BRING(row, call.x + ready * 4 * call.width, 4 * call.width);
    }
    return ready;
}

static void NAME(convolve_part)(const void *given, long from, long to)
{
    const struct NAME(convolve_call) call = *(const struct NAME(convolve_call) *)given;
    const long W = call.width, size = 4 * (W + 2) + 32;
    NUMBER *rows = take_scratch(4 * size * sizeof(NUMBER));
    memset(rows, 0, 4 * size * sizeof(NUMBER));
    const many bias = again(get_four(call.bias));
    TAPS(call.weight)
    long ready = from - 1;
    for (long y = from; y < to; y += 2) {
        ready = NAME(bring_rows)(call, rows, size, y, ready);
        for (long i = 0; i < W; i += PIXELS) {
            many upper = bias, lower = bias;
            for (int r = 0; r < 4; r++)
                for (int d = 0; d < 3; d++) {
                    const NUMBER *at = rows + (y - 1 + r + 4) % 4 * size + 4 * (i + d);
                    MULTIPLY(at, r, d)
                }
            STORE(call.y + (y * W + i) * 4, upper);
            if (y + 1 < to)
                STORE(call.y + ((y + 1) * W + i) * 4, lower);
        }
    }
}

void NAME(convolve)(const T *x, long height, long width, const float *weight, const float *bias, T *y, long threads)
{
    struct NAME(convolve_call) call = {x, height, width, weight, bias, y};
    run(NAME(convolve_part), &call, height, threads);
}
