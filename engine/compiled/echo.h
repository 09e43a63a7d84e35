/* The echo over finished pictures (engine/echo.py says what it is). Pictures are bytes [H, W, 3], W a multiple of four; trails [h, w, 4] in floats. */

/* Where a pixel of one row lies in a row of another length: between two pixels, this far from the first one to the second. */
struct between { int32_t first, second; float share; };

static struct between find_between(long x, long length, long of)
{
    float at = ((float)x + 0.5f) * (float)of / (float)length - 0.5f;
    at = at < 0 ? 0 : at;
    int32_t first = (int32_t)at < of - 1 ? (int32_t)at : (int32_t)of - 1;
    return (struct between){first, first + 1 < of ? first + 1 : first, at - (float)first};
}

/* As many pixels as a vector holds, one after the other: four numbers each. */
#if LANES == 16
INLINE many join(const v4 *pixels)
{
    v8 first = __builtin_shufflevector(pixels[0], pixels[1], 0, 1, 2, 3, 4, 5, 6, 7);
    v8 second = __builtin_shufflevector(pixels[2], pixels[3], 0, 1, 2, 3, 4, 5, 6, 7);
    return __builtin_shufflevector(first, second, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
}
#define SPREAD(b) __builtin_shufflevector(b, b - b, 0, 1, 2, 16, 3, 4, 5, 16, 6, 7, 8, 16, 9, 10, 11, 16)
#else
INLINE many join(const v4 *pixels) { return __builtin_shufflevector(pixels[0], pixels[1], 0, 1, 2, 3, 4, 5, 6, 7); }
#define SPREAD(b) __builtin_shufflevector(b, b - b, 0, 1, 2, 8, 3, 4, 5, 8)
#endif

/* The same of places in a line [., 4], each between two of its pixels. */
INLINE many read_line(const float *line, const struct between *columns)
{
    v4 there[PIXELS];
    for (int k = 0; k < PIXELS; k++) {
        v4 a = get_four(line + 4 * columns[k].first), b = get_four(line + 4 * columns[k].second);
        there[k] = a + (b - a) * columns[k].share;
    }
    return join(there);
}

/* The same of bytes [., 3] from `at` on; `end` is where the last of all pixels ends. */
INLINE many get_bytes(const uint8_t *at, const uint8_t *end)
{
    bytes b = {0};
    if (end - at >= LANES)
        memcpy(&b, at, LANES);
    else
        memcpy(&b, at, 3 * PIXELS);
    return __builtin_convertvector(__builtin_convertvector(SPREAD(b), integers), many);
}

INLINE v4 colour_of(const uint8_t *pixel) { return (v4){pixel[0], pixel[1], pixel[2], 0}; }

/* trail: as it was. cosine, sine: of how far it is turned, over how much larger it becomes. left: of its light. over: whether it covers what is new.
   before: the trail, moved and dimmed; next: with the new picture in it. */
struct carry_call { const uint8_t *pixels; const float *trail; float *before, *next; long H, W, h, w; float cosine, sine, left; int over; };

/* The trail at a place between four of its pixels; there is nothing outside of it. */
INLINE v4 sample(const struct carry_call *call, float x, float y)
{
    const long w = call->w, h = call->h;
    if (!(x > -1 && y > -1 && x < (float)w && y < (float)h))
        return (v4){0, 0, 0, 0};
    const long left = (long)(x + 1) - 1, top = (long)(y + 1) - 1;                    /* rounded down, from -1 on */
    const float right = x - (float)left, low = y - (float)top;
    const float *at = call->trail + 4 * (top * w + left);
    v4 none = {0, 0, 0, 0};
    v4 a = top >= 0 && left >= 0 ? get_four(at) : none, b = top >= 0 && left + 1 < w ? get_four(at + 4) : none;
    v4 c = top + 1 < h && left >= 0 ? get_four(at + 4 * w) : none, d = top + 1 < h && left + 1 < w ? get_four(at + 4 * w + 4) : none;
    v4 upper = a + (b - a) * right, lower = c + (d - c) * right;
    return upper + (lower - upper) * low;
}

static void carry_part(const void *given, long from, long to)
{
    const struct carry_call call = *(const struct carry_call *)given;
    const float middle = 0.5f * (float)(call.w - 1), centre = 0.5f * (float)(call.h - 1);
    struct between *columns = take_scratch(call.w * sizeof(struct between));
    for (long x = 0; x < call.w; x++)
        columns[x] = find_between(x, call.w, call.W);
    for (long y = from; y < to; y++) {
        const struct between row = find_between(y, call.h, call.H);
        const uint8_t *upper = call.pixels + 3 * call.W * row.first, *lower = call.pixels + 3 * call.W * row.second;
        const float down = (float)y - centre;
        for (long x = 0; x < call.w; x++) {
            const struct between column = columns[x];
            v4 a = colour_of(upper + 3 * column.first), b = colour_of(upper + 3 * column.second);
            v4 c = colour_of(lower + 3 * column.first), d = colour_of(lower + 3 * column.second);
            a += (b - a) * column.share;
            c += (d - c) * column.share;
            v4 now = a + (c - a) * row.share, next;
            const float along = (float)x - middle;
            v4 before = sample(&call, middle + call.cosine * along - call.sine * down, centre + call.sine * along + call.cosine * down);
            if (call.over)
                next = now + (before - now) * call.left;
            else {
                before *= call.left;
                for (int k = 0; k < 4; k++)
                    next[k] = now[k] > before[k] ? now[k] : before[k];
            }
            memcpy(call.before + 4 * (y * call.w + x), &before, sizeof before);
            memcpy(call.next + 4 * (y * call.w + x), &next, sizeof next);
        }
    }
}

void carry(const uint8_t *pixels, long H, long W, const float *trail, long h, long w, float cosine, float sine, float left, int over,
           float *before, float *next, long threads)
{
    struct carry_call call = {pixels, trail, before, next, H, W, h, w, cosine, sine, left, over};
    run(carry_part, &call, h, threads);
}

/* Bring pixels so far towards the trail, enlarged: where it is brighter, or everywhere if it is laid over them. */
struct lay_call { uint8_t *pixels; const float *trail; long H, W, h, w; float amount; int over; };

static void lay_part(const void *given, long from, long to)
{
    const struct lay_call call = *(const struct lay_call *)given;
    const long W = call.W, w = call.w;
    struct between *columns = take_scratch(W * sizeof(struct between) + 4 * w * sizeof(float));
    float *line = (float *)(columns + W);
    for (long x = 0; x < W; x++)
        columns[x] = find_between(x, W, w);
    for (long y = from; y < to; y++) {
        const struct between row = find_between(y, call.H, call.h);
        const float *upper = call.trail + 4 * w * row.first, *lower = call.trail + 4 * w * row.second;
        for (long i = 0; i < 4 * w; i++)
            line[i] = upper[i] + (lower[i] - upper[i]) * row.share;
        for (long x = 0; x < W; x += PIXELS) {
            uint8_t *at = call.pixels + 3 * (y * W + x);
            many trail = read_line(line, columns + x), now = get_bytes(at, call.pixels + 3 * call.H * W);
            put_bytes(at, now + ((call.over ? trail : larger(now, trail)) - now) * call.amount + 0.5f);
        }
    }
}

void lay(uint8_t *pixels, long H, long W, const float *trail, long h, long w, float amount, int over, long threads)
{
    struct lay_call call = {pixels, trail, H, W, h, w, amount, over};
    run(lay_part, &call, H, threads);
}
