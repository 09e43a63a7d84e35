// Below every view: what is needed within a second, and what ruins a show, apart and guarded.
import { html, render } from "./vendor/lit-html/lit-html.js";
import { guarded } from "./gestures.js";
import { call, meter, state, subscribe, value } from "./store.js";

function press(command) {
    return { down: () => call(command), key: (event) => event.detail === 0 && call(command) };
}

function plain(text, command, name = "", pressed = null) {
    const act = press(command);
    return html`<button class=${name} aria-pressed=${pressed ?? "false"} @pointerdown=${act.down} @click=${act.key}>${text}</button>`;
}

function bar() {
    const black = value("/output/blackout") > 0.5, frozen = value("/output/freeze") > 0.5;
    const beat = Math.floor((meter.beat || 0) % 4);
    const gesture = state.gesture.state || "empty";
    return html`
        ${plain("BLACK", "/blackout", `black ${black ? "on" : ""}`, black)}
        ${plain("FREEZE", "/freeze", `freeze ${frozen ? "on" : ""}`, frozen)}
        <span class="gap"></span>
        ${plain("Undo", "/undo")}${plain("Redo", "/redo")}${plain("A / B", "/compare", "wide")}
        <span class="gap"></span>
        ${plain(html`Tap <b>${(value("/tempo") || 0).toFixed(1)}</b><i class="beats">${[0, 1, 2, 3].map((n) => html`<i class=${n === beat ? "on" : ""}></i>`)}</i>`, "/tempo/tap", "tap wide")}
        <span class="gap wide"></span>
        ${state.take.recording ? html`<button class="rec on wide" id="stop-take" aria-pressed="true">\u25A0 take</button>` : plain("\u25CF take", "/take/record", "rec wide")}
        ${plain(state.take.video ? "\u25A0 video" : "\u25CF video", "/video/record", `rec wide ${state.take.video ? "on" : ""}`, Boolean(state.take.video))}
        ${plain("still", "/still", "rec wide")}
        ${plain(`gesture ${gesture === "empty" ? "" : gesture}`, "/gesture", `wide ${gesture !== "empty" ? "on" : ""}`, gesture !== "empty")}
        ${gesture !== "empty" ? plain("\u2715", "/gesture/stop", "wide thin") : ""}`;
}

/** Draw the transport. */
export function drawTransport(footer) {
    const left = document.createElement("div"), panic = document.createElement("button");
    left.className = "keys";
    panic.className = "panic";
    panic.textContent = "PANIC";
    panic.title = "hold: back to the scene the show began with";
    panic.setAttribute("aria-label", "PANIC, hold");
    guarded(panic, () => call("/panic"));
    footer.append(left, panic);
    const draw = () => {
        render(bar(), left);
        const stop = left.querySelector("#stop-take");
        if (stop && !stop.classList.contains("guarded")) guarded(stop, () => call("/take/stop"));
    };
    for (const what of ["/output/blackout", "/output/freeze", "/tempo", "meter", "state take", "state gesture"]) subscribe(what, draw);
    draw();
}

const KEYS = { " ": "/freeze", b: "/blackout", r: "/seed/random" };

/** The keys of the window, here as well. */
export function keys(event) {
    if (event.repeat || event.target.closest("button, [role=slider], [role=switch], [role=radio], summary") && [" ", "Enter"].includes(event.key)) return;
    if (KEYS[event.key]) {
        event.preventDefault();
        call(KEYS[event.key]);
    } else if (event.key === "f" && document.fullscreenEnabled) {
        document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen();
    } else if ((event.key === "ArrowRight" || event.key === "ArrowLeft") && !event.target.closest("[tabindex='0'], button")) {
        call(event.key === "ArrowRight" ? "/preset/next" : "/preset/previous");
    }
}
