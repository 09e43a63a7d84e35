// Rewrite: paint what is copied, where it goes, where the rule applies; it is a fader a moment later, with its pictures.
import { html } from "../../vendor/lit-html/lit-html.js";
import { repeat } from "../../vendor/lit-html/directives/repeat.js";
import { Brush } from "../../brush.js";
import { largeSeed, seedPicture } from "../../pictures.js";
import { parameters, state, tell } from "../../store.js";
import { editCard } from "../edit.js";
import { middleLayer } from "../../layers.js";
import { begin } from "./ask.js";

const STEPS = [["copy", "copy this", "Paint what is copied"], ["paste", "to here", "the same place, unless you paint another"],
    ["key", "where it applies", "where it is pasted, unless you paint more"]];
const SIZES = [["fine", 16], ["middle", 48], ["wide", 96]];
const seeds = { copy: 3, paste: 7, key: 7 }, first = { copy: 2, paste: 6, key: 6 };
const THUMBS = 4;
let layer = "", brushes = null, size = 48, erase = false, shown = "copy", hint = "", name = "";
let keyMoved = false;

function cells() {
    return Math.min(Number(/\d+/.exec(layer)?.[0]) || 16, 64);
}

function painted() {
    if (!layer || !(state.layers || []).includes(layer)) layer = middleLayer();
    if (!brushes || brushes.copy.cells !== cells()) {
        const before = brushes;
        brushes = Object.fromEntries(STEPS.map(([step]) => [step, new Brush(cells(), step === "copy" ? null : () => behind(step))]));
        for (const [step] of STEPS) {
            brushes[step].view.setAttribute("aria-label", `paint: ${STEPS.find(([one]) => one === step)[1]}`);
            brushes[step].changed = () => { hint = ""; for (const brush of Object.values(brushes)) brush.draw(); tell("redraw"); };
            if (before) brushes[step].take(before[step]);
        }
    }
    for (const brush of Object.values(brushes)) Object.assign(brush, { size, erase });
    return brushes;
}

/** The mask that counts where nothing was painted: of paste, copy's; of key, paste's. */
function behind(step) {
    const before = step === "paste" ? brushes?.copy : brushes?.paste;
    return !before ? null : before.empty && step === "key" ? brushes.copy.mask : before.mask;
}

function mark(step) {
    const brush = painted()[step];
    return { seed: seeds[step], mask: brush.empty && step !== "copy" ? brush.urlOf(behind(step)) : brush.url() };
}

async function solve() {
    if (painted().copy.empty) {
        hint = "Paint on picture 1 what is to be copied.";
        return tell("redraw");
    }
    const taken = [...parameters.keys()].filter((a) => a.startsWith("/edits/")).map((a) => a.split("/")[2]);
    let fresh = name.trim().replace(/[^\p{L}\p{N}_.+-]+/gu, "-").replace(/^\W+|\W+$/g, "");
    for (let n = 1; !fresh || taken.includes(fresh); n += 1) fresh = `painted-${n}`;
    const request = { format: "latent-jockey request", schema: 1, settings: { layer, rank: 1 }, object: [mark("copy")], paste: [mark("paste")], key: [mark("paste")] };
    if (!painted().key.empty) request.key.push(mark("key"));
    name = "";
    await begin({ kind: "solve", name: fresh, layer, rank: 1, request });
}

function choose(step, seed) {
    seeds[step] = seed;
    if (step === "key") keyMoved = true;
    if (step === "paste" && !keyMoved) { seeds.key = seed; first.key = first.paste; }
    tell("redraw");
}

function strip(step) {
    const move = (by) => () => { first[step] = Math.max(0, first[step] + by); tell("redraw"); };
    const every = Array.from({ length: THUMBS }, (_, n) => first[step] + n);
    return html`<div class="strip"><button class="thin" aria-label=${`${step}: other seeds before`} @click=${move(-THUMBS)}>\u2039</button>${repeat(every, (seed) => seed, (seed) => html`<button
        class="pic ${seeds[step] === seed ? "on" : ""}" aria-label=${`${step}: seed ${seed}`} aria-pressed=${seeds[step] === seed} @click=${() => choose(step, seed)}><lj-pic src=${seedPicture(seed, 1)}></lj-pic></button>`)}
        <button class="thin" aria-label=${`${step}: other seeds`} @click=${move(THUMBS)}>\u203A</button></div>`;
}

function canvas([step, title, help], n) {
    const brush = painted()[step];
    return html`<div class="canvas ${shown === step ? "shown" : ""}"><div class="canvashead"><h2><span class="step">${n + 1}</span>${title}</h2>
            <button aria-label=${`${title}: undo`} @click=${() => brush.undo()}>\u21B6</button><button aria-label=${`${title}: clear`} @click=${() => brush.clear()}>\u2715</button></div>
        <div class="brush"><lj-pic src=${largeSeed(seeds[step])}></lj-pic>${brush.view}${brush.empty ? html`<span class="painthint">${help}</span>` : ""}</div>${strip(step)}</div>`;
}

/** Return the edits made here, newest first, and then the others. */
function made() {
    const every = [...parameters.keys()].filter((a) => /^\/edits\/.+\/strength$/.test(a));
    const solved = (state.jobs || []).filter((one) => one.kind === "solve" && one.state === "done").map((one) => `/edits/${one.name}/strength`);
    return [...solved.filter((a) => every.includes(a)), ...every.filter((a) => !solved.includes(a))];
}

export const rewrite = {
    tools() {
        if (!state.layers?.length) return "";
        painted();
        const layers = state.layers || [], at = layers.indexOf(layer);
        const move = (by) => () => { layer = layers[at + by]; tell("redraw"); };
        return html`<span class="segments" role="group" aria-label="brush">${SIZES.map(([text, px]) => html`<button class="segment brushsize b${px} ${!erase && size === px ? "on" : ""}" aria-label=${`${text} brush`}
                aria-pressed=${!erase && size === px} @click=${() => { size = px; erase = false; tell("redraw"); }}><i></i></button>`)}
                <button class="segment ${erase ? "on" : ""}" aria-pressed=${erase} @click=${() => { erase = !erase; tell("redraw"); }}>erase</button></span>
            <span class="stepper" role="group" aria-label="layer"><button aria-label="coarser layer" ?disabled=${at <= 0} @click=${move(-1)}>\u2039</button><span><b>${layer}</b><small>${cells()} cells across</small></span>
                <button aria-label="finer layer" ?disabled=${at >= layers.length - 1} @click=${move(1)}>\u203A</button></span>`;
    },
    draw(jobs) {
        if (!layer) return jobs;                        // the show has not said yet what it has
        const choices = STEPS.map(([step, title], n) => html`<button class="segment ${shown === step ? "on" : ""}" aria-pressed=${shown === step} @click=${() => { shown = step; tell("redraw"); }}>${n + 1} ${title}</button>`);
        return html`<span class="segments steps" role="group" aria-label="step">${choices}</span>
            <div class="brushes">${STEPS.map(canvas)}</div>
            <div class="row make"><span class="step">4</span><button class="amber go" @click=${solve}>Make it a fader</button>
                <input aria-label="name of the edit" placeholder="name, if you like" maxlength="60" .value=${name} @input=${(e) => { name = e.target.value; }}><span class="told">${hint}</span>${jobs}</div>
            <section class="results">${repeat(made().slice(0, 6), (a) => a, (a) => editCard(a, "studio"))}</section>`;
    },
};
