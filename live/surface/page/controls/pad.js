// Two parameters under one finger.
import * as curves from "../curves.js";
import { MOVED } from "../gestures.js";
import { grab, inert, release, set, subscribe, value } from "../store.js";
import { make } from "./control.js";

class Pad extends HTMLElement {
    /** x, y: addresses. corners: texts, from the left above to the right below, or a function that returns them. on: called at the first touch. */
    setup(x, y, corners, on) {
        Object.assign(this, { x, y, corners, on });
        return this;
    }

    connectedCallback() {
        if (!this.built) {
            this.built = true;
            this.classList.add("pad");
            this.setAttribute("role", "group");
            this.setAttribute("tabindex", "0");
            this.setAttribute("aria-label", `${this.x} and ${this.y}`);
            this.dot = make("span", "dot");
            this.names = [0, 1, 2, 3].map((n) => make("span", `corner c${n}`));
            this.append(...this.names, this.dot);
            this.addEventListener("pointerdown", (event) => this.press(event));
            this.addEventListener(MOVED, (event) => this.finger === event.pointerId && this.go(event));
            for (const kind of ["pointerup", "pointercancel"]) this.addEventListener(kind, (event) => this.lift(event));
            this.addEventListener("keydown", (event) => this.key(event));
        }
        this.ends = [this.x, this.y].map((address) => subscribe(address, () => this.show()));
        this.ends.push(subscribe("state presets", () => this.show()));
        this.show();
    }

    disconnectedCallback() {
        for (const end of this.ends) end();
    }

    press(event) {
        if (inert() || event.button) return;
        this.setPointerCapture(event.pointerId);
        this.finger = event.pointerId;
        this.start = { x: event.clientX, y: event.clientY, ...this.at() };
        this.on?.();
        grab(this.x);
        grab(this.y);
    }

    at() {
        return { nx: curves.normalized(this.px, value(this.x)), ny: curves.normalized(this.py, value(this.y)) };
    }

    go(event) {
        const box = this.getBoundingClientRect(), { x, y, nx, ny } = this.start;
        set(this.x, curves.plain(this.px, nx + (event.clientX - x) / box.width));
        set(this.y, curves.plain(this.py, ny + (event.clientY - y) / box.height));
    }

    lift(event) {
        if (this.finger !== event.pointerId) return;
        this.finger = undefined;
        release(this.x);
        release(this.y);
    }

    key(event) {
        const [dx, dy] = { ArrowLeft: [-0.05, 0], ArrowRight: [0.05, 0], ArrowUp: [0, -0.05], ArrowDown: [0, 0.05] }[event.key] || [];
        if (dx === undefined) return;
        event.preventDefault();
        event.stopPropagation();
        this.on?.();
        if (dx) set(this.x, curves.moved(this.px, value(this.x), dx));
        if (dy) set(this.y, curves.moved(this.py, value(this.y), dy));
    }

    show() {
        if (!this.px || !this.py) return;
        const { nx, ny } = this.at();
        this.dot.style.setProperty("--x", nx.toFixed(4));
        this.dot.style.setProperty("--y", ny.toFixed(4));
        const names = typeof this.corners === "function" ? this.corners() : this.corners || [];
        this.names.forEach((name, n) => { name.textContent = names[n] || ""; });
    }

    get px() { return this.parameter(this.x); }

    get py() { return this.parameter(this.y); }
}

customElements.define("lj-pad", Pad);
export { Pad };
