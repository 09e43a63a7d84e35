/* What styles make of a layer, and what a fade writes: few numbers, so that calling torch for each step took longer than the step. In single precision. */

/* The sum of a[i] * b[i]. */
INLINE float dot(const float *a, const float *b, long n)
{
    many sums = fill(0);
    long i = 0;
    for (; i + LANES <= n; i += LANES)
        sums += get(a + i) * get(b + i);
    v4 four = fold(sums);
    float sum = (four[0] + four[1]) + (four[2] + four[3]);
    for (; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

/* out[s] = bias[s] + weight[s] . ws[rows[s]], for all styles s of a network; ws [., width], weight [., width]. */
struct lead_call { const float *ws, *weight, *bias; const int64_t *rows; long width; float *out; };

static void lead_part(const void *given, long from, long to)
{
    const struct lead_call call = *(const struct lead_call *)given;
    for (long s = from; s < to; s++)
        call.out[s] = call.bias[s] + dot(call.weight + s * call.width, call.ws + call.rows[s] * call.width, call.width);
}

void lead(const float *ws, const float *weight, const float *bias, const int64_t *rows, long count, long width, float *out, long threads)
{
    struct lead_call call = {ws, weight, bias, rows, width, out};
    run(lead_part, &call, count, threads);
}

/* out[o] = weight[o] . x * scale + bias[o] * bias_scale, leaky ReLU, times gain; weight [outputs, inputs]. */
struct connect_call { const float *weight, *x, *bias; long inputs; float scale, bias_scale, slope, gain, *out; };

static void connect_part(const void *given, long from, long to)
{
    const struct connect_call call = *(const struct connect_call *)given;
    for (long o = from; o < to; o++) {
        const float y = dot(call.weight + o * call.inputs, call.x, call.inputs) * call.scale + call.bias[o] * call.bias_scale;
        call.out[o] = (y < 0 ? y * call.slope : y) * call.gain;
    }
}

void connect(const float *weight, const float *x, const float *bias, long outputs, long inputs, float scale, float bias_scale, float slope, float gain,
             float *out, long threads)
{
    struct connect_call call = {weight, x, bias, inputs, scale, bias_scale, slope, gain, out};
    run(connect_part, &call, outputs, threads);
}

/* out[o] = gain / sqrt(energy[o] . styles^2 + epsilon); energy [outputs, inputs]. */
struct demodulate_call { const float *energy, *squares; long inputs; float gain, epsilon, *out; };

static void demodulate_part(const void *given, long from, long to)
{
    const struct demodulate_call call = *(const struct demodulate_call *)given;
    for (long o = from; o < to; o++)
        call.out[o] = call.gain / __builtin_sqrtf(dot(call.energy + o * call.inputs, call.squares, call.inputs) + call.epsilon);
}

void demodulate(const float *energy, const float *styles, long outputs, long inputs, float gain, float epsilon, float *out, long threads)
{
    float *squares = take_scratch(inputs * sizeof(float));
    for (long i = 0; i < inputs; i++)
        squares[i] = styles[i] * styles[i];
    struct demodulate_call call = {energy, squares, inputs, gain, epsilon, out};
    run(demodulate_part, &call, outputs, threads);
}

/* The energy of a weight [outputs, taps, inputs]: the sums of its squares over the taps, out [outputs, inputs]. */
struct energy_call { const float *weight; long taps, inputs; float *out; };

static void energy_part(const void *given, long from, long to)
{
    const struct energy_call call = *(const struct energy_call *)given;
    const long I = call.inputs, whole = I / LANES * LANES;
    for (long o = from; o < to; o++) {
        const float *weight = call.weight + o * call.taps * I;
        float *out = call.out + o * I;
        for (long i = 0; i < whole; i += LANES) {
            many sum = fill(0);
            for (long tap = 0; tap < call.taps; tap++)
                sum += get(weight + tap * I + i) * get(weight + tap * I + i);
            put(out + i, sum);
        }
        for (long i = whole; i < I; i++) {
            out[i] = 0;
            for (long tap = 0; tap < call.taps; tap++)
                out[i] += weight[tap * I + i] * weight[tap * I + i];
        }
    }
}

void sum_squares(const float *weight, long outputs, long taps, long inputs, float *out, long threads)
{
    struct energy_call call = {weight, taps, inputs, out};
    run(energy_part, &call, outputs, threads);
}

/* out[i] between a[i] and b[i], a at 0 and b at 1, exactly so; as torch.lerp(). */
struct mix { const float *a, *b; float *out; long count; float share; };

static void mix_some(const struct mix *m, long from, long to)
{
    const float near = m->share < 0.5f ? m->share : m->share - 1;
    const float *end = m->share < 0.5f ? m->a : m->b;
    long i = from;
    for (; i + LANES <= to; i += LANES)
        put(m->out + i, get(end + i) + (get(m->b + i) - get(m->a + i)) * near);
    for (; i < to; i++)
        m->out[i] = end[i] + near * (m->b[i] - m->a[i]);
}

/* Of all the numbers, one after the other, those from .. to. */
static void mix_part(const void *given, long from, long to)
{
    const struct mix *m = given;
    for (long at = 0; at < to; at += m->count, m++)
        if (at + m->count > from)
            mix_some(m, at < from ? from - at : 0, at + m->count < to ? m->count : to - at);
}

/* total: numbers in all of them. */
void mix_all(const struct mix *mixes, long total, long threads)
{
    run(mix_part, mixes, total, threads);
}

/* How maps become a picture: out = weight [3, channels] * styles * factor, and after it bias [3] * factor + offset. */
void tint(const float *weight, const float *styles, const float *bias, long channels, float factor, float offset, float *out)
{
    for (long k = 0; k < 3; k++)
        for (long c = 0; c < channels; c++)
            out[k * channels + c] = weight[k * channels + c] * (styles[c] * factor);
    for (long k = 0; k < 3; k++)
        out[3 * channels + k] = bias[k] * factor + offset;
}
