/* Weights as a layer multiplies them. Included once for each number format, as passes.h is. */

/* weight [rows, taps, inputs] * styles [inputs] * scale [scales], which begins again for rows beyond; each where it is given.
   turned: out [taps, rows, inputs], else in weight's order. */
struct NAME(modulate_call) { const float *weight; long rows, taps, inputs; const float *styles, *scale; long scales; int turned; T *out; };

static void NAME(modulate_part)(const void *given, long from, long to)
{
    const struct NAME(modulate_call) call = *(const struct NAME(modulate_call) *)given;
    const long I = call.inputs, whole = I / LANES * LANES;
    for (long row = from; row < to; row++) {
        const many scale = fill(call.scale ? call.scale[row % call.scales] : 1);
        for (long tap = 0; tap < call.taps; tap++) {
            const float *weight = call.weight + (row * call.taps + tap) * I;
            T *out = call.out + (call.turned ? tap * call.rows + row : row * call.taps + tap) * I;
            for (long i = 0; i < whole; i += LANES)
                STORE(out + i, get(weight + i) * (call.styles ? get(call.styles + i) * scale : scale));
            if (whole < I) {
                float numbers[LANES] = {0}, styles[LANES] = {0};
                T last[LANES];
                memcpy(numbers, weight + whole, (I - whole) * sizeof(float));
                if (call.styles)
                    memcpy(styles, call.styles + whole, (I - whole) * sizeof(float));
                STORE(last, get(numbers) * (call.styles ? get(styles) * scale : scale));
                memcpy(out + whole, last, (I - whole) * sizeof(T));
            }
        }
    }
}

void NAME(modulate)(const float *weight, long rows, long taps, long inputs, const float *styles, const float *scale, long scales, int turned, T *out,
                    long threads)
{
    struct NAME(modulate_call) call = {weight, rows, taps, inputs, styles, scale, scales, turned, out};
    run(NAME(modulate_part), &call, rows, threads);
}
