// A seed: its picture, its number, one back, one on, and dice.
import { held } from "../gestures.js";
import { openSheet } from "../sheet.js";
import { seedPicture } from "../pictures.js";
import { set, value } from "../store.js";
import { Control, make } from "./control.js";

const SETTLED = 250;                // ms until a seed that rests has its picture drawn

class Seed extends Control {
    build() {
        this.setAttribute("role", "group");
        this.setAttribute("aria-label", this.address);
        const button = (text, label, act) => {
            const found = make("button", "small", text);
            found.setAttribute("aria-label", `${this.address} ${label}`);
            found.addEventListener("pointerdown", (event) => event.button || this.learned() || act());
            found.addEventListener("click", (event) => event.detail === 0 && act());
            return found;
        };
        this.field = make("input", "number");
        this.field.type = "text";
        this.field.inputMode = "numeric";
        this.field.setAttribute("aria-label", this.address);
        this.field.addEventListener("change", () => set(this.address, Number(this.field.value) || 0));
        this.reading.hidden = true;
        this.picture = make("lj-pic", "seedpic");
        this.append(make("span", "seed", this.picture, button("\u2212", "one back", () => set(this.address, value(this.address) - 1)), this.field,
            button("+", "one on", () => set(this.address, value(this.address) + 1)),
            button("\u2684", "another", () => set(this.address, Math.floor(Math.random() * this.p.high)))));
        held(this, () => openSheet(this.address));
    }

    show(now) {
        clearTimeout(this.timer);
        this.timer = setTimeout(() => { this.picture.setAttribute("src", seedPicture(Math.round(now), 1)); }, SETTLED);
        if (document.activeElement !== this.field) this.field.value = String(Math.round(now));
    }
}

customElements.define("lj-seed", Seed);
