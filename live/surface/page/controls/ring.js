// An angle: a ring without ends.
import * as curves from "../curves.js";
import { watch } from "../gestures.js";
import { openSheet } from "../sheet.js";
import { grab, inert, release, set, value } from "../store.js";
import { Control, make } from "./control.js";

class Ring extends Control {
    build() {
        this.setAttribute("role", "slider");
        this.setAttribute("tabindex", "0");
        this.setAttribute("aria-label", this.address);
        this.hub = make("span", "dial", make("span", "needle"));
        this.append(this.hub);
        watch(this, {
            down: () => {
                if (this.learned()) return;
                this.at = curves.normalized(this.p, value(this.address));
                this.holding = true;
                if (!inert()) grab(this.address);
            },
            drag: (by) => {
                if (!this.holding || inert()) return;
                this.at = ((this.at + by) % 1 + 1) % 1;
                set(this.address, curves.plain(this.p, this.at));
            },
            up: () => {
                if (this.holding && !inert()) release(this.address);
                this.holding = false;
            },
            double: () => set(this.address, this.p.default),
            hold: () => openSheet(this.address),
        });
        this.addEventListener("keydown", (event) => {
            const by = { ArrowUp: 0.01, ArrowRight: 0.01, ArrowDown: -0.01, ArrowLeft: -0.01, PageUp: 0.1, PageDown: -0.1 }[event.key];
            if (!by) return;
            event.preventDefault();
            event.stopPropagation();
            set(this.address, curves.moved(this.p, value(this.address), by));
        });
    }

    show(now) {
        this.hub.style.setProperty("--turn", `${(curves.normalized(this.p, now) * 360).toFixed(1)}deg`);
        this.setAttribute("aria-valuemin", this.p.low);
        this.setAttribute("aria-valuemax", this.p.high);
        this.setAttribute("aria-valuenow", now);
        this.setAttribute("aria-valuetext", curves.shown(this.p, now));
    }
}

customElements.define("lj-ring", Ring);
