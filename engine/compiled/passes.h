/* The passes over maps of one number format. Included once for each: T is a number in memory, NAME(x) what x is called, LOAD(p) and
   STORE(p, v) as many numbers as a vector holds, SINGLE(p) one. Computed in single precision. */

/* Numbers of a vector, of the channels from c on if each channel has a scale and a bias; + strength * noise, leaky ReLU, clamp. */
INLINE many NAME(activate)(many v, many noise, struct activation a, long c)
{
    if (a.scale)
        v = v * get(a.scale + c) + get(a.bias + c);
    v = v + noise * a.strength;
    v = larger(v * a.slope, v);
    return larger(fill(-a.clamp), smaller(fill(a.clamp), v));
}

/* The noise of a vector's numbers from `at` on, which belong to this pixel or to several. */
INLINE many NAME(noise)(struct activation a, long pixel, long at)
{
    if (!a.maps)
        return fill(0);
    return a.spread ? LOAD((const T *)a.maps + at) : fill(SINGLE((const T *)a.maps + pixel));
}

/* maps [pixels, C], activated in place. */
struct NAME(finish_call) { T *y; long channels; struct activation a; };

static void NAME(finish_part)(const void *given, long from, long to)
{
    const struct NAME(finish_call) call = *(const struct NAME(finish_call) *)given;
    const long C = call.channels, step = C < LANES ? LANES / C : 1;
    for (long pixel = from * step; pixel < to * step; pixel += step)
        for (long c = 0; c < step * C; c += LANES) {
            const long at = pixel * C + c;
            STORE(call.y + at, NAME(activate)(LOAD(call.y + at), NAME(noise)(call.a, pixel, at), call.a, c));
        }
}

void NAME(finish)(T *y, long pixels, long channels, const struct activation *a, long threads)
{
    struct NAME(finish_call) call = {y, channels, *a};
    run(NAME(finish_part), &call, channels < LANES ? pixels * channels / LANES : pixels, threads);
}

/* An up-convolution's result [2h + 1, 2w + 1, C], by parity of row and column, under the FIR and activated: out [2h, 2w, C]. */
struct NAME(blur_call) { const T *parts[4]; long strides[4], step, width, height, channels; T *out; struct activation a; };

static void NAME(blur_part)(const void *given, long from, long to)
{
    const struct NAME(blur_call) call = *(const struct NAME(blur_call) *)given;
    const long C = call.channels, w = call.width, h = call.height, step = call.step, block = C < 256 ? 1024 / C : 4, row = (block + 2) * C;
    float *scratch = take_scratch(4 * row * sizeof(float) + (w + 1) * step * sizeof(T));
    T *nothing = (T *)(scratch + 4 * row);
    memset(nothing, 0, (w + 1) * step * sizeof(T));
    for (long a = from; a < to; a++)
        for (long first = 0; first < w; first += block) {
            const long last = first + block < w ? first + block : w;
            for (int q = 0; q < 2; q++) {
                float *upper = scratch + 2 * q * row - (first - 1) * C, *lower = upper + row;      /* column b of this parity is at b * C */
                const T *r[5];
                for (int i = 0; i < 5; i++) {
                    long y = 2 * a - 1 + i;
                    int part = 2 * (y & 1) + q;
                    r[i] = y < 0 || y > 2 * h ? nothing : call.parts[part] + (y >> 1) * call.strides[part];
                }
                for (long b = q && first ? first - 1 : first; b < (q && last == w ? w : last + 1); b++)
                    for (long c = 0; c < C; c += LANES) {
                        const long at = b * step + c;
                        many r0 = LOAD(r[0] + at), r1 = LOAD(r[1] + at), r2 = LOAD(r[2] + at), r3 = LOAD(r[3] + at), r4 = LOAD(r[4] + at);
                        put(upper + b * C + c, (r0 + r3) * 0.25f + (r1 + r2) * 0.75f);
                        put(lower + b * C + c, (r1 + r4) * 0.25f + (r2 + r3) * 0.75f);
                    }
                for (long c = 0; q && c < C; c++) {
                    if (!first)
                        upper[c - C] = lower[c - C] = 0;
                    if (last == w)
                        upper[w * C + c] = lower[w * C + c] = 0;
                }
            }
            for (int p = 0; p < 2; p++) {
                const float *even = scratch + p * row - (first - 1) * C, *odd = even + 2 * row;
                for (long b = first; b < last; b++)
                    for (long c = 0; c < C; c += LANES) {
                        const long pixel = (2 * a + p) * 2 * w + 2 * b, into = pixel * C + c;
                        const float *o = odd + b * C + c, *e = even + b * C + c;
                        many e0 = get(e), e1 = get(e + C), o1 = get(o);
                        many left = (get(o - C) + e1) * 0.25f + (e0 + o1) * 0.75f, right = (e0 + get(o + C)) * 0.25f + (o1 + e1) * 0.75f;
                        STORE(call.out + into, NAME(activate)(left, NAME(noise)(call.a, pixel, into), call.a, c));
                        STORE(call.out + into + C, NAME(activate)(right, NAME(noise)(call.a, pixel + 1, into + C), call.a, c));
                    }
            }
        }
}

