// Play: looks as pictures, eight macros, the pad.
import { html, render } from "../vendor/lit-html/lit-html.js";
import { repeat } from "../vendor/lit-html/directives/repeat.js";
import { control, pad } from "../controls/make.js";
import { HOLD, FAR, guarded } from "../gestures.js";
import { learning, row, show as showSheet, closeSheet } from "../sheet.js";
import { thumb } from "../pictures.js";
import { call, parameters, set, state, value } from "../store.js";

const TIMES = [["cut", 0, "s"], ["1", 1, "beats"], ["4", 4, "beats"], ["8 beats", 8, "beats"], ["4 s", 4, "s"]];
const USEFUL = ["/truncation", "/walk/speed", "/noise/strength", "/style/coarse/mix", "/style/fine/mix", "/bends/amount"];
let field = null;

function time(text, amount, unit) {
    const beats = value("/morph/beats"), seconds = value("/morph/seconds");
    const on = unit === "beats" ? beats === amount : beats === 0 && seconds === amount;
    const act = () => {
        set("/morph/beats", unit === "beats" ? amount : 0);
        if (unit === "s") set("/morph/seconds", amount);
    };
    return html`<button class="segment ${on ? "on" : ""}" aria-pressed=${on} @click=${act}>${text}</button>`;
}

function bank(name, text) {
    const on = (state.presets.bank || "") === name;
    return html`<button class="segment ${on ? "on" : ""}" aria-pressed=${on} @click=${() => call("/preset/bank", name)}>${text}</button>`;
}

function instrument(name, playing) {
    const on = name === playing;
    return html`<button class="segment ${on ? "on" : ""}" aria-pressed=${on} ?disabled=${on || state.instrument.opening} @click=${() => call("/instrument/open", name)}>${name}</button>`;
}

/** The instruments there are, the one that plays among them; a tap crosses over to another. More than fit into a row are a list. */
function instruments() {
    const { near = [], opening, folder } = state.instrument || {}, every = near.includes(folder) ? near : [folder, ...near];
    if (every.length < 2 || !folder) return "";
    const open = (event) => call("/instrument/open", event.target.value);
    return html`<span class="pair"><span class="label">${opening ? "opening ..." : "instrument"}</span>${every.length > 6
        ? html`<select aria-label="instrument" ?disabled=${opening} @change=${open}>${every.map((name) => html`<option ?selected=${name === folder}>${name}</option>`)}</select>`
        : html`<span class="segments" role="group" aria-label="instrument">${every.map((name) => instrument(name, folder))}</span>`}</span>`;
}

function sheetOf(name) {
    const act = (text, f, kind = "") => {
        const button = document.createElement("button");
        button.textContent = text;
        button.className = kind;
        button.addEventListener("click", () => { f(); closeSheet(); });
        return button;
    };
    const entry = document.createElement("input");
    entry.value = name;
    entry.setAttribute("aria-label", "name");
    entry.addEventListener("change", () => entry.value.trim() && call("/preset/rename", name, entry.value.trim()).then((done) => done.ok && closeSheet()));
    const remove = document.createElement("button");
    remove.textContent = "Delete (hold)";
    remove.className = "danger";
    guarded(remove, () => { call("/preset/delete", name); closeSheet(); });
    showSheet(name, "A look. Rename it in the field; undo brings back what was deleted or written over.",
        row(entry, act("Cue", () => call("/preset/cue", name), "amber"), act("Cut to it", () => call("/preset/recall", name, 0))),
        row(...["A", "B", "C", "D"].map((corner, n) => act(`Pad ${corner}`, () => call("/pad/corner", n + 1, name)))),
        row(act("Keep what plays here", () => call("/preset/store", name)), remove));
}

/** What a tile does: a tap recalls, a hold opens its sheet. */
function tile(name) {
    let timer = 0, from = null;
    const go = () => (learning.on ? null : call("/preset/recall", name));
    return {
        down(event) {
            from = [event.clientX, event.clientY];
            timer = setTimeout(() => { from = null; sheetOf(name); }, HOLD);
        },
        move(event) {
            if (from && Math.hypot(event.clientX - from[0], event.clientY - from[1]) > FAR) { from = null; clearTimeout(timer); }
        },
        up() {
            clearTimeout(timer);
            if (from) go();
            from = null;
        },
        off() { clearTimeout(timer); from = null; },
        key(event) { if (event.detail === 0) go(); },
        menu() { sheetOf(name); },
    };
}

