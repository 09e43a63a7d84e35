// Which control a declaration gets: the one list of them.
import { parameters } from "../store.js";
import "./button.js";
import "./choice.js";
import "./fader.js";
import { Pad } from "./pad.js";
import "./pic.js";
import "./ring.js";
import "./seed.js";
import "./toggle.js";
import "./vector.js";

const SEEDS = 2 ** 24;              // whole numbers beyond this are seeds, not faders

Pad.prototype.parameter = (address) => parameters.get(address);

/** Return the tag of the control that a declaration gets. */
function kindOf(p) {
    if (p.size) return "lj-vector";
    if (p.choices.length) return "lj-choice";
    if (p.step === 1 && p.high > SEEDS) return "lj-seed";
    if (p.step === 1 && p.low === 0 && p.high === 1) return "lj-toggle";
    if (p.curve === "circular") return "lj-ring";
    return "lj-fader";
}

const kept = new Map();             // [address, how] -> its element: views come and go, controls stay

/** Return the control of an address; null if there is no such parameter. how: {under, text, upright}. */
export function control(address, how = {}) {
    const p = parameters.get(address);
    if (!p) return null;
    const key = `${address}\n${how.under || ""}\n${how.text || ""}\n${how.upright ? 1 : 0}\n${how.view || ""}`;
    let element = kept.get(key);
    if (!element || element.kind && element.kind !== p) {
        element = document.createElement(kindOf(p));
        element.setup(address, how.under);
        element.text = how.text;
        element.upright = how.upright;
        if (how.upright) element.classList.add("upright");
        kept.set(key, element);
    }
    return element;
}

export function command(address) {
    return document.createElement("lj-command").setup(address);
}

/** Return a pad of two addresses. */
export function pad(x, y, corners, on) {
    return document.createElement("lj-pad").setup(x, y, corners, on);
}
