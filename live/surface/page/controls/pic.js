// A picture that the studio draws: asked for when it is seen, and few at a time, so that they never stand before what hands ask for.
const MOST = 3;                     // a browser has six connections to a show
const waiting = [];                 // the newest is asked for first
let flying = 0;

const seen = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
        if (!isIntersecting) continue;
        seen.unobserve(target);
        waiting.push(target.parentElement);
    }
    next();
}, { rootMargin: "100px" });

function next() {
    while (flying < MOST && waiting.length) waiting.pop()?.ask();
}

class Pic extends HTMLElement {
    static observedAttributes = ["src", "label"];

    connectedCallback() {
        if (!this.image) {
            this.image = document.createElement("img");
            this.image.draggable = false;
            for (const kind of ["load", "error"]) this.image.addEventListener(kind, () => this.landed(kind));
            this.append(this.image);
        }
        this.image.alt = this.getAttribute("label") || "";
        this.want();
    }

    attributeChangedCallback() {
        if (this.image && this.isConnected) this.want();
    }

    disconnectedCallback() {
        if (!this.asked) return;
        this.image.removeAttribute("src");
        this.landed("gone");
    }

    want() {
        const wanted = this.getAttribute("src");
        if (wanted === this.there || !wanted) return;
        this.classList.remove("there");
        seen.observe(this.image);
    }

    ask() {
        const wanted = this.getAttribute("src");
        if (!this.isConnected || this.asked || !wanted || wanted === this.there) return;
        this.asked = wanted;
        flying += 1;
        this.image.src = wanted;
    }

    landed(kind) {
        if (!this.asked) return;
        flying -= 1;
        this.there = kind === "load" ? this.asked : "";
        this.asked = "";
        this.classList.toggle("there", kind !== "gone");
        if (kind === "load" && this.there !== this.getAttribute("src")) this.want();
        next();
    }
}

customElements.define("lj-pic", Pic);