const tiles = new Map();
function look(name) {
    if (!tiles.has(name)) tiles.set(name, tile(name));
    const act = tiles.get(name);
    const { current, cued } = state.presets, to = state.morph.to === name;
    return html`<button class="look ${current === name ? "current" : ""} ${cued === name ? "cued" : ""} ${to ? "coming" : ""}" aria-label=${`look ${name}`} aria-pressed=${current === name}
        @pointerdown=${act.down} @pointermove=${act.move} @pointerup=${act.up} @pointercancel=${act.off} @click=${act.key} @contextmenu=${act.menu}>
        ${state.thumbs[name] ? html`<lj-pic src=${thumb(name)}></lj-pic>` : html`<span class="nopic"></span>`}
        <span class="lookname">${cued === name ? "\u203A " : ""}${name}</span></button>`;
}

function names() {
    const { names: every, bank: which, banks } = state.presets;
    return which && banks[which] ? banks[which].filter((name) => every.includes(name)) : every;
}

/** Eight hands: macros that move something at their places, what a set needs most in the others. */
function hands() {
    const rest = USEFUL.filter((a) => parameters.has(a)).concat([...parameters.keys()].filter((a) => /^\/edits\/.*\/strength$/.test(a)));
    return [1, 2, 3, 4, 5, 6, 7, 8].map((n) => (state.macros[n]?.to?.length ? `/macro/${n}` : rest.shift() || `/macro/${n}`));
}

function hand(address) {
    const n = /^\/macro\/(\d)$/.exec(address)?.[1];
    const text = n ? state.macros[n]?.name || `macro ${n}` : address.split("/").filter((part) => part && part !== "strength").slice(-2).join(" ").replace("edits ", "");
    return html`<div class="macro">${control(address, { upright: true, text })}</div>`;
}

/** The first touch of the pad turns it on; a pad without looks takes the first four. */
async function wake() {
    const { corners, names: every } = state.presets;
    if (!corners.some(Boolean)) for (const [n, name] of every.slice(0, 4).entries()) await call("/pad/corner", n + 1, name);
    if (value("/pad/on") < 0.5) set("/pad/on", 1);
}

function corner(n) {
    const { corners, names: every } = state.presets, name = corners[n] || (corners.some(Boolean) ? "" : every[n]);
    return name && state.thumbs[name] ? html`<span class="c${n}"><lj-pic src=${thumb(name)}></lj-pic></span>` : "";
}

export const play = {
    name: "play",
    label: "Play",
    about: "looks, eight hands, the pad",
    enter() { field = pad("/pad/x", "/pad/y", () => state.presets.corners.map((name, n) => name || state.presets.names[n] || "ABCD"[n]), wake); },
    draw(root) {
        const { banks, current } = state.presets;
        render(html`
            <div class="bar">
                <span class="segments" role="group" aria-label="bank">${bank("", "all")}${Object.keys(banks).map((name) => bank(name, name))}</span>
                <span class="pair"><span class="label">morph</span><span class="segments" role="group" aria-label="morph">${TIMES.map((one) => time(...one))}</span></span>
                <span class="pair"><span class="label">wait for</span>${control("/quantise", { text: " ", view: "play" })}</span>
                ${instruments()}
                <span class="spring"></span>
                <button class="storekey" @click=${() => call("/preset/store")}>+ store</button>
                <button ?disabled=${!current} @click=${() => call("/preset/update")}>update ${current || ""}</button>
            </div>
            <div class="looks">${repeat(names(), (name) => name, look)}
                <button class="look store" aria-label="store what plays" @click=${() => call("/preset/store")}><span class="nopic">+</span><span class="lookname">store</span></button></div>
            <div class="hands"><div class="macros">${repeat(hands(), (a) => a, hand)}</div>
                <div class="padbox"><div class="padfield"><div class="padpics">${[0, 1, 2, 3].map(corner)}</div>${field}</div><div class="padtools">${control("/pad/on", { text: "pad" })}</div></div></div>`, root);
    },
};