/* parts: where rows and columns of parity (0, 0), (0, 1), (1, 0), (1, 1) begin; strides: numbers from one such row to the next; step: to the next such column. */
void NAME(blur)(T *const *parts, const long *strides, long step, long height, long width, long channels, T *out, const struct activation *a, long threads)
{
    struct NAME(blur_call) call = {{parts[0], parts[1], parts[2], parts[3]}, {strides[0], strides[1], strides[2], strides[3]},
                                   step, width, height, channels, out, *a};
    run(NAME(blur_part), &call, height, threads);
}

/* products [h, w, 3, 3, C] of each pixel with every tap of a kernel, added up where an up-convolution has them: y [2h + 1, 2w + 1, C]. */
struct NAME(collect_call) { const T *products; long height, width, channels; T *y; };

static void NAME(collect_part)(const void *given, long from, long to)
{
    const struct NAME(collect_call) call = *(const struct NAME(collect_call) *)given;
    const long C = call.channels, h = call.height, w = call.width;
    for (long r = from; r < to; r++)
        for (long s = 0; s < 2 * w + 1; s++)
            for (long c = 0; c < C; c += LANES) {
                many sum = fill(0);
                for (long i = r & 1; i < 3; i += 2)
                    for (long j = s & 1; j < 3; j += 2) {
                        const long a = (r - i) / 2, b = (s - j) / 2;
                        if (r >= i && s >= j && a < h && b < w)
                            sum += LOAD(call.products + ((a * w + b) * 9 + 3 * i + j) * C + c);
                    }
                STORE(call.y + (r * (2 * w + 1) + s) * C + c, sum);
            }
}

void NAME(collect)(const T *products, long height, long width, long channels, T *y, long threads)
{
    struct NAME(collect_call) call = {products, height, width, channels, y};
    run(NAME(collect_part), &call, 2 * height + 1, threads);
}

/* parts [h, w, 2, 2, C] by parity of row and column, put in place and activated: out [2h, 2w, C]. 2 C is 8 or more, and a power of two. */
struct NAME(weave_call) { const T *parts; long width, channels; T *out; struct activation a; };

static void NAME(weave_part)(const void *given, long from, long to)
{
    const struct NAME(weave_call) call = *(const struct NAME(weave_call) *)given;
    const long C = call.channels, w = call.width;
    for (long y = from; y < to; y++) {
        const T *source = call.parts + (y >> 1) * w * 4 * C + (y & 1) * 2 * C;
        T *row = call.out + y * 2 * w * C;
        for (long b = 0; b < w; b++)
            for (long c = 0; c < 2 * C; c += 8)
                memcpy(row + b * 2 * C + c, source + b * 4 * C + c, 8 * sizeof(T));
        for (long at = 0; at < 2 * w * C; at += LANES)
            STORE(row + at, NAME(activate)(LOAD(row + at), NAME(noise)(call.a, y * 2 * w + at / C, y * 2 * w * C + at), call.a, 0));
    }
}

void NAME(weave)(const T *parts, long height, long width, long channels, T *out, const struct activation *a, long threads)
{
    struct NAME(weave_call) call = {parts, width, channels, out, *a};
    run(NAME(weave_part), &call, 2 * height, threads);
}

