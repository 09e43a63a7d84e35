// What the page knows: parameters, values, state. Those who draw subscribe; those who play call set().
import { link } from "./link.js";
import * as curves from "./curves.js";

export const parameters = new Map();    // address -> declaration
export const commands = new Map();
export const values = new Map();        // address -> plain value set
export const played = new Map();        // address -> plain value that modulators leave
export const state = { presets: { names: [], banks: {}, bank: "", corners: [] }, bends: [], modulators: [], learn: [], locks: [], macros: {}, bindings: { all: [] },
    take: {}, gesture: {}, weights: { presets: [], left_out: {} }, tempo: {}, outputs: [], clients: [], seeds: [], morph: {}, jobs: [], thumbs: {}, held: {}, devices: {} };
export const meter = {};
export const me = { role: "play", locked: false };

export const log = [];               // newest first

const listeners = new Map();            // address, or "state KEY" and the like -> Set of functions
const held = new Map();                 // address -> foreign value that came meanwhile

/** Call f(value) now and whenever what is named changes; returns what ends that. */
export function subscribe(what, f) {
    if (!listeners.has(what)) listeners.set(what, new Set());
    listeners.get(what).add(f);
    return () => listeners.get(what)?.delete(f);
}

export function tell(what, value) {
    for (const f of [...(listeners.get(what) || [])]) f(value);
}

/** Whether the page may play: not while away, locked, or only watching. */
export function inert() {
    return !link.open || me.locked || me.role !== "play";
}

/** Set a parameter: shown and sent at once. */
export function set(address, value) {
    const p = parameters.get(address);
    if (!p || inert()) return;
    const now = p.size ? value : curves.clamp(p, value);
    values.set(address, now);
    if (held.has(address)) held.set(address, undefined);
    tell(address, now);
    link.value(address, now);
}

/** Fingers lie on this: what others do to it is not shown until they are lifted. */
export function grab(address) {
    held.set(address, undefined);
    link.text({ t: "grab", addresses: [address] });
}

export function release(address) {
    const foreign = held.get(address);
    held.delete(address);
    link.flush();                       // the last move belongs to the touch
    link.text({ t: "release", addresses: [address] });
    if (foreign !== undefined) receive(address, foreign);
}

/** A value came from the show. */
export function receive(address, value) {
    if (address.startsWith("/played/")) {
        played.set(address.slice(7), value);
        tell(`played ${address.slice(7)}`, value);
        return;
    }
    const p = parameters.get(address);
    const now = p && p.choices.length && typeof value === "number" ? p.choices[value] : p && p.size && !Array.isArray(value) ? [value] : value;
    if (held.has(address)) {
        held.set(address, now);
        return;
    }
    values.set(address, now);
    tell(address, now);
}

/** The tree is other than before. */
export function grow(message) {
    for (const address of message.gone) {
        parameters.delete(address);
        values.delete(address);
    }
    for (const [address, p] of Object.entries(message.parameters)) parameters.set(address, p);
    for (const [address, c] of Object.entries(message.commands)) commands.set(address, c);
}

let targets = [null, new Set()];     // the modulators that were looked at last, and what they move

/** Return whether a modulator moves this. */
export function isModulated(address) {
    if (targets[0] !== state.modulators) targets = [state.modulators, new Set(state.modulators.map((m) => m.target))];
    return targets[1].has(address);
}

export function value(address) {
    return values.has(address) ? values.get(address) : parameters.get(address)?.default;
}

/** Run a command; resolves to {ok, text}. What went wrong is said on the band. */
export async function call(command, ...args) {
    if (inert()) return { ok: false, text: "not now" };
    const answer = await link.call(command, args);
    if (!answer.ok) tell("said", answer.text);
    return answer;
}

/** Forget everything: the show is another one, or will tell all anew. */
export function forget() {
    parameters.clear();
    values.clear();
    played.clear();
    held.clear();
}

/** Addresses below any of these prefixes, in the order of the show. */
export function below(...prefixes) {
    return [...parameters.keys()].filter((a) => prefixes.some((prefix) => a === prefix || a.startsWith(`${prefix}/`)));
}

/** Return the addresses in groups by the first part of their name. */
export function groups() {
    const found = new Map();
    for (const address of parameters.keys()) {
        const name = address.split("/")[1];
        if (!found.has(name)) found.set(name, []);
        found.get(name).push(address);
    }
    return found;
}
