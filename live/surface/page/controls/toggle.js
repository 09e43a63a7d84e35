// On or off: turned when the finger is lifted, so that a hold for help turns nothing.
import { HOLD } from "../gestures.js";
import { openSheet } from "../sheet.js";
import { set, value } from "../store.js";
import { Control, make } from "./control.js";

class Toggle extends Control {
    build() {
        this.setAttribute("role", "switch");
        this.setAttribute("tabindex", "0");
        this.setAttribute("aria-label", this.address);
        this.reading.hidden = true;
        this.append(make("span", "switch", make("span", "knob")));
        this.addEventListener("pointerdown", (event) => {
            if (event.button || this.learned()) return;
            this.pressed = true;
            this.timer = setTimeout(() => {
                this.pressed = false;
                openSheet(this.address);
            }, HOLD);
        });
        this.addEventListener("pointerup", () => this.pressed && this.turn());
        for (const kind of ["pointerup", "pointerleave", "pointercancel"]) {
            this.addEventListener(kind, () => {
                this.pressed = false;
                clearTimeout(this.timer);
            });
        }
        this.addEventListener("keydown", (event) => {
            if (event.key !== " " && event.key !== "Enter") return;
            event.preventDefault();
            event.stopPropagation();
            this.turn();
        });
    }

    turn() {
        set(this.address, value(this.address) >= 0.5 ? 0 : 1);
    }

    show(now) {
        this.setAttribute("aria-checked", now >= 0.5);
        this.classList.toggle("on", now >= 0.5);
    }
}

customElements.define("lj-toggle", Toggle);
