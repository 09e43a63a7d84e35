// A small picture that moves: fetched one after the other while it is seen, so that nothing is drawn for nobody.
import { link } from "./link.js";

const EVERY = 200;                  // ms from one to the next
const AGAIN = 1500;                 // ms after one that did not come

export class Moving {
    /** name: what it shows, for those who can't see it. address(): where it is, null while there is none. */
    constructor(name, address) {
        this.address = address;
        this.canvas = document.createElement("canvas");
        this.canvas.className = "moving";
        this.canvas.setAttribute("role", "img");
        this.canvas.setAttribute("aria-label", name);
        this.canvas.hidden = true;
        this.number = 0;
        this.look();
        document.addEventListener("visibilitychange", () => this.look());
    }

    /** Go on, if it is seen. */
    look() {
        clearTimeout(this.timer);
        if (this.busy) return;
        const address = this.address();
        const wanted = address && link.open && !document.hidden && this.canvas.parentElement?.getClientRects().length;
        if (wanted) this.fetch(address);
        else {
            this.canvas.hidden = !address;
            this.timer = setTimeout(() => this.look(), 500);
        }
    }

    async fetch(address) {
        this.busy = true;
        const started = performance.now();
        let wait = AGAIN;
        try {
            const answer = await fetch(address);
            if (answer.ok) {
                this.draw(await createImageBitmap(await answer.blob()));
                wait = EVERY - (performance.now() - started);
            } else this.canvas.hidden = true;
        } catch { /* away: the link says so */ }
        this.busy = false;
        this.timer = setTimeout(() => this.look(), Math.max(20, wait));
    }

    draw(picture) {
        const { canvas } = this;
        if (canvas.width !== picture.width || canvas.height !== picture.height) Object.assign(canvas, { width: picture.width, height: picture.height });
        canvas.getContext("2d").drawImage(picture, 0, 0);
        picture.close();
        canvas.hidden = false;
        canvas.dataset.number = this.number += 1;
    }
}
