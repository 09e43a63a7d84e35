// All: a control for every address and command, in groups, with a search and this browser's favourites.
import { html, render } from "../vendor/lit-html/lit-html.js";
import { repeat } from "../vendor/lit-html/directives/repeat.js";
import { command, control } from "../controls/make.js";
import { favourites } from "../sheet.js";
import { commands, groups, parameters, tell } from "../store.js";

let wanted = "";
let chosen = "all";
const buttons = new Map();

function commandOf(address) {
    if (!buttons.has(address)) buttons.set(address, command(address));
    return buttons.get(address);
}

function matches(address, about) {
    const words = wanted.toLowerCase().split(/\s+/).filter(Boolean);
    const text = `${address} ${about}`.toLowerCase();
    return words.every((word) => text.includes(word));
}

function group(name, addresses) {
    const found = addresses.filter((a) => matches(a, parameters.get(a).about));
    if (!found.length) return "";
    const under = found.length > 1 || found[0] !== `/${name}` ? `/${name}` : "";
    return html`<section class="group" id=${`group-${name}`}><h2>${name}</h2><div class="controls">${repeat(found, (a) => a, (a) => control(a, { under: a === under ? "" : under, view: "all" }))}</div></section>`;
}

export const all = {
    name: "all",
    label: "Faders",
    about: "a control for everything there is",
    draw(root) {
        const every = groups(), stars = favourites().filter((a) => parameters.has(a));
        const names = [...every.keys()];
        const shown = chosen === "all" || wanted ? names : names.filter((name) => name === chosen);
        const calls = [...commands.keys()].filter((a) => matches(a, commands.get(a).about));
        render(html`
            <div class="bar"><input id="search" type="search" placeholder="Search  /" aria-label="search" .value=${wanted} @input=${(e) => { wanted = e.target.value; tell("redraw"); }}>
                <span class="chips" role="group" aria-label="groups">${["all", "\u2605", ...names, "commands"].map((name) => html`<button class="chip ${name === chosen ? "on" : ""}" aria-pressed=${name === chosen}
                    @click=${() => { chosen = name; tell("redraw"); }}>${name}</button>`)}</span></div>
            <div class="scroll">
            ${stars.length && !wanted && (chosen === "all" || chosen === "\u2605") ? html`<section class="group"><h2>\u2605 favourites</h2><div class="controls">${repeat(stars, (a) => a, (a) => control(a, { view: "stars" }))}</div></section>` : ""}
            ${chosen === "\u2605" && !stars.length ? html`<p class="quiet">Hold a control and tap Favourite: it is kept here.</p>` : ""}
            ${repeat(shown, (name) => name, (name) => group(name, every.get(name)))}
            ${calls.length && (wanted || chosen === "all" || chosen === "commands") ? html`<section class="group"><h2>commands</h2><div class="commands">${repeat(calls, (a) => a, commandOf)}</div></section>` : ""}
            </div>`, root);
    },
};
