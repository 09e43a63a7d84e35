// Studio: paint what is copied and where to, and it is a fader; clusters found and named by looking; jobs.
import { html, render } from "../vendor/lit-html/lit-html.js";
import { repeat } from "../vendor/lit-html/directives/repeat.js";
import { Brush } from "../brush.js";
import { clusterPicture } from "../pictures.js";
import { state, tell } from "../store.js";

const chosen = { layer: "", copy: 3, paste: 7, rank: 1, name: "" };
let brushes = null;
let told = "";

function cellsOf(layer) {
    return Math.min(Number(layer.slice(1).split(".")[0]) || 16, 64);
}

function layerNow() {
    const layers = state.layers || [];
    if (!layers.includes(chosen.layer)) {
        chosen.layer = layers.includes("b32.conv1") ? "b32.conv1" : layers[Math.floor(layers.length / 2)] || "";
        brushes = null;
    }
    return chosen.layer;
}

function painted() {
    brushes ||= { copy: new Brush(cellsOf(layerNow())), paste: new Brush(cellsOf(layerNow())) };
    return brushes;
}

async function begin(job) {
    const answer = await fetch("/api/jobs", { method: "POST", body: JSON.stringify(job) });
    told = answer.ok ? "" : (await answer.json().catch(() => ({}))).text || "That did not work.";
    tell("redraw");
}

function solve() {
    const { copy, paste } = painted();
    if (copy.empty || paste.empty) {
        told = "Paint what is copied, and where to.";
        tell("redraw");
        return;
    }
    const name = chosen.name.trim() || `edit ${String(Date.now()).slice(-5)}`;
    const marks = { copy: { seed: chosen.copy, mask: copy.url() }, paste: { seed: chosen.paste, mask: paste.url() } };
    begin({ kind: "solve", name, layer: layerNow(), rank: chosen.rank, request: { format: "latent-jockey request", schema: 1,
        settings: { layer: layerNow(), rank: chosen.rank }, object: [marks.copy], paste: [marks.paste], key: [marks.paste] } });
}

function canvas(which, title, n) {
    const brush = painted()[which];
    const step = (by) => () => { chosen[which] = Math.max(0, chosen[which] + by); tell("redraw"); };
    return html`<div class="stack"><h2><span class="step">${n}</span>${title}</h2>
        <div class="brush"><img alt="" src=${`/api/thumb/seed/${chosen[which]}.jpg?psi=1.0`}>${brush.view}</div>
        <div class="row"><button aria-label=${`${which}: seed before`} @click=${step(-1)}>\u2039</button><span>seed ${chosen[which]}</span><button aria-label=${`${which}: next seed`} @click=${step(1)}>\u203A</button>
            <button @click=${() => brush.undo()}>undo</button><button @click=${() => brush.clear()}>clear</button></div></div>`;
}

function brushSize(text, size) {
    const { copy, paste } = painted(), on = !copy.erase && copy.size === size;
    const act = () => { for (const brush of [copy, paste]) Object.assign(brush, { size, erase: false }); tell("redraw"); };
    return html`<button class="segment ${on ? "on" : ""}" aria-pressed=${on} @click=${act}>${text}</button>`;
}

function job(one) {
    const bar = document.createElement("i");
    bar.style.setProperty("--at", one.at);
    const stop = () => fetch(`/api/jobs/${one.id}`, { method: "DELETE" });
    return html`<article class="card jobs"><header><b>${one.name || one.kind}</b><small>${one.kind} ${one.stage}</small>
        ${["waits", "runs"].includes(one.state) ? html`<button aria-label="stop" @click=${stop}>\u2715</button>` : ""}</header><div class="bar2">${bar}</div></article>`;
}

function naming(layer) {
    const names = Object.keys(state.clusters?.[layer] || {});
    const rename = (name) => (event) => event.target.value.trim() && event.target.value !== name && begin({ kind: "rename", layer, name, to: event.target.value.trim() });
    return html`<div class="pics naming">${repeat(names, (name) => name, (name) => html`<div class="named"><img alt="" loading="lazy" src=${clusterPicture(layer, name)}>
        <input aria-label=${`name of cluster ${name}`} .value=${name} @change=${rename(name)}></div>`)}</div>`;
}

export const studio = {
    name: "studio",
    label: "Studio",
    draw(root) {
        const layer = layerNow(), { copy, paste } = painted();
        const erase = () => { for (const brush of [copy, paste]) brush.erase = !brush.erase; tell("redraw"); };
        render(html`<div class="bar"><span class="label">layer</span><select aria-label="layer" @change=${(e) => { chosen.layer = e.target.value; brushes = null; tell("redraw"); }}>
                ${(state.layers || []).map((l) => html`<option ?selected=${l === layer}>${l}</option>`)}</select>
                <span class="label">brush</span><span class="segments" role="group" aria-label="brush">${brushSize("fine", 16)}${brushSize("middle", 48)}${brushSize("wide", 96)}
                    <button class="segment ${copy.erase ? "on" : ""}" aria-pressed=${copy.erase} @click=${erase}>erase</button></span></div>
            <div class="columns studios"><div class="stack"><div class="brushes">${canvas("copy", "copy this", 1)}${canvas("paste", "to here", 2)}</div>
                <div class="row"><span class="step">3</span><input class="wide" aria-label="name of the edit" placeholder="name" .value=${chosen.name} @input=${(e) => { chosen.name = e.target.value; }}>
                    <button class="amber" @click=${solve}>Make it a fader</button><span class="label">${told}</span></div></div>
            <div class="stack"><h2>jobs</h2>${(state.jobs || []).length ? repeat(state.jobs, (one) => one.id, job) : html`<p class="quiet">Nothing is being made.</p>`}</div></div>
            <section class="group parts"><h2>parts of ${layer}</h2>${naming(layer)}
                <div class="row"><button @click=${() => begin({ kind: "find", layer })}>find parts anew</button></div></section>`, root);
    },
};
