// Edit: rewritten rules as faders, weight presets above, what is left out and why.
import { html, render } from "../vendor/lit-html/lit-html.js";
import { control } from "../controls/make.js";
import { below, call, state } from "../store.js";

export const edit = {
    name: "edit",
    label: "Edit",
    draw(root) {
        const weights = state.weights, left = Object.entries(weights.left_out || {});
        const edits = below("/edits"), amounts = below("/weights").filter((a) => a.endsWith("/amount"));
        render(html`<div class="bar"><span class="label">weights</span>
                <span class="choices">${(weights.presets || []).map((name) => html`<button class=${weights.current === name ? "on" : ""} aria-pressed=${weights.current === name} @click=${() => call("/weights/recall", name)}>${name}</button>`)}</span>
                <span class="spring"></span><button @click=${() => call("/weights/store")}>+ store</button><button @click=${() => call("/weights/clear")}>all to 0</button>
                <button @click=${() => call("/edits/reload")}>look again</button></div>
            <section class="group"><h2>edits</h2><div class="controls">${edits.map((a) => control(a, { under: "/edits", text: a.replace(/^\/edits\//, "").replace(/\/strength$/, ""), view: "edit" }))}</div>
                ${edits.length ? "" : html`<p class="empty">No edit yet. Studio makes one from what you paint.</p>`}</section>
            <section class="group"><h2>fade</h2><div class="controls">${control("/weights/seconds", { text: "seconds", view: "edit" })}${amounts.map((a) => control(a, { under: "/weights", view: "edit" }))}</div></section>
            ${left.length ? html`<section class="group"><h2>left out</h2><div class="lines">${left.map(([name, why]) => html`<p>${name}: ${why}</p>`)}</div></section>` : ""}`, root);
    },
};
