// Show: decks, the show that runs, the set list, the way back, lanes, outputs, takes, what was said.
import { html, render } from "../vendor/lit-html/lit-html.js";
import { repeat } from "../vendor/lit-html/directives/repeat.js";
import { control } from "../controls/make.js";
import { outputs } from "../outputs.js";
import { decks, lanes, running, soft, trail } from "../stage.js";
import { thumb } from "../pictures.js";
import { below, call, log, state, subscribe, tell } from "../store.js";

let ends = [];
let takes = [];

async function lookAtTakes() {
    const answer = await fetch("/api/takes");
    if (answer.ok) takes = (await answer.json()).takes;
    tell("redraw");
}

function entry(name, n, every) {
    const { current, cued, names } = state.presets, next = cued || names[(names.indexOf(current) + 1) % names.length];
    return html`<div class="row ${name === next ? "next" : ""}"><button class="look ${current === name ? "current" : ""} ${cued === name ? "cued" : ""}" aria-label=${`cue ${name}`} @click=${() => call("/preset/cue", name)}>
            ${state.thumbs[name] ? html`<lj-pic src=${thumb(name)}></lj-pic>` : html`<span class="nopic"></span>`}<span class="lookname">${n + 1} ${name}</span>
            <small>${current === name ? "plays" : cued === name ? "cued" : next === name ? "next" : ""}</small></button>
        <button aria-label=${`${name} earlier`} ?disabled=${!n} @click=${() => call("/preset/move", name, n)}>\u2191</button>
        <button aria-label=${`${name} later`} ?disabled=${n === every - 1} @click=${() => call("/preset/move", name, n + 2)}>\u2193</button></div>`;
}

export const show = {
    name: "show",
    label: "Show",
    about: "decks, set list, lanes, outputs, takes, what was said",
    enter() {
        ends = [subscribe("log", () => tell("redraw")), subscribe("state take", lookAtTakes)];
        lookAtTakes();
    },
    leave() { ends.forEach((end) => end()); },
    draw(root) {
        const names = state.presets.names, rest = below("/timecode", "/frame", "/output", "/quality");
        render(html`<div class="columns shows"><div class="stack setlist"><h2>decks</h2>${decks()}<h2>the show</h2>${running()}<h2>set list</h2>${repeat(names, (name) => name, (name, n) => entry(name, n, names.length))}</div>
            <div class="stack"><h2>back</h2>${trail()}<div class="row"><button class="softly" aria-label="softly to neutral, hold">softly to neutral</button></div>
                <h2>lanes</h2>${lanes()}
                <h2>outputs</h2>${outputs()}
                <h2>what was said</h2><div class="lines">${log.slice(0, 20).map((line) => html`<p class=${line.level}>${line.at.toTimeString().slice(0, 8)} ${line.text}</p>`)}${log.length ? "" : html`<p>Nothing to worry about.</p>`}</div>
                <h2>takes</h2>${takes.length ? html`<table>${takes.map((name) => html`<tr><td>${name}</td><td><button @click=${() => call("/take/play", name)}>play</button> <button @click=${() => call("/take/loop", name)}>loop</button></td></tr>`)}</table>` : html`<p class="quiet">No take yet. The key below records one.</p>`}
                ${state.take.playing ? html`<button @click=${() => call("/take/stop")}>stop the take</button>` : ""}
                <h2>who is here</h2><p>${state.clients.map((c) => c.name + (c.role === "play" ? "" : " (watches)")).join(", ")}</p>
                <h2>frame and output</h2><div class="controls two">${rest.map((a) => control(a, { view: "show", text: a.slice(1).replaceAll("/", " ") }))}</div>
            </div></div>`, root);
        soft(root);
    },
};
