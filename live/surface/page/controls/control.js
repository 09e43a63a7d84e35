// What every control of a parameter shares: its name and value, badges, help, learning by touch. Light DOM.
import { meterHands } from "../hands.js";
import { shown } from "../curves.js";
import { learning, openSheet } from "../sheet.js";
import { inert, call, me, parameters, state, subscribe, tell, value } from "../store.js";

/** Return an element with a class and children. */
export function make(tag, name, ...children) {
    const element = document.createElement(tag);
    if (name) element.className = name;
    element.append(...children);
    return element;
}

/** Return the last words of an address, which is what a control is called where its group is known. */
export function short(address, under = "") {
    return address.slice(under.length).replace(/^\//, "");
}

const LATER = 250;                  // ms until a control that is scrolled away shows what came
const away = new WeakSet();         // controls that are scrolled away
const late = new Set();             // those of them that have something to show
let timer = 0;

const looked = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
        if (isIntersecting) away.delete(target);
        else away.add(target);
        if (isIntersecting && late.delete(target)) target.draw(value(target.address));
    }
}, { rootMargin: "80px" });

function drawLate() {
    timer = 0;
    for (const control of late) control.draw(value(control.address));
    late.clear();
}

export class Control extends HTMLElement {
    /** address: the parameter's; under: a prefix that the label leaves out. */
    setup(address, under = "") {
        this.address = address;
        this.under = under;
        this.dataset.address = address;
        return this;
    }

    get p() {
        return parameters.get(this.address);
    }

    connectedCallback() {
        if (!this.p) return;
        this.kind = this.p;
        this.classList.add("control");
        this.title = this.p.about;
        if (!this.built) {
            this.built = true;
            this.label = make("span", "name", this.text || short(this.address, this.under));
            this.words = document.createTextNode("");
            this.reading = make("span", "value", this.words);
            this.badge = make("span", "badge");
            this.append(make("span", "head", this.label, this.badge, this.reading));
            this.build();
            this.addEventListener("contextmenu", (event) => {
                event.preventDefault();
                openSheet(this.address);
            });
        }
        this.ends = [
            subscribe(this.address, (now) => this.take(now)),
            subscribe(`played ${this.address}`, (now) => this.showPlayed?.(now)),
            subscribe("state bindings", () => {
                this.mark();
                this.ghost?.();
            }),
            subscribe("state locks", () => this.mark()),
            subscribe("state learn", () => this.mark()),
            subscribe("state held", () => this.mark()),
            subscribe("hands", () => this.ghost?.()),
        ];
        this.mark();
        this.draw(value(this.address));
        looked.observe(this);
    }

    disconnectedCallback() {
        for (const end of this.ends || []) end();
        this.ends = [];
        looked.unobserve(this);
        away.delete(this);
        late.delete(this);
    }

    /** A value came: shown at once where it is seen. */
    take(now) {
        if (!away.has(this)) {
            this.draw(now);
            return;
        }
        late.add(this);
        timer ||= setTimeout(drawLate, LATER);
    }

    draw(now) {
        const p = this.p;
        if (!p || now === undefined) return;
        if (!this.reading.hidden) {
            const text = shown(p, now);
            if (text !== this.words.data) this.words.data = text;
        }
        this.show(now);
    }

    mark() {
        const bound = state.bindings.all.filter((b) => b.to === this.address);
        const locked = state.locks.some((lock) => this.address === lock || this.address.startsWith(`${lock}/`));
        this.badge.textContent = [locked ? "\u{1F512}\uFE0E" : "", ...bound.slice(0, 1).map((b) => b.control)].join(" ").trim();
        this.classList.toggle("learning", state.learn.includes(this.address));
        const others = (state.held[this.address] || []).filter((number) => number !== me.you);
        this.classList.toggle("held", others.length > 0);
        if (others.length) this.badge.textContent = `\u270B ${state.clients.find((c) => c.you === others[0])?.name || "another page"}`;
        this.bound = bound;
    }

    /** A touch while learning: the next knob that moves is this one's. Returns whether it was one. */
    learned() {
        if (!learning.on || inert()) return learning.on;
        if (learning.pending?.startsWith("osc ")) call("/osc/learn", this.address, learning.pending.slice(4));
        else call("/midi/learn", this.address);
        learning.pending = null;
        tell("redraw");
        return true;
    }

    /** Where the hardware's fader is, 0..1, while it waits to be picked up; undefined: nowhere. */
    hand() {
        return meterHands(this.bound);
    }
}
