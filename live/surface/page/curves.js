// The twin of engine/parameter.py: plain values to 0..1 of a parameter's range and back.

function rounded(value) {           // as Python's round(): halves go to the even one
    const down = Math.floor(value), rest = value - down;
    return rest < 0.5 || rest === 0.5 && down % 2 === 0 ? down : down + 1;
}

function stepped(p, value) {
    if (!p.step) return value;
    return Math.min(Math.max(p.low + rounded((value - p.low) / p.step) * p.step, p.low), p.high);
}

/** Return the plain value at 0..1 of the range, clamped to it. */
export function plain(p, normalized) {
    let at = Math.min(Math.max(normalized, 0), 1);
    if (p.choices.length) return p.choices[Math.min(Math.trunc(at * p.choices.length), p.choices.length - 1)];
    if (p.curve === "log") return stepped(p, p.low * (p.high / p.low) ** at);
    if (p.curve === "square") at *= at;
    return stepped(p, p.low + at * (p.high - p.low));
}

/** Return a plain value's place in the range, 0..1. */
export function normalized(p, value) {
    if (p.size) return 0;
    if (p.choices.length) return (p.choices.indexOf(clamp(p, value)) + 0.5) / p.choices.length;
    const inside = clamp(p, value);
    if (p.curve === "log") return Math.log(inside / p.low) / Math.log(p.high / p.low);
    const at = (inside - p.low) / (p.high - p.low);
    return p.curve === "square" ? Math.sqrt(at) : at;
}

/** Return the nearest allowed plain value. */
export function clamp(p, value) {
    if (p.choices.length) {
        if (p.choices.includes(value)) return value;
        return p.choices[Math.min(Math.max(rounded(Number(value) || 0), 0), p.choices.length - 1)];
    }
    const number = Number.isFinite(Number(value)) ? Number(value) : p.default;
    if (p.curve === "circular") {
        const across = p.high - p.low;
        return stepped(p, p.low + ((number - p.low) % across + across) % across);
    }
    return stepped(p, Math.min(Math.max(number, p.low), p.high));
}

/** Return the plain value moved `by` of the normalized range, stopped at the ends; an angle goes round. */
export function moved(p, value, by) {
    const at = normalized(p, value) + by;
    return plain(p, p.curve === "circular" ? ((at % 1) + 1) % 1 : at);
}

/** Return a value as people read it, with its unit. */
export function shown(p, value) {
    if (value === undefined) return "";
    if (p.size) return `${Array.isArray(value) ? value.length : value === undefined ? 0 : 1} numbers`;
    if (p.choices.length || typeof value === "string") return String(value);
    const word = p.words?.find(([, at]) => at === value);       // some numbers have a name: -1 is "auto"
    if (word) return word[0];
    const unit = p.unit ? ` ${p.unit.replace(/^\w+\/s$/, "/s")}` : "";
    if (p.step && p.step === Math.trunc(p.step)) return `${Math.round(value)}${unit}`;
    const across = p.high - p.low;
    return `${value.toFixed(across > 200 ? 0 : across > 20 ? 1 : 2)}${unit}`;
}
