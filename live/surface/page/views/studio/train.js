// Train: an encoder, so that a camera plays the network, or a world anew; its curve and its samples while it learns.
import { html } from "../../vendor/lit-html/lit-html.js";
import { repeat } from "../../vendor/lit-html/directives/repeat.js";
import { state, tell } from "../../store.js";
import { stopTraining, train as begin, withTraining } from "./ask.js";

const LENGTHS = { encoder: [["a try", 300], ["short", 1000], ["whole", 4000]], world: [["a try", 0.01], ["short", 0.1], ["whole", 1]] };
const STATES = { begins: "begins", runs: "learns", done: "is done", stopped: "stopped", failed: "went wrong" };
const COLOURS = ["#f2a900", "#4cc2d6"];
const length = { encoder: 1000, world: 0.1 };
const curves = new Map();           // name -> {rows, canvas}
let layer = "";

function plot(one) {
    if (!curves.has(one.name)) {
        const canvas = document.createElement("canvas");
        Object.assign(canvas, { width: 640, height: 180, className: "curve" });
        canvas.setAttribute("role", "img");
        curves.set(one.name, { rows: -1, canvas });
    }
    const known = curves.get(one.name);
    known.canvas.setAttribute("aria-label", `${one.name}: ${Object.entries(one.figures).map(([name, value]) => `${name} ${value}`).join(", ")}`);
    if (known.rows !== one.rows) {
        known.rows = one.rows;
        fetch(`/api/runs/${encodeURIComponent(one.name)}/figures`).then((answer) => answer.ok && answer.json()).then((found) => found && draw(known.canvas, found.curves)).catch(() => {});
    }
    return known.canvas;
}

function draw(canvas, found) {
    const pen = canvas.getContext("2d"), { width, height } = canvas;
    pen.clearRect(0, 0, width, height);
    pen.strokeStyle = "#262d36";
    for (let n = 1; n < 4; n += 1) pen.strokeRect(-1, height * n / 4, width + 2, 0.5);
    Object.values(found).forEach((values, n) => {
        const numbers = values.filter((value) => value !== null && value > 0).map(Math.log);
        const low = Math.min(...numbers), across = Math.max(...numbers) - low || 1;
        pen.strokeStyle = COLOURS[n % 2];
        pen.lineWidth = 3;
        pen.lineJoin = "round";
        pen.beginPath();
        if (numbers.length === 1) pen.arc(width / 2, height / 2, 3, 0, 7);
        else numbers.forEach((value, at) => pen.lineTo(10 + at / (numbers.length - 1) * (width - 20), height - 14 - (value - low) / across * (height - 28)));
        pen.stroke();
    });
}

function run(one) {
    const live = ["begins", "runs"].includes(one.state);
    const figures = Object.entries(one.figures).map(([name, value], n) => html`<span class="figure f${n}">${name.replace("_", " ")} <b>${value}</b></span>`);
    const bar = document.createElement("i");
    bar.style.setProperty("--at", one.state === "done" ? 1 : one.at);
    const kept = one.kind === "world" ? html`<small>play it: run_live.py --instrument runs/${one.name}/generator.safetensors</small>` : "";
    return html`<article class="card run ${one.state}" aria-label=${`training ${one.name}`}><header><b>${one.name}</b><small>${STATES[one.state] || one.state}${one.step ? `, step ${one.step}` : ""}${one.step && one.of ? ` of ${one.of}` : ""}</small>
            ${live ? html`<button class="danger" @click=${() => stopTraining(one.name)}>Stop</button>` : ""}
            ${one.state === "stopped" || one.state === "failed" ? html`<button @click=${() => withTraining(one.name, "go on")}>Go on</button>` : ""}
            ${one.made ? html`<button class="amber" @click=${() => withTraining(one.name, "use").then((done) => done.ok && tell("said", "The next start of the show sees with it. The encoder before is kept beside it."))}>Use it</button>` : ""}</header>
        <span class="progress">${bar}</span>${one.text ? html`<p class="error">${one.text}</p>` : ""}
        ${one.rows ? html`<div class="figuresrow">${figures}</div>${plot(one)}` : html`<p class="quiet">${live ? "The first figures come in a minute." : "It wrote no figures."}</p>`}
        ${one.sheet ? html`<img class="sheetpic" alt=${`samples of ${one.name}`} src=${`/api/runs/${encodeURIComponent(one.name)}/sheet.png?v=${one.sheet}`}>` : ""}${one.state === "done" ? kept : ""}</article>`;
}

function lengths(kind) {
    return html`<span class="segments" role="group" aria-label=${`how long, ${kind}`}>${LENGTHS[kind].map(([text, steps]) => html`<button class="segment ${length[kind] === steps ? "on" : ""}" aria-pressed=${length[kind] === steps}
        @click=${() => { length[kind] = steps; tell("redraw"); }}>${text}</button>`)}</span>`;
}

export const train = {
    tools: () => "",
    draw(jobs) {
        const layers = (state.layers || []).filter((one) => /^b(8|16|32|64)\./.test(one)), runs = state.runs || [];
        if (!layers.includes(layer)) layer = layers.includes("b16.conv1") ? "b16.conv1" : layers[0] || "";
        return html`${jobs}<div class="trainings"><article class="card"><h2>an encoder</h2><p>A camera plays the network through it. Which layer it plays:</p>
                <div class="choices">${layers.map((one) => html`<button class=${one === layer ? "on" : ""} aria-pressed=${one === layer} @click=${() => { layer = one; tell("redraw"); }}>${one}</button>`)}</div>
                <div class="row">${lengths("encoder")}<button class="amber" @click=${() => begin({ kind: "encoder", layer, steps: length.encoder })}>Train an encoder</button></div></article>
            <article class="card"><h2>a world</h2><p>The built-in masks, learned anew from pictures the program draws itself: a network of your own.</p><span class="spring"></span>
                <div class="row">${lengths("world")}<button class="amber" @click=${() => begin({ kind: "world", steps: length.world })}>Train a world</button></div></article></div>
            <section class="runs"><h2>trainings</h2>${runs.length ? repeat(runs, (one) => one.name, run) : html`<p class="empty">None yet. A training goes on when this page is closed and when the show is started anew; it keeps what it has learned when you stop it.</p>`}</section>`;
    },
};
