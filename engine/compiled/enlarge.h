/* A finished picture, made larger: bytes [h, w, 3] to bytes [H, W, 3], W a multiple of four, each pixel between the four about it (bilinear). */
struct enlarge_call { const uint8_t *small; long h, w; uint8_t *out; long H, W; };

static void enlarge_part(const void *given, long from, long to)
{
    const struct enlarge_call call = *(const struct enlarge_call *)given;
    const long W = call.W, w = call.w;
    struct between *columns = take_scratch(W * sizeof(struct between) + 4 * w * sizeof(float));
    float *line = (float *)(columns + W);
    for (long x = 0; x < W; x++)
        columns[x] = find_between(x, W, w);
    for (long y = from; y < to; y++) {
        const struct between row = find_between(y, call.H, call.h);
        const uint8_t *upper = call.small + 3 * w * row.first, *lower = call.small + 3 * w * row.second;
        for (long x = 0; x < w; x++) {
            v4 a = colour_of(upper + 3 * x), b = colour_of(lower + 3 * x);
            a += (b - a) * row.share;
            memcpy(line + 4 * x, &a, sizeof a);
        }
        for (long x = 0; x < W; x += PIXELS)
            put_bytes(call.out + 3 * (y * W + x), read_line(line, columns + x) + 0.5f);
    }
}

void enlarge(const uint8_t *small, long h, long w, uint8_t *out, long H, long W, long threads)
{
    struct enlarge_call call = {small, h, w, out, H, W};
    run(enlarge_part, &call, H, threads);
}
