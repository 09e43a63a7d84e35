// Bend: the chain in the order it acts; a layer, its clusters as pictures, a transform, and it is there at mix 0.
import { html, render } from "../vendor/lit-html/lit-html.js";
import { repeat } from "../vendor/lit-html/directives/repeat.js";
import { control } from "../controls/make.js";
import { layerButtons, namedLayer } from "../layers.js";
import { clusterPicture, seedPicture } from "../pictures.js";
import { freshName } from "../sheet.js";
import { below, call, parameters, set, state, tell, value } from "../store.js";

const chosen = { layer: "", cluster: "all" };
const LATE = ["mute", "solo"];
const SAMPLE = 3;                   // the seed that parts are shown on
let said = "";                      // what a transform does: of the one under the finger

function isNamed(name) {
    return !/^\d+$/.test(name);
}

function layerNow() {
    if (!Object.keys(state.clusters || {}).includes(chosen.layer) && !state.layers?.includes(chosen.layer)) chosen.layer = namedLayer();
    return chosen.layer;
}

function bendCard(bend, n, every) {
    const under = `/bends/${bend.name}`, mix = `${under}/mix`, mine = [mix, ...below(under).filter((a) => a !== mix && !LATE.includes(a.split("/").at(-1)))];
    const mute = `${under}/mute`, solo = `${under}/solo`;
    const flip = (address) => () => set(address, value(address) > 0.5 ? 0 : 1);
    return html`<article class="card" aria-label=${`bend ${bend.name}`}>
        <header><span class="title"><b>${bend.name}</b><small>${bend.transform} on ${bend.layer}</small></span>
            <button aria-label=${`${bend.name} earlier`} ?disabled=${!n} @click=${() => call("/bends/move", bend.name, n - 1)}>\u2191</button>
            <button aria-label=${`${bend.name} later`} ?disabled=${n === every - 1} @click=${() => call("/bends/move", bend.name, n + 1)}>\u2193</button>
            <button aria-label=${`remove ${bend.name}`} @click=${() => call("/bends/remove", bend.name)}>\u2715</button></header>
        <div class="controls">${mine.map((a) => control(a, { under, view: "bend" }))}</div>
        <div class="row">${[["mute", mute], ["solo", solo]].filter(([, a]) => parameters.has(a)).map(([text, a]) => html`<button class=${value(a) > 0.5 ? "on" : ""} aria-pressed=${value(a) > 0.5}
            @click=${() => { flip(a)(); tell("redraw"); }}>${text}</button>`)}</div></article>`;
}

function cluster(layer, name) {
    return html`<button class="pic ${chosen.cluster === name ? "on" : ""}" aria-pressed=${chosen.cluster === name} aria-label=${`cluster ${name}`}
        @click=${() => { chosen.cluster = name; tell("redraw"); }}><lj-pic src=${name === "all" ? seedPicture(SAMPLE, 0.7) : clusterPicture(layer, name)}></lj-pic><span>${name === "all" ? "all of it" : name}</span></button>`;
}

function explain(name, about) {
    said = `${name}: ${about}`;
    tell("redraw");
}

async function add(transform) {
    const what = chosen.cluster === "all" ? layerNow() : chosen.cluster;
    const name = freshName(`${what}-${transform}`.replace(/[^\w.+-]/g, ""), state.bends.map((b) => b.name));
    const done = await call("/bends/add", name, layerNow(), chosen.cluster, transform, 0);
    if (done.ok) setTimeout(() => document.querySelector(`[data-address="/bends/${CSS.escape(name)}/mix"]`)?.scrollIntoView({ block: "center" }), 400);
}

export const bend = {
    name: "bend",
    label: "Bend",
    about: "transforms on parts of the picture",
    draw(root) {
        const layer = layerNow(), names = Object.keys(state.clusters?.[layer] || {}), bends = state.bends || [];
        const sorted = [...names.filter(isNamed), ...names.filter((name) => !isNamed(name))];
        render(html`<div class="columns bends"><div class="stack">
                <h2>chain</h2>${control("/bends/amount", { text: "all bends", view: "bend" })}
                <div class="row"><button @click=${() => call("/bends/neutral", 2)}>neutral 2 s</button><button @click=${() => call("/bends/return", 2)}>return 2 s</button></div>
                ${bends.length ? repeat(bends, (b) => b.name, (b, n) => bendCard(b, n, bends.length)) : html`<p class="empty">No bend yet. Tap a part, then what is to become of it; bring it in with its mix.</p>`}
            </div><div class="stack">
                <h2><span class="step">1</span>layer</h2>${layerButtons(state.layers || [], layer, (l) => { chosen.layer = l; chosen.cluster = "all"; tell("redraw"); })}
                <h2><span class="step">2</span>part</h2><div class="pics parts">${["all", ...sorted].map((name) => cluster(layer, name))}</div>
                <h2><span class="step">3</span>what becomes of it</h2><div class="choices transforms">${Object.entries(state.transforms || {}).map(([name, about]) => html`<button title=${about} aria-label=${`add ${name}`}
                    @pointerenter=${() => explain(name, about)} @focus=${() => explain(name, about)} @click=${() => add(name)}>${name.replaceAll("_", " ")}</button>`)}</div>
                <p class="explained">${said || "It comes at mix 0: nothing jumps. Bring it in with its mix, on the left."}</p>
            </div></div>`, root);
    },
};
