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
    elements(view, new Uint8Array(buffer), 0, view.byteLength, heard);
}

function elements(view, bytes, start, end, heard) {
    if (bytes[start] === 0x2f) {
        one(view, bytes, start, end, heard);
        return;
    }
    for (let at = start + 16; at + 4 <= end;) {
        const size = view.getUint32(at);
        elements(view, bytes, at + 4, at + 4 + size, heard);
        at += 4 + size;
    }
}

const known = new Map();            // hash -> a word read before: the same addresses come sixty times a second

/** Return the word at a place of a packet, and where the next thing begins. */
function string(bytes, at) {
    let end = at, hash = 7;
    while (bytes[end]) {
        hash = Math.imul(hash, 31) + bytes[end] | 0;
        end += 1;
    }
    let word = known.get(hash);
    if (word === undefined || !same(word, bytes, at, end)) {
        word = words.decode(bytes.subarray(at, end));
        if (known.size > 5000) known.clear();
        known.set(hash, word);
    }
    return [word, end + 4 - ((end - at) & 3)];
}

function same(word, bytes, at, end) {
    if (word.length !== end - at) return false;
    for (let n = 0; n < word.length; n += 1) if (word.charCodeAt(n) !== bytes[at + n]) return false;
    return true;
}

function one(view, bytes, start, end, heard) {
    const [address, tagsAt] = string(bytes, start);
    const [tags, valuesAt] = string(bytes, tagsAt);
    if (tags === ",f") {
        heard(address, view.getFloat32(valuesAt));
        return;
    }
    const values = [];
    let at = valuesAt;
    for (const tag of tags.slice(1)) {
        if (tag === "f") { values.push(view.getFloat32(at)); at += 4; }
        else if (tag === "i") { values.push(view.getInt32(at)); at += 4; }
        else if (tag === "d") { values.push(view.getFloat64(at)); at += 8; }
        else if (tag === "h") { values.push(Number(view.getBigInt64(at))); at += 8; }
        else if (tag === "s") { const [word, next] = string(bytes, at); values.push(word); at = next; }
        else if (tag === "T" || tag === "F") values.push(tag === "T" ? 1 : 0);
    }
    heard(address, values.length === 1 ? values[0] : values);
}
