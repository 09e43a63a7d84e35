// One of a few names: segments up to four, a list beyond.
import { held } from "../gestures.js";
import { openSheet } from "../sheet.js";
import { set } from "../store.js";
import { Control, make } from "./control.js";

class Choice extends Control {
    build() {
        this.setAttribute("aria-label", this.address);
        this.reading.hidden = true;
        if (this.p.choices.length <= 4) this.segments();
        else this.list();
        held(this, () => openSheet(this.address));
    }

    segments() {
        this.setAttribute("role", "radiogroup");
        this.buttons = this.p.choices.map((choice) => {
            const button = make("button", "segment", choice);
            button.setAttribute("role", "radio");
            button.addEventListener("pointerdown", (event) => event.button || this.learned() || set(this.address, choice));
            button.addEventListener("click", (event) => event.detail === 0 && set(this.address, choice));
            return button;
        });
        this.append(make("span", "segments", ...this.buttons));
    }

    list() {
        this.setAttribute("role", "group");
        this.select = make("select", "");
        this.select.setAttribute("aria-label", this.address);
        this.select.append(...this.p.choices.map((choice) => new Option(choice, choice)));
        this.select.addEventListener("change", () => set(this.address, this.select.value));
        this.select.addEventListener("pointerdown", (event) => this.learned() && event.preventDefault());
        this.append(this.select);
    }

    show(now) {
        if (this.select) this.select.value = now;
        for (const [n, button] of (this.buttons || []).entries()) {
            const on = this.p.choices[n] === now;
            button.setAttribute("aria-checked", on);
            button.classList.toggle("on", on);
        }
    }
}

customElements.define("lj-choice", Choice);
