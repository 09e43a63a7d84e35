// A fader: relative drag, double tap = default, hold = its sheet. Fill: the value set; line: played; triangle: the hardware's.
import * as curves from "../curves.js";
import { watch } from "../gestures.js";
import { openSheet } from "../sheet.js";
import { grab, inert, isModulated, release, set, value } from "../store.js";
import { Control, make } from "./control.js";

const STEPS = { ArrowUp: 0.01, ArrowRight: 0.01, ArrowDown: -0.01, ArrowLeft: -0.01, PageUp: 0.1, PageDown: -0.1 };

class Fader extends Control {
    build() {
        this.setAttribute("role", "slider");
        this.setAttribute("tabindex", "0");
        this.setAttribute("aria-label", this.address);
        this.setAttribute("aria-orientation", this.upright ? "vertical" : "horizontal");
        this.fill = make("span", "fill");
        this.line = make("span", "played");
        this.mark2 = make("span", "ghost");
        this.zero = make("span", "zero");
        this.track = make("span", "track", this.fill, this.zero, this.line, this.mark2);
        this.append(this.track);
        watch(this, {
            down: () => {
                if (this.learned()) return;
                this.holding = true;
                this.at = curves.normalized(this.p, value(this.address));
                if (!inert()) grab(this.address);
            },
            drag: (by) => this.drag(by),
            up: () => {
                if (this.holding && !inert()) release(this.address);
                this.holding = false;
            },
            double: () => this.holding !== undefined && !inert() && set(this.address, this.p.default),
            hold: () => openSheet(this.address),
        }, this.upright);
        this.addEventListener("keydown", (event) => this.key(event));
        this.addEventListener("wheel", (event) => {
            if (!event.ctrlKey && Math.abs(event.deltaY) >= Math.abs(event.deltaX) && (this.upright || event.shiftKey)) {
                event.preventDefault();
                this.move(event.deltaY < 0 ? 0.01 : -0.01);
            }
        }, { passive: false });
    }

    drag(by) {
        if (!this.holding || inert()) return;
        this.at = this.p.curve === "circular" ? ((this.at + by) % 1 + 1) % 1 : Math.min(1, Math.max(0, this.at + by));
        set(this.address, curves.plain(this.p, this.at));
    }

    move(by) {
        const now = value(this.address);
        const next = curves.moved(this.p, now, by);
        const step = this.p.step && next === now ? Math.sign(by) * this.p.step : 0;
        set(this.address, step ? curves.clamp(this.p, now + step) : next);
    }

    key(event) {
        const step = STEPS[event.key];
        if (step) this.move(step);
        else if (event.key === "Home") set(this.address, this.p.low);
        else if (event.key === "End") set(this.address, this.p.high);
        else if (event.key === "Enter") openSheet(this.address);
        else if (event.key === "Delete") set(this.address, this.p.default);
        else return;
        event.preventDefault();
        event.stopPropagation();
    }

    show(now) {
        const p = this.p;
        if (this.ranged !== p) this.range(p);
        const at = curves.normalized(p, now), low = Math.min(at, this.from).toFixed(4), size = Math.abs(at - this.from).toFixed(4);
        if (this.low !== low) this.fill.style.setProperty("--low", this.low = low);
        if (this.size !== size) this.fill.style.setProperty("--size", this.size = size);
        this.setAttribute("aria-valuenow", Number(now));
        this.setAttribute("aria-valuetext", this.words.data);
        if (this.line.hidden === isModulated(this.address)) this.line.hidden = !this.line.hidden;
        if (this.bound?.length) this.ghost(at);
    }

    /** What stays as long as the declaration does. */
    range(p) {
        this.ranged = p;
        this.from = p.low < 0 && p.high > 0 ? curves.normalized(p, 0) : 0;
        this.zero.hidden = !this.from;
        this.zero.style.setProperty("--low", this.from.toFixed(4));
        this.mark2.hidden = true;
        this.setAttribute("aria-valuemin", p.low);
        this.setAttribute("aria-valuemax", p.high);
    }

    showPlayed(now) {
        if (this.line.hidden) this.line.hidden = !isModulated(this.address);
        this.line.style.setProperty("--low", curves.normalized(this.p, now).toFixed(4));
    }

    ghost(at = curves.normalized(this.p, value(this.address))) {
        const hand = this.hand();
        const away = hand !== undefined && Math.abs(hand - at) > 0.02;
        this.mark2.hidden = !away;
        if (!away) return;
        this.mark2.style.setProperty("--low", hand.toFixed(4));
        this.mark2.textContent = (hand < at) === Boolean(this.upright) ? "\u25B2" : "\u25BC";
        if (!this.upright) this.mark2.textContent = hand < at ? "\u25B6" : "\u25C0";
    }
}

customElements.define("lj-fader", Fader);
