// OSC 1.0 packets: what the show says and hears of values. Knows bytes, no parameters.

const text = new TextEncoder();
const words = new TextDecoder();
const LARGEST_INT = 2 ** 31 - 1;
const EXACT = 2 ** 24;              // whole numbers beyond this do not fit a 32-bit float

function padded(string) {
    const bytes = text.encode(string);
    const out = new Uint8Array((bytes.length & ~3) + 4);
    out.set(bytes);
    return out;
}

function isInt(value) {
    return Number.isInteger(value) && Math.abs(value) > EXACT && Math.abs(value) <= LARGEST_INT;
}

/** Return the bytes of one message; value: a number, a word, or an array of them. */
export function message(address, value) {
    const values = Array.isArray(value) ? value : [value];
    let tags = ",";
    const parts = values.map((item) => {
        if (typeof item === "string") {
            tags += "s";
            return padded(item);
        }
        const whole = isInt(item);
        tags += whole ? "i" : "f";
        const view = new DataView(new ArrayBuffer(4));
        whole ? view.setInt32(0, item) : view.setFloat32(0, item);
        return new Uint8Array(view.buffer);
    });
    return joined([padded(address), padded(tags), ...parts]);
}

/** Return one bundle of messages; pairs: [[address, value], ...]. */
export function bundle(pairs) {
    const parts = [padded("#bundle"), new Uint8Array([0, 0, 0, 0, 0, 0, 0, 1])];
    for (const [address, value] of pairs) {
        const bytes = message(address, value);
        const size = new Uint8Array(4);
        new DataView(size.buffer).setUint32(0, bytes.length);
        parts.push(size, bytes);
    }
    return joined(parts);
}

function joined(parts) {
    const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of parts) {
        out.set(part, at);
        at += part.length;
    }
    return out;
}

/** Call heard(address, value) for each message of a packet; value: a number, a word, or an array. */
export function read(buffer, heard) {
    const view = new DataView(buffer);
    elements(view, 0, view.byteLength, heard);
}

function elements(view, start, end, heard) {
    if (view.getUint8(start) === 0x2f) {
        one(view, start, end, heard);
        return;
    }
    for (let at = start + 16; at + 4 <= end;) {
        const size = view.getUint32(at);
        elements(view, at + 4, at + 4 + size, heard);
        at += 4 + size;
    }
}

function string(view, at) {
    let end = at;
    while (view.getUint8(end)) end += 1;
    return [words.decode(new Uint8Array(view.buffer, view.byteOffset + at, end - at)), end + 4 - ((end - at) & 3)];
}

function one(view, start, end, heard) {
    const [address, tagsAt] = string(view, start);
    const [tags, valuesAt] = string(view, tagsAt);
    const values = [];
    let at = valuesAt;
    for (const tag of tags.slice(1)) {
        if (tag === "f") { values.push(view.getFloat32(at)); at += 4; }
        else if (tag === "i") { values.push(view.getInt32(at)); at += 4; }
        else if (tag === "d") { values.push(view.getFloat64(at)); at += 8; }
        else if (tag === "h") { values.push(Number(view.getBigInt64(at))); at += 8; }
        else if (tag === "s") { const [word, next] = string(view, at); values.push(word); at = next; }
        else if (tag === "T" || tag === "F") values.push(tag === "T" ? 1 : 0);
    }
    heard(address, values.length === 1 ? values[0] : values);
}
