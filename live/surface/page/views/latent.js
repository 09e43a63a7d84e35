// Latent: seeds as pictures, the trail, the walk and its stops, the styles, the source.
import { html, render } from "../vendor/lit-html/lit-html.js";
import { repeat } from "../vendor/lit-html/directives/repeat.js";
import { control, pad } from "../controls/make.js";
import { HOLD } from "../gestures.js";
import { Moving } from "../moving.js";
import { chooser, underway } from "../photographs.js";
import { latentPicture, seedPicture, sourcePicture } from "../pictures.js";
import { below, call, parameters, set, state, tell, value } from "../store.js";

const PAGE = 20, KINDS = "/walk/kind";
const MOVES = /^\/(directions|channels)\/[^/]+\/amount$/;
const RARE = ["/walk/seed", KINDS, "/walk/stops", "/walk/x", "/walk/y"];
let first = 0;
let field = null;
let seen = null, photographs = null;
let timer = 0, held = false;

function stops() {
    const now = value("/walk/stops");
    return Array.isArray(now) ? now : [];
}

function hold(number) {
    held = false;
    clearTimeout(timer);
    timer = setTimeout(() => {
        held = true;
        if (parameters.has("/walk/stops")) set("/walk/stops", [...stops(), number].slice(0, parameters.get("/walk/stops").size));
        tell("redraw");
    }, HOLD);
}

function go(number) {
    clearTimeout(timer);
    if (!held) call("/seed/go", number, value("/walk/glide") || 0);
    held = false;
}

function seed(number) {
    const on = value("/walk/seed") === number, end = () => clearTimeout(timer);
    return html`<button class="pic ${on ? "on" : ""}" aria-label=${`seed ${number}`} aria-pressed=${on} @pointerdown=${() => hold(number)} @pointerup=${end} @pointerleave=${end} @pointercancel=${end} @click=${() => go(number)}>
        <lj-pic src=${seedPicture(number, Number(value("/truncation") ?? 1))}></lj-pic><span>${number}</span></button>`;
}

function stop(number, n) {
    const leave = () => { set("/walk/stops", stops().filter((_, at) => at !== n)); tell("redraw"); };
    return html`<button class="pic stop" aria-label=${`stop ${n + 1}, seed ${number}: take it out`} @click=${leave}><lj-pic src=${seedPicture(Math.round(number), 1)}></lj-pic><span>\u2715 ${number}</span></button>`;
}

function kinds() {
    const p = parameters.get(KINDS);
    return p ? html`<div class="choices kinds" role="group" aria-label="walk">${p.choices.map((kind) => html`<button class=${value(KINDS) === kind ? "on" : ""} aria-pressed=${value(KINDS) === kind}
        @click=${() => { set(KINDS, kind); tell("redraw"); }}>${kind}</button>`)}</div>` : "";
}

/** Return the directions as faders, where the network has some. */
function directions() {
    const moves = [...below("/directions"), ...below("/channels")].filter((a) => MOVES.test(a)), moved = moves.filter((a) => value(a));
    return moves.length ? html`<div class="headrow"><h2>directions</h2><button ?disabled=${!moved.length} @click=${() => call("/directions/clear")}>all to 0</button></div>
        ${repeat(moves, (a) => a, (a) => control(a, { under: `/${a.split("/")[1]}`, text: a.split("/")[2], view: "latent" }))}` : "";
}

/** Return the kept latents as pictures, and the button that makes one of a photograph. */
function kept() {
    const { latents = {}, photographs: photographed = [], refining } = state.finds || {}, names = Object.entries(latents), sent = underway();
    const go = (name, count) => (count > 1 ? call("/latents/play", name) : call("/latents/go", name, 0, value("/walk/glide") || 0));
    return html`<h2>kept latents</h2><div class="choices"><button ?disabled=${names.length < 2} @click=${() => call("/latents/walk")}>walk through all</button>
            <button @click=${() => photographs.click()}>+ photograph</button>${photographs}</div>
        ${names.length || sent ? html`<div class="pics">${repeat(names, ([name]) => name, ([name, count]) => html`<button class="pic" aria-label=${`kept latent ${name}`} @click=${() => go(name, count)}>
            ${photographed.includes(name) ? html`<img src=${latentPicture(name)} alt="" draggable="false">` : html`<lj-pic src=${latentPicture(name)}></lj-pic>`}<span>${name}${count > 1 ? ` (${count})` : ""}${refining === name ? " \u2026" : ""}</span></button>`)}${sent ? html`<p class="quiet">${sent} on the way</p>` : ""}</div>`
        : html`<p class="quiet">Drop a photograph on this page, or on the show's window: the walk goes to the picture that comes nearest.</p>`}`;
}

export const latent = {
    name: "latent",
    label: "Latent",
    about: "seeds, walks, styles, the source",
    enter() {
        photographs ||= chooser();
        seen ||= new Moving("what the source sees", sourcePicture);
        field = parameters.has("/walk/x") ? pad("/walk/x", "/walk/y", ["field"]) : null;
    },
    draw(root) {
        const seeds = Array.from({ length: PAGE }, (_, n) => first + n), trail = state.seeds || [], there = stops();
        const walk = below("/walk").filter((a) => !RARE.includes(a) && !parameters.get(a).size), styles = below("/style"), source = below("/source");
        const turn = (by) => () => { first = Math.max(0, first + by); tell("redraw"); };
        render(html`<div class="columns latents"><div class="stack">
                <div class="headrow"><h2>seeds</h2><button aria-label="seeds before" ?disabled=${!first} @click=${turn(-PAGE)}>\u2039</button><button aria-label="more seeds" @click=${turn(PAGE)}>\u203A</button>
                    <button @click=${() => call("/seed/random")}>\u2684 another</button></div>
                <div class="pics">${repeat(seeds, (n) => n, seed)}</div>
                <h2>where you have been</h2><div class="pics">${repeat(trail.slice(0, 10), (n) => n, seed)}</div>
                ${kept()}<h2>stops of the walk</h2>${there.length ? html`<div class="pics">${there.map(stop)}</div>` : html`<p class="quiet">Hold a seed: the walks that stop go there.</p>`}
            </div><div class="stack"><h2>walk</h2>${kinds()}${control("/truncation", { text: "truncation", view: "latent" })}
                ${field && value(KINDS) === "field" ? field : ""}${walk.map((a) => control(a, { under: "/walk", view: "latent" }))}${control("/walk/seed", { under: "/walk", view: "latent" })}
            </div><div class="stack">${directions()}<h2>styles</h2>${styles.map((a) => control(a, { under: "/style", text: a.slice(7).replace("/", " "), view: "latent" }))}
                <h2>constant</h2>${below("/const").map((a) => control(a, { under: "/const", text: a.slice(7), view: "latent" }))}
                ${source.length ? html`<h2>source ${state.source?.name ? html`<small>${state.source.name} ${state.source.reason || state.source.state}</small>` : ""}</h2><div class="sourcepic">${seen.canvas}</div>${source.map((a) => control(a, { under: "/source", view: "latent" }))}` : ""}</div></div>`, root);
    },
};
