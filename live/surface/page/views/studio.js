// Studio: rules rewritten by brush, parts found and named by looking, networks trained. All of it beside the show.
import { html, render } from "../vendor/lit-html/lit-html.js";
import { jobs } from "./studio/jobs.js";
import { parts } from "./studio/parts.js";
import { rewrite } from "./studio/rewrite.js";
import { train } from "./studio/train.js";
import { tell } from "../store.js";

const PLACES = [["rewrite", "Rewrite", rewrite], ["parts", "Parts", parts], ["train", "Train", train]];
let chosen = "rewrite";

export const studio = {
    name: "studio",
    label: "Studio",
    about: "paint an edit, name parts, train",
    draw(root) {
        const [, , place] = PLACES.find(([name]) => name === chosen);
        const choose = (name) => () => { chosen = name; tell("redraw"); };
        render(html`<div class="bar"><span class="segments" role="group" aria-label="studio">${PLACES.map(([name, text]) => html`<button class="segment ${name === chosen ? "on" : ""}"
                aria-pressed=${name === chosen} @click=${choose(name)}>${text}</button>`)}</span>${place.tools()}</div>
            ${place.draw(jobs(() => tell("redraw")))}`, root);
    },
};
