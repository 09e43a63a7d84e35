// What a hold on a control opens: its help, its number to type, learn, lock, a modulator, favourites. Never modal.
import { shown } from "./curves.js";
import { call, parameters, set, state, subscribe, tell, value } from "./store.js";

export const learning = { on: false, pending: null };      // pending: an OSC address or a control that waits for what it is to play
const FAVOURITES = "favourites";

/** Turn learning by touch on or off: the whole page is violet while it is on. */
export function learn(on) {
    learning.on = on;
    learning.pending = null;
    document.body.classList.toggle("learn", on);
    tell("learning", on);
    if (!on && state.learn.length) call("/midi/cancel");
}

/** Return the addresses of the favourites: the instrument's, or this browser's own where it has none. */
export function favourites() {
    if (state.favourites?.length || state.favourites && moved) return state.favourites;
    try {
        const found = JSON.parse(localStorage.getItem(FAVOURITES) || "[]");
        return Array.isArray(found) ? found.filter((a) => typeof a === "string") : [];
    } catch {
        return [];
    }
}

function favour(address) {
    const before = favourites();
    const now = before.includes(address) ? before.filter((a) => a !== address) : [...before, address];
    moved = true;
    state.favourites = now;
    fetch("/api/favourites", { method: "POST", body: JSON.stringify(now) }).catch(() => {});
    try { localStorage.setItem(FAVOURITES, JSON.stringify(now)); } catch { /* a browser that keeps nothing */ }
    tell("favourites", now);
}

let moved = false;                  // favourites were chosen here
let end = null;
let opener = null;

export function closeSheet() {
    const sheet = document.getElementById("sheet");
    if (sheet.hidden) return false;
    sheet.hidden = true;
    sheet.replaceChildren();
    end?.();
    end = null;
    opener?.focus?.();
    return true;
}

function button(text, act, name = "") {
    const found = document.createElement("button");
    found.textContent = text;
    found.className = name;
    found.addEventListener("click", act);
    return found;
}

/** Open a sheet with a title, a line of help and these elements. */
export function show(title, about, ...elements) {
    closeSheet();
    opener = document.activeElement;
    const sheet = document.getElementById("sheet");
    const head = document.createElement("h2");
    head.textContent = title;
    const help = document.createElement("p");
    help.textContent = about;
    help.hidden = !about;
    sheet.className = "";
    sheet.replaceChildren(head, button("\u2715", closeSheet, "close"), help, ...elements);
    sheet.querySelector(".close").setAttribute("aria-label", "close");
    sheet.hidden = false;
    sheet.tabIndex = -1;
    sheet.focus({ preventScroll: true });
    return sheet;
}

/** A row of things in a sheet. */
export function row(...elements) {
    const found = document.createElement("div");
    found.className = "row";
    found.append(...elements);
    return found;
}

/** The eight macros, to put a parameter on; a macro's own: to take all off. */
function macroRow(address) {
    if (address.startsWith("/macro/")) return [row(button("Take all off", () => call("/macro/clear", Number(address.split("/")[2])).then(() => closeSheet())))];
    const on = (n) => state.macros[n]?.to?.includes(address);
    const hands = row(...[1, 2, 3, 4, 5, 6, 7, 8].map((n) => button(`${n}`, () => call("/macro/target", n, address).then(() => closeSheet()), on(n) ? "on" : "")));
    [...hands.children].forEach((one, n) => one.setAttribute("aria-label", `put on macro ${n + 1}`));
    hands.classList.add("macrorow");
    hands.prepend("macro");
    return [hands];
}

/** Return the number that was typed, or that a word stands for. */
function read(p, text) {
    const word = p.words?.find(([name]) => name === text.trim().toLowerCase());
    return word ? word[1] : Number(text);
}

/** Open the sheet of a parameter. */
export function openSheet(address) {
    const p = parameters.get(address);
    if (!p) return;
    const field = document.createElement("input");
    const word = p.words?.find(([, at]) => at === value(address));
    field.value = word ? word[0] : Array.isArray(value(address)) ? value(address).join(" ") : value(address);
    field.setAttribute("aria-label", `${address}, value`);
    field.addEventListener("change", () => set(address, p.choices.length ? field.value : p.size ? field.value.split(/\s+/).map(Number) : read(p, field.value)));
    const bound = () => state.bindings.all.filter((b) => b.to === address);
    const reading = document.createElement("p");
    reading.className = "quiet";
    const tellBound = () => {
        const names = bound().map((b) => `${b.control}${b.device ? ` of ${b.device.replace(/^\^|\\|\$$/g, "")}` : ""}`);
        reading.textContent = state.learn.includes(address) ? "Move the knob, fader or pad that is to play it."
            : names.length ? `Played by ${names.join(", ")}.` : "No knob plays it yet.";
    };
    const locked = () => state.locks.includes(address);
    const lock = button(locked() ? "Unlock" : "Lock", () => call(locked() ? "/unlock" : "/lock", address).then(() => closeSheet()));
    const name = address.split("/").filter(Boolean).slice(-2).join("-").replace(/[^\w.+-]/g, "");
    const elements = [
        row(field, button(`Default ${shown(p, p.default)}`, () => { set(address, p.default); closeSheet(); })),
        row(button("Learn", () => call("/midi/learn", address), "violet"),
            button("Take back", () => call("/midi/undo")),
            button("Forget", () => call("/midi/forget", address)),
            button("Save", () => call("/mapping/save"))),
        row(lock, button("Modulate", () => call("/modulators/add", freshName(name), address, "sine", 0.2).then(() => closeSheet()), "cyan"),
            button(favourites().includes(address) ? "\u2605 Favourite" : "\u2606 Favourite", () => { favour(address); closeSheet(); })),
        ...macroRow(address),
        reading,
    ];
    show(address, p.about || "", ...elements);
    const ends = ["state bindings", "state learn"].map((what) => subscribe(what, tellBound));
    tellBound();
    end = () => ends.forEach((stop) => stop());
}

/** Return a name for a modulator or bend that none has yet. */
export function freshName(name, taken = state.modulators.map((m) => m.name)) {
    for (let n = 1; ; n += 1) {
        const found = n === 1 ? name : `${name}-${n}`;
        if (!taken.includes(found)) return found;
    }
}
