// A command: a button, or a button and a row of fields for what it needs.
import { guarded } from "../gestures.js";
import { call, commands } from "../store.js";
import { make } from "./control.js";

const HELD = /^\/(quit|panic|take\/stop)$|\/(delete|clear)$/;     // what ends or takes away has to be held

class Command extends HTMLElement {
    setup(address) {
        this.address = address;
        this.dataset.command = address;
        return this;
    }

    connectedCallback() {
        if (this.built) return;
        this.built = true;
        const declared = commands.get(this.address);
        this.classList.add("command");
        this.title = declared.about;
        this.fields = declared.arguments.map((name, n) => {
            const field = make("input", "argument");
            field.placeholder = n < declared.needed ? name : `${name}?`;
            field.setAttribute("aria-label", `${this.address} ${name}`);
            field.addEventListener("keydown", (event) => event.key === "Enter" && this.fire());
            return field;
        });
        const button = make("button", "fire", this.address);
        button.setAttribute("aria-label", this.address);
        if (HELD.test(this.address)) guarded(button, () => this.fire());
        else {
            button.addEventListener("pointerdown", (event) => event.button || this.fields.length || this.fire());
            button.addEventListener("click", (event) => (event.detail === 0 || this.fields.length) && this.fire());
        }
        this.append(button, ...this.fields, make("span", "about", declared.about.split("\n")[0]));
    }

    fire() {
        const given = this.fields.map((field) => field.value.trim());
        while (given.length && given.at(-1) === "") given.pop();
        call(this.address, ...given.map((word) => (word !== "" && Number.isFinite(Number(word)) ? Number(word) : word)));
    }
}

customElements.define("lj-command", Command);
