// The layers of a network to choose from: a column a resolution, coarse on the left; any others as they are called.
import { html } from "./vendor/lit-html/lit-html.js";
import { state } from "./store.js";

const KNOWN = /^b(\d+)\.(conv\d)$/;

/** Return buttons of all layers. chosen: the one that is on; choose(layer): called with one. */
export function layerButtons(layers, chosen, choose) {
    const button = (layer, text) => html`<button class="layer ${layer === chosen ? "on" : ""}" aria-pressed=${layer === chosen} aria-label=${`layer ${layer}`} @click=${() => choose(layer)}>${text}</button>`;
    if (!layers.length || !layers.every((one) => KNOWN.test(one))) return html`<div class="choices">${layers.map((one) => button(one, one))}</div>`;
    const columns = new Map();
    for (const layer of layers) {
        const side = KNOWN.exec(layer)[1];
        columns.set(side, [...columns.get(side) || [], layer]);
    }
    return html`<div class="layers" role="group" aria-label="layer">${[...columns].map(([side, there]) => html`<div class="layercolumn"><small>${side}</small>${there.map((one) => button(one, KNOWN.exec(one)[2].at(-1)))}</div>`)}</div>
        <p class="ends"><span>coarse: the whole</span><span>fine: the surface</span></p>`;
}

/** Return the layer of which most parts have names, else one in the middle. */
export function namedLayer() {
    const layers = Object.keys(state.clusters || {}), named = (one) => Object.keys(state.clusters[one]).filter((name) => !/^\d+$/.test(name)).length;
    return layers.length ? layers.reduce((one, other) => (named(other) > named(one) ? other : one), layers[0]) : middleLayer();
}

/** Return b32.conv1 or, where there is none, a layer in the middle. */
export function middleLayer() {
    const layers = state.layers || [];
    return layers.includes("b32.conv1") ? "b32.conv1" : layers[Math.floor(layers.length / 2)] || "";
}
