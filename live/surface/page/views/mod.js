// Mod: a card a modulator with its target's trace; tempo.
import { html, render } from "../vendor/lit-html/lit-html.js";
import { repeat } from "../vendor/lit-html/directives/repeat.js";
import { control } from "../controls/make.js";
import { normalized } from "../curves.js";
import { freshName } from "../sheet.js";
import { below, call, parameters, played, state, value } from "../store.js";

const POINTS = 160;
const traces = new Map();           // target -> {canvas, points}
let timer = 0;

function trace(target) {
    if (!traces.has(target)) {
        const canvas = document.createElement("canvas");
        canvas.className = "trace";
        canvas.width = 2 * POINTS;
        canvas.height = 64;
        traces.set(target, { canvas, points: [] });
    }
    return traces.get(target).canvas;
}

function step() {
    for (const [target, { canvas, points }] of traces) {
        const p = parameters.get(target);
        if (!p || !canvas.isConnected) continue;
        points.push(normalized(p, played.get(target) ?? value(target)));
        if (points.length > POINTS) points.shift();
        const pen = canvas.getContext("2d"), set = 60 - 56 * normalized(p, value(target));
        pen.clearRect(0, 0, canvas.width, 64);
        pen.strokeStyle = "#f2a900";
        pen.lineWidth = 1;
        pen.beginPath();
        pen.moveTo(0, set);
        pen.lineTo(canvas.width, set);
        pen.stroke();
        pen.strokeStyle = "#4cc2d6";
        pen.lineWidth = 2;
        pen.beginPath();
        points.forEach((at, n) => pen.lineTo(2 * n, 60 - 56 * at));
        pen.stroke();
    }
}

function card(one) {
    const under = `/modulators/${one.name}`;
    return html`<article class="card" aria-label=${`modulator ${one.name}`}>
        <header><b>${one.name}</b><small>moves ${one.target}${one.source ? `, follows ${one.source}` : ""}</small>
            <button aria-label=${`remove ${one.name}`} @click=${() => call("/modulators/remove", one.name)}>\u2715</button></header>
        ${trace(one.target)}<div class="controls">${below(under).map((a) => control(a, { under, view: "mod" }))}</div></article>`;
}

let target = "/truncation";
let shape = "sine";

export const mod = {
    name: "mod",
    label: "Mod",
    enter() { timer = setInterval(step, 66); },
    leave() { clearInterval(timer); },
    draw(root) {
        const targets = [...parameters.keys()].filter((a) => !parameters.get(a).size && !/^\/(output|quality|tempo|audio|modulators|source\/(signal|picture))/.test(a));
        const shapes = parameters.get(`/modulators/${state.modulators[0]?.name}/shape`)?.choices || ["sine", "triangle", "saw", "square", "random", "sample_and_hold"];
        const add = () => call("/modulators/add", freshName(target.split("/").filter(Boolean).join("-").replace(/[^\w.+-]/g, "")), target, shape, 0.2);
        render(html`<div class="bar"><span class="label">put a</span><select aria-label="shape" @change=${(e) => { shape = e.target.value; }}>${shapes.filter((s) => s !== "envelope").map((s) => html`<option ?selected=${s === shape}>${s}</option>`)}</select>
                <span class="label">on</span><select aria-label="target" @change=${(e) => { target = e.target.value; }}>${targets.map((a) => html`<option ?selected=${a === target}>${a}</option>`)}</select>
                <button class="cyan" @click=${add}>Modulate</button></div>
            <div class="cards">${repeat(state.modulators, (m) => m.name, card)}</div>
            ${state.modulators.length ? "" : html`<p class="empty">No modulator yet. Modulate puts one on; so does a hold on any control.</p>`}
            <section class="group tempo"><h2>tempo ${state.tempo.following ? `\u2013 follows ${state.tempo.device || "a MIDI clock"}` : ""}</h2>
                <div class="controls">${below("/tempo").map((a) => control(a, { view: "mod" }))}</div></section>`, root);
    },
};
