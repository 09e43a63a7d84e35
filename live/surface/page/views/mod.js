// Mod: a card a modulator with its live trace; put one on by a shape and a target; the tempo, what is heard.
import { html, render, svg } from "../vendor/lit-html/lit-html.js";
import { repeat } from "../vendor/lit-html/directives/repeat.js";
import { control } from "../controls/make.js";
import { normalized } from "../curves.js";
import { freshName } from "../sheet.js";
import { below, call, parameters, played, set, state, tell, value } from "../store.js";

const POINTS = 160, HIGH = 96;
const WAVES = { sine: "M1 9 C5 -3 8 -3 12 9 S19 21 23 9", triangle: "M1 9 L6.5 2 L17.5 16 L23 9", saw: "M1 16 L12 2 V16 L23 2", square: "M1 16 V2 H12 V16 H23",
    random: "M1 10 L4 4 L8 13 L11 7 L15 15 L19 3 L23 9", sample_and_hold: "M1 12 H6 V4 H11 V15 H16 V7 H23", envelope: "M1 16 L4 2 C9 5 12 14 23 16",
    follow: "M1 14 C3 14 4 4 6 4 L11 12 C13 12 13 6 15 6 L23 14", hit: "M1 16 V2 C3 11 6 15 11 16 V5 C13 12 16 15 23 16", stepper: "M1 16 H6 V11 H12 V6 H18 V2 H23", clock: "M1 9 C3 -3 6 -3 8 9 S13 21 15 9 S18 0 19 9 S22 16 23 9" };
const OF = { envelope: ["attack", "release"], follow: ["attack", "release"], hit: ["release"], stepper: [] };      // of those that hear, instead of a rate
const MAIN = ["rate", "beats", "depth"], HEAD = ["shape", "mute"];
const traces = new Map();           // target -> {canvas, points}
const open = new Set();             // names of modulators that show all
let timer = 0;
let target = "/truncation", shape = "sine";

function wave(name) {
    return WAVES[name] ? svg`<svg viewBox="0 0 24 18" aria-hidden="true"><path d=${WAVES[name]} /></svg>` : name;
}

function trace(address) {
    if (!traces.has(address)) {
        const canvas = document.createElement("canvas");
        Object.assign(canvas, { className: "trace", width: 3 * POINTS, height: HIGH });
        canvas.setAttribute("role", "img");
        canvas.setAttribute("aria-label", `how ${address} moves`);
        traces.set(address, { canvas, points: [] });
    }
    return traces.get(address).canvas;
}

function line(pen, colour, width, points) {
    pen.strokeStyle = colour;
    pen.lineWidth = width;
    pen.lineJoin = "round";
    pen.beginPath();
    for (const [x, y] of points) pen.lineTo(x, y);
    pen.stroke();
}

function step() {
    const high = (at) => HIGH - 6 - (HIGH - 12) * at;
    for (const [address, { canvas, points }] of traces) {
        const p = parameters.get(address);
        if (!p || !canvas.isConnected) continue;
        points.push(normalized(p, played.get(address) ?? value(address)));
        if (points.length > POINTS) points.shift();
        const pen = canvas.getContext("2d"), kept = high(normalized(p, value(address)));
        pen.clearRect(0, 0, canvas.width, HIGH);
        line(pen, "#f2a900", 1.5, [[0, kept], [canvas.width, kept]]);
        line(pen, "#4cc2d6", 3, points.map((at, n) => [3 * (n + POINTS - points.length), high(at)]));
    }
}

function shapes(chosen, every, choose) {
    return html`<div class="waves" role="radiogroup" aria-label="shape">${every.map((name) => html`<button role="radio" class=${name === chosen ? "on" : ""} aria-checked=${name === chosen} aria-label=${name.replaceAll("_", " ")}
        title=${name.replaceAll("_", " ")} @click=${() => choose(name)}>${wave(name)}</button>`)}</div>`;
}

function card(one) {
    const under = `/modulators/${one.name}`, mute = `${under}/mute`, all = open.has(one.name), quiet = value(mute) > 0.5;
    const idle = value(`${under}/unit`) === "beats" ? "rate" : "beats", of = OF[value(`${under}/shape`)];
    const main = of ? [...of, "depth"] : MAIN, last = (a) => a.split("/").at(-1);
    const mine = below(under).filter((a) => !HEAD.includes(last(a)) && last(a) !== idle && (all || main.includes(last(a))));
    const turn = () => { all ? open.delete(one.name) : open.add(one.name); tell("redraw"); };
    const flip = () => { set(mute, quiet ? 0 : 1); tell("redraw"); };
    return html`<article class="card mod ${quiet ? "muted" : ""}" aria-label=${`modulator ${one.name}`}>
        <header><span class="title"><b>${one.name}</b><small>moves ${one.target}${one.source ? `, follows ${one.source}` : ""}</small></span>
            <button class=${quiet ? "on" : ""} aria-pressed=${quiet} @click=${flip}>mute</button><button aria-label=${`remove ${one.name}`} @click=${() => call("/modulators/remove", one.name)}>\u2715</button></header>
        ${trace(one.target)}
        ${shapes(value(`${under}/shape`), (parameters.get(`${under}/shape`)?.choices || []).filter((name) => one.source || name !== "envelope"), (name) => { set(`${under}/shape`, name); tell("redraw"); })}
        <div class="controls">${mine.map((a) => control(a, { under, view: "mod" }))}</div>
        <button class="more" aria-expanded=${all} @click=${turn}>${all ? "less" : "beats, phase, polarity \u2026"}</button></article>`;
}

function adding() {
    const targets = [...parameters.keys()].filter((a) => !parameters.get(a).size && !/^\/(output|quality|tempo|modulators|source\/(signal|picture)|audio)/.test(a));
    const known = parameters.get(`/modulators/${state.modulators[0]?.name}/shape`)?.choices || Object.keys(WAVES);
    const add = () => call("/modulators/add", freshName(target.split("/").filter(Boolean).slice(-2).join("-").replace(/[^\w.+-]/g, "")), target, shape, 0.2);
    return html`<div class="bar adding">${shapes(shape, known.filter((name) => name !== "envelope"), (name) => { shape = name; tell("redraw"); })}<span class="label">on</span>
        <select aria-label="target" @change=${(e) => { target = e.target.value; }}>${targets.map((a) => html`<option ?selected=${a === target}>${a}</option>`)}</select><button class="cyan" @click=${add}>Modulate</button></div>`;
}

export const mod = {
    name: "mod",
    label: "Mod",
    about: "what moves by itself, tempo",
    enter() { timer = setInterval(step, 66); },
    leave() { clearInterval(timer); },
    draw(root) {
        render(html`${adding()}<div class="cards">${repeat(state.modulators, (m) => m.name, card)}</div>
            ${state.modulators.length ? "" : html`<p class="empty">Nothing moves by itself yet. Choose a shape and what it moves, then Modulate; a hold on any control offers it too.</p>`}
            <section class="group tempo"><h2>tempo ${state.tempo.following ? `\u2013 follows ${state.tempo.device || "a MIDI clock"}` : ""}</h2>
                <div class="controls">${below("/tempo").map((a) => control(a, { view: "mod" }))}</div></section>`, root);
    },
};