/* maps x [H, W, C], activated first if a is given, and drawn: see struct picture. keep: the activated maps are written back. */
struct NAME(draw_call) { T *x; long height, width, channels; int active, keep, *wild; struct activation a; struct picture p; };

/* Numbers of maps from channel c of a pixel on, activated if that is asked for. */
INLINE many NAME(take)(struct NAME(draw_call) call, long pixel, long c)
{
    const long at = pixel * call.channels + c;
    many v = LOAD(call.x + at);
    if (call.active)
        v = NAME(activate)(v, NAME(noise)(call.a, pixel, at), call.a, c);
    if (call.keep)
        STORE(call.x + at, v);
    return v;
}

/* Three sums over the channels of each of a vector's pixels, and a zero. weight: as few_weights() or [3, C]. */
INLINE many NAME(sum_pixels)(struct NAME(draw_call) call, long first, const float *weight)
{
    const long C = call.channels;
    many colour = fill(0);
    if (C == 4) {
        many x = NAME(take)(call, first, 0);
        colour = get(weight) * EACH(x, x, 0, 4) + get(weight + LANES) * EACH(x, x, 1, 4)
            + get(weight + 2 * LANES) * EACH(x, x, 2, 4) + get(weight + 3 * LANES) * EACH(x, x, 3, 4);
    } else if (C == 8) {
        many x = NAME(take)(call, first, 0), y = NAME(take)(call, first + PIXELS / 2, 0);
        colour = get(weight) * EACH(x, y, 0, 8) + get(weight + LANES) * EACH(x, y, 1, 8)
            + get(weight + 2 * LANES) * EACH(x, y, 2, 8) + get(weight + 3 * LANES) * EACH(x, y, 3, 8)
            + get(weight + 4 * LANES) * EACH(x, y, 4, 8) + get(weight + 5 * LANES) * EACH(x, y, 5, 8)
            + get(weight + 6 * LANES) * EACH(x, y, 6, 8) + get(weight + 7 * LANES) * EACH(x, y, 7, 8);
    } else {
        v4 each[PIXELS];
        for (int i = 0; i < PIXELS; i++) {
            many r = fill(0), g = fill(0), b = fill(0);
            for (long c = 0; c < C; c += LANES) {
                many v = NAME(take)(call, first + i, c);
                r += v * get(weight + c), g += v * get(weight + C + c), b += v * get(weight + 2 * C + c);
            }
            each[i] = sum(r, g, b);
        }
        memcpy(&colour, each, sizeof colour);
    }
    return colour;
}

static void NAME(draw_part)(const void *given, long from, long to)
{
    const struct NAME(draw_call) call = *(const struct NAME(draw_call) *)given;
    const struct picture p = call.p;
    const long W = call.width, C = call.channels;
    float *below = take_scratch(below_size(W) * sizeof(float)), few[16 * LANES];
    const float *weight = C < 16 ? few_weights(few, p.weight, C) : p.weight;
    const many bias = again((v4){p.bias[0], p.bias[1], p.bias[2], 0}), low = fill(p.low), high = fill(p.high);
    many zeros = fill(0);
    for (long y = from; y < to; y++) {
        const float *row = p.below ? enlarge_row(below, y, call.height, W, &p) : 0;
        for (long i = 0; i < W; i += PIXELS) {
            many colour = larger(low, smaller(high, NAME(sum_pixels)(call, y * W + i, weight) + bias));
            if (row)
                colour += enlarged(row + 2 * i);
            zeros += colour * 0;
            if (p.bytes)
                put_bytes(p.bytes + 3 * (y * W + i), colour);
            else
                put_colours(p.whole + 3 * (y * W + i), colour);
        }
    }
    for (int k = 0; k < LANES; k++)
        if (zeros[k] != 0)
            *call.wild = 1;
}

/* Returns whether all numbers of the picture were finite. */
int NAME(draw)(T *x, long height, long width, long channels, const struct activation *a, int keep, const struct picture *p, long threads)
{
    int wild = 0;
    struct NAME(draw_call) call = {x, height, width, channels, a != 0, keep && a, &wild, {0}, *p};
    if (a)
        call.a = *a;
    run(NAME(draw_part), &call, height, threads);
    return !wild;
}
