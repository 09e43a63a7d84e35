// A show that runs itself: two decks, the set list's show, lanes, the way back.
import { html } from "./vendor/lit-html/lit-html.js";
import { repeat } from "./vendor/lit-html/directives/repeat.js";
import { control } from "./controls/make.js";
import { guarded } from "./gestures.js";
import { thumb } from "./pictures.js";
import { call, state, value } from "./store.js";

const MADE = new WeakSet();
let newest = null, since = 0;

function picture(name) {
    return name && state.thumbs[name] ? html`<lj-pic src=${thumb(name)}></lj-pic>` : html`<span class="nopic"></span>`;
}

function side(letter, n) {
    const name = state.deck?.names?.[n], fade = value("/deck/fade") || 0, seen = n ? fade > 0.5 : fade < 0.5;
    const load = (event) => { if (event.target.value) call("/deck/load", letter, event.target.value); event.target.value = ""; };
    return html`<div class="deck ${seen && value("/deck/on") > 0.5 ? "seen" : ""}"><b>${letter}</b>${picture(name)}<span class="lookname">${name || "what plays"}</span>
        <select aria-label=${`load deck ${letter}`} @change=${load}><option value="">load ...</option>${state.presets.names.map((one) => html`<option>${one}</option>`)}</select></div>`;
}

/** The decks and their crossfader. */
export function decks() {
    return html`<section class="decks" aria-label="decks"><div class="pairofdecks">${side("a", 0)}${side("b", 1)}</div>
        ${control("/deck/fade", { text: "a \u2194 b", view: "stage" })}
        <div class="row">${control("/deck/on", { text: "decks", view: "stage" })}
            <button @click=${() => call("/deck/auto")}>${state.deck?.auto ? "back" : "auto"}</button>
            ${[1, 4, 16].map((s) => html`<button @click=${() => call("/deck/auto", s)}>${s} s</button>`)}<button @click=${() => call("/deck/swap")}>swap</button></div></section>`;
}

function step(one, n, at, left) {
    const here = n === at, unit = one.unit[0] === "s" ? "s" : one.unit;
    return html`<div class="row step ${here ? "next" : ""}"><button class="look ${here ? "current" : ""}" aria-label=${`start the show at ${n + 1} ${one.preset}`} @click=${() => call("/set/start", n + 1)}>
            ${picture(one.preset)}<span class="lookname">${n + 1} ${one.preset}</span><small>${one.instrument ? `${one.instrument}, ` : ""}${here && left !== null ? `${left} of ` : ""}${one.hold} ${unit}, ${one.then}</small></button>
        <button aria-label=${`show ${n + 1} earlier`} ?disabled=${!n} @click=${() => call("/set/move", n + 1, n)}>\u2191</button>
        <button aria-label=${`take ${n + 1} out of the show`} @click=${() => call("/set/remove", n + 1)}>\u2715</button></div>`;
}

async function add(event) {
    event.preventDefault();
    const form = event.target.elements;
    const answer = await call("/set/add", form.look.value, Number(form.hold.value), form.unit.value, form.then.value);
    if (answer.ok) form.look.value = "";
}

/** The set list's show, with what is left of the look that plays. */
export function running() {
    const { steps = [], at = null, left = null, holding = false } = state.running || {};
    return html`<section class="running" aria-label="the show"><div class="row">${control("/set/auto", { text: "by itself", view: "stage" })}
            <button class="go" ?disabled=${!steps.length} @click=${() => call("/set/go")}>GO</button>
            <button class=${holding ? "on" : ""} aria-pressed=${holding} ?disabled=${!steps.length} @click=${() => call("/set/hold")}>hold</button></div>
        ${control("/set/idle", { text: "takes over after", view: "stage" })}
        ${steps.length ? repeat(steps, (one, n) => `${n} ${one.preset}`, (one, n) => step(one, n, at, left)) : html`<p class="quiet">No look in the show yet: add the first one.</p>`}
        <form class="row" @submit=${add}><select name="look" aria-label="look to add" required><option value="">look</option>${state.presets.names.map((one) => html`<option>${one}</option>`)}</select>
            <input name="hold" type="number" min="0" step="any" value="16" aria-label="how long"><select name="unit" aria-label="unit"><option>seconds</option><option>beats</option><option>bars</option></select>
            <select name="then" aria-label="then">${["next", "stay", "previous", "first", "last", "again", "any", "other"].map((one) => html`<option>${one}</option>`)}</select><button>add</button></form></section>`;
}

/** Lanes: play, stop. */
export function lanes() {
    const { names = [], playing = {} } = state.lanes || {};
    return html`<section class="lanes" aria-label="lanes">${names.map((name) => html`<div class="row"><span class="lookname">${name}</span>
            ${name in playing ? html`<meter min="0" max="1" value=${playing[name]}></meter><button aria-label=${`stop lanes ${name}`} @click=${() => call("/lanes/stop", name)}>stop</button>`
        : html`<button aria-label=${`play lanes ${name}`} @click=${() => call("/lanes/play", name)}>play</button>`}</div>`)}
        ${names.length ? "" : html`<p class="quiet">No lanes yet: files in lanes/, or a gesture kept with /lanes/keep NAME.</p>`}
        ${state.gesture?.state === "looping" || state.gesture?.state === "overdub" ? html`<form class="row" @submit=${(event) => { event.preventDefault(); call("/lanes/keep", event.target.elements.name.value); }}>
            <input name="name" required aria-label="name of the lanes" placeholder="name"><button>keep the gesture</button></form>` : ""}</section>`;
}

/** What was on show: a touch goes back there. */
export function trail() {
    const moments = state.trail?.moments || [];
    if (moments[0] !== newest) [newest, since] = [moments[0], performance.now()];
    const ago = (moment) => Math.min(120, Math.round(newest - moment + (performance.now() - since) / 1000));
    return html`<section class="trail" aria-label="back">${moments.slice(0, 12).map((moment) => html`<button class="look" aria-label=${`back to ${ago(moment)} seconds ago`} @click=${() => call("/back", Math.max(1, ago(moment)))}>
        <lj-pic src=${`/api/thumb/back/${moment}.jpg`}></lj-pic><span class="lookname">${ago(moment)} s</span></button>`)}</section>`;
}

/** Softly out, held like PANIC. */
export function soft(root) {
    for (const button of root.querySelectorAll(".softly")) {
        if (!MADE.has(button)) guarded(button, () => call("/panic/soft", 2));
        MADE.add(button);
    }
}
