// The four corners of an output: dragged by fingers or the mouse, nudged by arrows. A double tap puts one back.
import { MOVED } from "../gestures.js";
import { grab, inert, parameters, release, set, subscribe, value } from "../store.js";
import { DOUBLE } from "../gestures.js";
import { make } from "./control.js";

const NAMES = ["top left", "top right", "bottom right", "bottom left"];
const MARGIN = 0.125;               // of the display on each side, for corners that lie outside
const STEP = 0.002, LEAP = 0.02;    // of the display: an arrow, and one with shift
const SVG = "http://www.w3.org/2000/svg";
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

function between(a, b, at) {
    return [a[0] + (b[0] - a[0]) * at, a[1] + (b[1] - a[1]) * at];
}

class Corners extends HTMLElement {
    /** address: of an output's pin. name: the output's. */
    setup(address, name) {
        Object.assign(this, { address, name });
        this.dataset.pin = name;
        return this;
    }

    connectedCallback() {
        if (!this.built) this.build();
        this.end = subscribe(this.address, () => this.show());
        this.show();
    }

    disconnectedCallback() { this.end(); }

    build() {
        this.built = true;
        this.classList.add("corners");
        this.setAttribute("role", "group");
        this.setAttribute("aria-label", `corners of ${this.name}`);
        this.drawing = document.createElementNS(SVG, "svg");
        this.drawing.setAttribute("viewBox", `${-MARGIN} ${-MARGIN} ${1 + 2 * MARGIN} ${1 + 2 * MARGIN}`);
        this.drawing.setAttribute("preserveAspectRatio", "none");
        this.drawing.setAttribute("aria-hidden", "true");
        this.screen = document.createElementNS(SVG, "rect");
        for (const [key, at] of Object.entries({ x: 0, y: 0, width: 1, height: 1, class: "display" })) this.screen.setAttribute(key, at);
        this.lines = document.createElementNS(SVG, "path");
        this.drawing.append(this.screen, this.lines);
        this.handles = NAMES.map((name, n) => this.handle(name, n));
        this.append(this.drawing, ...this.handles);
    }

    handle(name, n) {
        const found = make("button", "corner-handle");
        found.addEventListener("pointerdown", (event) => this.press(event, n));
        found.addEventListener(MOVED, (event) => this.drag(event, n));
        for (const kind of ["pointerup", "pointercancel"]) found.addEventListener(kind, (event) => this.lift(event, n));
        found.addEventListener("keydown", (event) => {
            const way = ARROWS[event.key], by = event.shiftKey ? LEAP : STEP;
            if (event.key === "Delete") this.put(n, this.standard(n));
            else if (way) this.put(n, [this.pin[2 * n] + way[0] * by, this.pin[2 * n + 1] + way[1] * by]);
            else return;
            event.preventDefault();
            event.stopPropagation();
        });
        return found;
    }

    get pin() { return value(this.address); }

    standard(n) { return parameters.get(this.address).default.slice(2 * n, 2 * n + 2); }

    press(event, n) {
        if (inert() || event.button) return;
        const handle = this.handles[n];
        handle.setPointerCapture(event.pointerId);
        handle.focus();
        handle.finger = { id: event.pointerId, x: event.clientX, y: event.clientY, from: [this.pin[2 * n], this.pin[2 * n + 1]], moved: false };
        grab(this.address);
    }

    drag(event, n) {
        const { finger } = this.handles[n];
        if (finger?.id !== event.pointerId) return;
        const box = this.getBoundingClientRect(), across = 1 + 2 * MARGIN;
        finger.moved = true;
        this.put(n, [finger.from[0] + (event.clientX - finger.x) / box.width * across, finger.from[1] + (event.clientY - finger.y) / box.height * across]);
    }

    lift(event, n) {
        const handle = this.handles[n], { finger } = handle;
        if (finger?.id !== event.pointerId) return;
        handle.finger = null;
        if (!finger.moved && event.type === "pointerup") {
            const now = performance.now();
            if (now - (handle.last || 0) < DOUBLE) this.put(n, this.standard(n));
            handle.last = now;
        }
        if (!this.handles.some((other) => other.finger)) release(this.address);
    }

    put(n, [x, y]) {
        const p = parameters.get(this.address), next = [...this.pin];
        next[2 * n] = Math.min(Math.max(x, p.low), p.high);
        next[2 * n + 1] = Math.min(Math.max(y, p.low), p.high);
        set(this.address, next);
    }

    show() {
        const { pin } = this, points = [0, 1, 2, 3].map((n) => [pin[2 * n], pin[2 * n + 1]]), [a, b, c, d] = points;
        const line = (from, to) => `M${from[0]} ${from[1]}L${to[0]} ${to[1]}`;
        const inside = [0.25, 0.5, 0.75].map((at) => line(between(a, b, at), between(d, c, at)) + line(between(a, d, at), between(b, c, at)));
        this.lines.setAttribute("d", `M${points.map((point) => point.join(" ")).join("L")}Z${inside.join("")}`);
        this.handles.forEach((handle, n) => {
            const [x, y] = points[n].map((at) => Math.min(Math.max((at + MARGIN) / (1 + 2 * MARGIN), 0), 1));
            handle.style.setProperty("--x", x.toFixed(4));
            handle.style.setProperty("--y", y.toFixed(4));
            handle.setAttribute("aria-label", `${this.name}, ${NAMES[n]} corner, ${Math.round(points[n][0] * 1000) / 10} % ${Math.round(points[n][1] * 1000) / 10} %`);
        });
    }
}

customElements.define("lj-corners", Corners);

const kept = new Map();

/** Return the corners of an output. */
export function corners(address, name) {
    if (!kept.has(address)) kept.set(address, document.createElement("lj-corners").setup(address, name));
    return kept.get(address);
}
