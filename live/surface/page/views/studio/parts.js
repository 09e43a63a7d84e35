// Parts: the clusters of a layer as pictures; tap one, tap what it is.
import { html } from "../../vendor/lit-html/lit-html.js";
import { repeat } from "../../vendor/lit-html/directives/repeat.js";
import { clusterPicture } from "../../pictures.js";
import { state, tell } from "../../store.js";
import { namedLayer } from "../../layers.js";
import { begin } from "./ask.js";

const WORDS = ["eyes", "mouth", "nose", "head", "hair", "ears", "skin", "body", "edges", "colour", "light", "texture", "ground", "background", "left", "right", "above", "below"];
let layer = "", chosen = "";

function layerNow() {
    const layers = state.layers || [];
    if (!layers.includes(layer)) layer = namedLayer();
    return layer;
}

function name(to) {
    if (chosen && to.trim() && to.trim() !== chosen) begin({ kind: "rename", layer, name: chosen, to: to.trim() });
    chosen = "";
    tell("redraw");
}

function part(one) {
    return html`<button class="pic ${chosen === one ? "on" : ""}" aria-pressed=${chosen === one} aria-label=${`part ${one}`} @click=${() => { chosen = chosen === one ? "" : one; tell("redraw"); }}>
        <lj-pic src=${clusterPicture(layer, one)}></lj-pic><span>${one}</span></button>`;
}

export const parts = {
    tools() {
        const layers = state.layers || [], at = layers.indexOf(layerNow());
        const move = (by) => () => { layer = layers[at + by]; chosen = ""; tell("redraw"); };
        return html`<span class="stepper" role="group" aria-label="layer"><button aria-label="coarser layer" ?disabled=${at <= 0} @click=${move(-1)}>\u2039</button><span><b>${layer}</b><small>layer</small></span>
                <button aria-label="finer layer" ?disabled=${at >= layers.length - 1} @click=${move(1)}>\u203A</button></span>
            <span class="spring"></span><button class="amber" @click=${() => begin({ kind: "find", layer })}>Find parts</button>`;
    },
    draw(jobs) {
        const every = Object.keys(state.clusters?.[layerNow()] || {}), all = Object.values(state.clusters || {}).flatMap((there) => Object.keys(there));
        const words = [...new Set([...all.filter((word) => !/^\d+$/.test(word)), ...WORDS])].filter((word) => !every.includes(word)).slice(0, 24);
        const enter = (event) => { if (event.target.value) name(event.target.value); };
        return html`${jobs}${every.length ? html`<div class="pics large">${repeat(every, (one) => one, part)}</div>` : html`<p class="empty">Nothing is known of this layer yet. Find parts looks at sixty pictures and groups what acts together; it takes a moment.</p>`}
            ${every.length ? html`<section class="naming ${chosen ? "" : "quiet"}"><h2>${chosen ? html`what is ${chosen}?` : "tap a part, then what it is"}</h2><div class="choices">${words.map((word) => html`<button ?disabled=${!chosen} @click=${() => name(word)}>${word}</button>`)}
                <input aria-label="another name" placeholder="another name" maxlength="40" ?disabled=${!chosen} .value=${""} @change=${enter}></div></section>` : ""}`;
    },
};
