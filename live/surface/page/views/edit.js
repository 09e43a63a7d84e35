// Edit: rewritten rules as faders under what they do, weight presets above, what is left out and why.
import { html, render } from "../vendor/lit-html/lit-html.js";
import { repeat } from "../vendor/lit-html/directives/repeat.js";
import { control } from "../controls/make.js";
import { editPicture } from "../pictures.js";
import { below, call, state, value } from "../store.js";

const CAPTIONS = [["as it is", 0], ["at 1", 1], ["at \u22121", 2], ["where", 3]];

/** Return an edit: its four pictures, and its fader under them. */
export function editCard(address, view) {
    const name = address.split("/")[2];
    return html`<article class="result ${value(address) ? "playing" : ""}" aria-label=${`edit ${name}`}><div class="effect">${CAPTIONS.map(([text, n]) => html`<figure class="e${n}"><lj-pic src=${editPicture(name)}></lj-pic><figcaption>${text}</figcaption></figure>`)}</div>${control(address, { under: "/edits", text: name, view })}</article>`;
}

export const edit = {
    name: "edit",
    label: "Edit",
    about: "rewritten rules on faders",
    draw(root) {
        const weights = state.weights, left = Object.entries(weights.left_out || {});
        const strengths = below("/edits").filter((a) => a.endsWith("/strength")), others = below("/edits").filter((a) => !a.endsWith("/strength"));
        const amounts = below("/weights").filter((a) => a.endsWith("/amount"));
        render(html`<div class="bar"><span class="segments" role="group" aria-label="weight presets">${(weights.presets || []).map((name) => html`<button class="segment ${weights.current === name ? "on" : ""}"
                    aria-pressed=${weights.current === name} @click=${() => call("/weights/recall", name)}>${name}</button>`)}</span><span class="spring"></span>
                <button @click=${() => call("/weights/store")}>+ store</button><button @click=${() => call("/weights/clear")}>all to 0</button><button @click=${() => call("/edits/reload")}>look again</button></div>
            <div class="results edits">${repeat(strengths, (a) => a, (a) => editCard(a, "edit"))}</div>
            ${strengths.length ? "" : html`<p class="empty">No edit yet. Studio makes one from what you paint.</p>`}
            <div class="controls fades">${control("/weights/seconds", { text: "a preset fades in over", view: "edit" })}${[...others, ...amounts].map((a) => control(a, { view: "edit" }))}</div>
            ${left.length ? html`<section class="group"><h2>left out</h2><div class="lines">${left.map(([name, why]) => html`<p>${name}: ${why}</p>`)}</div></section>` : ""}`, root);
    },
};
