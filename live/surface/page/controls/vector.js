// Several numbers: how many there are, and a line to write them in.
import { held } from "../gestures.js";
import { openSheet } from "../sheet.js";
import { set } from "../store.js";
import { Control, make } from "./control.js";

class Vector extends Control {
    build() {
        this.setAttribute("role", "group");
        this.setAttribute("aria-label", this.address);
        this.field = make("input", "numbers");
        this.field.type = "text";
        this.field.setAttribute("aria-label", `${this.address}, numbers`);
        this.field.placeholder = "numbers, with spaces";
        this.field.addEventListener("change", () => {
            const numbers = this.field.value.split(/[\s,]+/).filter(Boolean).map(Number);
            if (numbers.length <= this.p.size && numbers.every(Number.isFinite)) set(this.address, numbers);
            else this.show(this.before);
        });
        this.append(this.field);
        held(this, () => openSheet(this.address));
    }

    show(now) {
        this.before = now;
        const numbers = Array.isArray(now) ? now : [now];
        if (document.activeElement !== this.field) this.field.value = numbers.map((n) => Number(n).toFixed(2).replace(/\.?0+$/, "")).join(" ");
    }
}

customElements.define("lj-vector", Vector);
