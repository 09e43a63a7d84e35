// Outputs: how each does, its corners, its test card, its settings.
import { html } from "./vendor/lit-html/lit-html.js";
import { repeat } from "./vendor/lit-html/directives/repeat.js";
import { corners } from "./controls/corners.js";
import { control } from "./controls/make.js";
import { below, call, meter, parameters, set, state, tell, value } from "./store.js";

const FIRST = ["fill", "zoom", "x", "y", "rotate", "flip", "blackout", "freeze"];
const APART = ["pin", "test"];      // these have a place of their own
const KNOWN = 4000;                 // ms that every output shows who it is
let open = null;
let telling = 0;

function names() {
    return [...new Set(below("/outputs").map((a) => a.split("/")[2]))];
}

/** Every output shows its name for a while. */
function identify() {
    clearTimeout(telling);
    const put = (card) => names().forEach((name) => parameters.has(`/outputs/${name}/test`) && set(`/outputs/${name}/test`, card));
    put("number");
    telling = setTimeout(() => put("off"), KNOWN);
}

function card(name) {
    const under = `/outputs/${name}`, mine = below(under).map((a) => a.slice(under.length + 1)), pin = `${under}/pin`, test = parameters.get(`${under}/test`);
    const rest = mine.filter((key) => !FIRST.includes(key) && !APART.includes(key));
    const settings = (keys) => keys.filter((key) => mine.includes(key)).map((key) => control(`${under}/${key}`, { under, view: "outputs" }));
    return html`<article class="card output" aria-label=${`output ${name}`}><header><b>${name}</b><small>${how(name)}</small>
            <button aria-expanded=${open === name} @click=${() => { open = open === name ? null : name; tell("redraw"); }}>${open === name ? "less" : "set up"}</button></header>
        ${open !== name ? "" : html`
            <div class="row" role="group" aria-label=${`test card of ${name}`}>${(test?.choices || []).map((choice) => html`<button class="segment ${value(`${under}/test`) === choice ? "on" : ""}" aria-pressed=${value(`${under}/test`) === choice}
                @click=${() => { set(`${under}/test`, choice); tell("redraw"); }}>${choice === "off" ? "picture" : choice}</button>`)}</div>
            ${parameters.has(pin) ? html`${corners(pin, name)}<div class="row"><span class="label">Drag the corners. Arrows move the one you touched last.</span>
                <button @click=${() => set(pin, [...parameters.get(pin).default])}>straight</button></div>` : ""}
            <div class="controls two">${settings(FIRST)}</div><h3>colour</h3><div class="controls two">${settings(rest)}</div>`}</article>`;
}

function how(name) {
    const told = state.outputs.find((o) => o.name === name), dropped = meter.dropped?.[name];
    const words = { starting: "is starting", "starting again": "has died, is starting again", running: "plays" };
    return [told?.broken || (told ? words[told.state] || told.state : "is not open"), dropped ? `${dropped} dropped` : ""].filter(Boolean).join(", ");
}

/** Return what is shown of the outputs. */
export function outputs() {
    const framed = names(), others = state.outputs.filter((o) => !framed.includes(o.name));
    return html`${repeat(framed, (name) => name, card)}
        ${framed.length ? html`<div class="row"><button @click=${identify}>Which is which</button><button @click=${() => call("/blackout")}>all black</button></div>` : ""}
        ${others.length ? html`<table>${others.map((o) => html`<tr><td>${o.name}</td><td class=${o.broken ? "warn" : ""}>${how(o.name)}</td></tr>`)}</table>` : ""}`;
}
