// Map: touch a control, move a knob, done. Beside it what arrives, newest first.
import { html, render } from "../vendor/lit-html/lit-html.js";
import { repeat } from "../vendor/lit-html/directives/repeat.js";
import { control } from "../controls/make.js";
import { hands } from "../hands.js";
import { learn, learning } from "../sheet.js";
import { call, groups, state, subscribe, tell } from "../store.js";

let chosen = "macro";
let ends = [];

function row([control_, hand]) {
    const at = typeof hand.value === "number" ? Math.min(Math.max(hand.value, 0), 1) : 0;
    const bar = document.createElement("i");
    bar.style.setProperty("--at", at.toFixed(3));
    const osc = control_.startsWith("osc ");
    const bind = () => {
        if (osc && state.learn[0]) {
            call("/osc/learn", state.learn[0], control_.slice(4));
            return;
        }
        learn(true);
        learning.pending = learning.pending === control_ ? null : control_;
        tell("redraw");
    };
    const on = learning.pending === control_;
    return html`<tr class=${hand.bound ? "" : "unbound"}><td>${control_}</td><td><span class="meterbar">${bar}</span></td><td>${typeof hand.value === "number" ? hand.value.toFixed(2) : String(hand.value).slice(0, 24)}</td>
        <td>${hand.bound ? "" : html`<button class="violet ${on ? "on" : ""}" aria-pressed=${on} aria-label=${`bind ${control_}`} @click=${bind}>bind</button>`}</td></tr>`;
}

export const map = {
    name: "map",
    label: "Map",
    about: "knobs and faders learned by touch",
    enter() {
        ends = [subscribe("hands", () => tell("redraw"))];
        learn(true);
    },
    leave() {
        ends.forEach((end) => end());
        learn(false);
    },
    draw(root) {
        const every = groups(), names = [...every.keys()], waits = state.learn[0];
        if (!every.has(chosen)) chosen = names[0];
        const learned = state.bindings.all.filter((b) => b.how === "learned");
        const devices = Object.entries(state.devices);
        const newest = [...hands].reverse().slice(0, 24);
        render(html`<div class="bar"><button class="violet ${learning.on ? "on" : ""}" aria-pressed=${learning.on} @click=${() => learn(!learning.on)}>${learning.on ? "learning" : "learn"}</button>
                <button @click=${() => call("/midi/undo")}>take back</button><button @click=${() => call("/mapping/save")}>save</button>
                <span class="label hint">${learning.pending ? `Touch what ${learning.pending} is to play${learning.pending.startsWith("osc ") ? "" : ", then move it again"}.` : waits ? `Move the knob that is to play ${waits}.` : learning.on ? "Touch a control below." : ""}</span></div>
            <div class="columns maps"><div class="stack"><span class="chips">${names.map((name) => html`<button class="chip ${name === chosen ? "on" : ""}" aria-pressed=${name === chosen} @click=${() => { chosen = name; tell("redraw"); }}>${name}</button>`)}</span>
                <div class="controls">${repeat(every.get(chosen) || [], (a) => a, (a) => control(a, { under: every.get(chosen).length > 1 ? `/${chosen}` : "", text: state.macros[a.slice(7)]?.name, view: "map" }))}</div></div>
            <div class="stack"><h2>what arrives</h2>${newest.length ? html`<table>${repeat(newest, ([control_]) => control_, row)}</table>` : html`<p class="empty">Nothing yet. Move any knob, fader or pad.</p>`}
                ${devices.length ? html`<h2>controllers</h2><table>${devices.map(([name, here]) => html`<tr class=${here ? "" : "gone"}><td>${name}</td><td>${here ? "is here" : "has gone"}</td></tr>`)}</table>` : ""}
                <h2>learned</h2>${learned.length ? html`<table>${learned.map((b) => html`<tr><td>${b.control}</td><td>${b.to}</td><td><button aria-label=${`forget ${b.to}`} @click=${() => call("/midi/forget", b.to)}>\u2715</button></td></tr>`)}</table>` : html`<p class="quiet">Nothing learned yet.</p>`}
                ${state.bindings.banks > 1 ? html`<div class="row"><button @click=${() => call("/bank/previous")}>\u2039 bank</button><b>${state.bindings.bank} of ${state.bindings.banks}</b><button @click=${() => call("/bank/next")}>bank \u203A</button></div>` : ""}
            </div></div>`, root);
    },
};
