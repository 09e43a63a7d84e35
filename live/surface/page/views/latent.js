// Latent: seeds as pictures, the trail, the walk, the styles.
import { html, render } from "../vendor/lit-html/lit-html.js";
import { repeat } from "../vendor/lit-html/directives/repeat.js";
import { control, pad } from "../controls/make.js";
import { Moving } from "../moving.js";
import { seedPicture, sourcePicture } from "../pictures.js";
import { call, below, parameters, state, tell, value } from "../store.js";

let first = 0;
let field = null;
let seen = null;

function seed(number) {
    const on = value("/walk/seed") === number;
    return html`<button class="pic ${on ? "on" : ""}" aria-label=${`seed ${number}`} aria-pressed=${on} @click=${() => call("/seed/go", number, value("/walk/glide") || 0)}>
        <img alt="" loading="lazy" src=${seedPicture(number, Number(value("/truncation") ?? 1))}><span>${number}</span></button>`;
}

export const latent = {
    name: "latent",
    label: "Latent",
    enter() {
        seen ||= new Moving("what the source sees", sourcePicture);
        field = parameters.has("/walk/x") ? pad("/walk/x", "/walk/y", ["field"]) : null;
    },
    draw(root) {
        const seeds = Array.from({ length: 20 }, (_, n) => first + n), trail = state.seeds || [];
        const walk = below("/walk").filter((a) => a !== "/walk/seed"), styles = below("/style");
        render(html`<div class="columns three"><div class="stack">
                <h2>seeds</h2><div class="pics">${repeat(seeds, (n) => n, seed)}</div>
                <div class="row"><button ?disabled=${!first} @click=${() => { first = Math.max(0, first - 20); tell("redraw"); }}>before</button><button @click=${() => { first += 20; tell("redraw"); }}>more</button>
                    <button @click=${() => call("/seed/random")}>another</button></div>
                <h2>where you have been</h2><div class="pics">${repeat(trail.slice(0, 10), (n) => n, seed)}</div>
            </div><div class="stack"><h2>walk</h2>${control("/walk/seed", { under: "/walk", view: "latent" })}${walk.map((a) => control(a, { under: "/walk", view: "latent" }))}</div>
            <div class="stack"><h2>how far</h2>${control("/truncation", { view: "latent" })}${field ? html`<h2>field</h2>${field}` : ""}
                <h2>styles</h2>${styles.map((a) => control(a, { under: "/style", view: "latent" }))}
                <h2>source ${state.source?.name ? html`<small>${state.source.name} ${state.source.reason || state.source.state}</small>` : ""}</h2><div class="sourcepic">${seen.canvas}</div>${below("/source").map((a) => control(a, { under: "/source", view: "latent" }))}</div></div>`, root);
    },
};
