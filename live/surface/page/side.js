// Beside every view: the picture, how the show is doing, the cued look.
import { html, render } from "./vendor/lit-html/lit-html.js";
import { link } from "./link.js";
import { Moving } from "./moving.js";
import { Preview } from "./preview.js";
import { call, meter, state, subscribe } from "./store.js";
import { cuedPicture, thumb } from "./pictures.js";

const small = matchMedia("(max-width: 699px)");
const coming = new Moving("the cued look", cuedPicture);
let goAt = 0;

function go() {
    const now = performance.now();
    if (now - goAt < 1000) return;
    goAt = now;
    call("/preset/go");
}

function lamp(name, on, text) {
    return html`<span class="lamp ${on ? "on" : ""}" title=${text}>${name}</span>`;
}

function figures() {
    const late = meter.late || 0, frame = meter.frame_ms || {};
    return html`
        <span class="fps ${meter.fps < 0.8 * (meter.wanted || 0) ? "bad" : ""}"><b>${(meter.fps || 0).toFixed(1)}</b> fps</span>
        <span>p99 <b>${Math.round(frame.p99 || 0)}</b> ms</span>
        <span class=${late ? "warn" : ""}>late <b>${late}</b></span>
        <span><b>${meter.size || 0}</b> px</span>
        <span>touch <b>${Math.round(meter.control_ms?.web ?? meter.control_ms?.osc ?? 0)}</b> ms</span>
        <span>link <b>${Math.round(link.lag)}</b> ms</span>
        ${lamp("osc", meter.control_ms?.osc !== undefined, "OSC came")} ${lamp("midi", ["cc", "note", "bend"].some((k) => meter.control_ms?.[k] !== undefined), "MIDI came")}
        ${state.source?.name ? html`<span class="lamp ${state.source.state === "live" ? "on" : "bad"}" title=${`${state.source.name} ${state.source.reason || state.source.state}`}>source</span>` : ""}`;
}

function cue() {
    const { cued, current, names } = state.presets;
    const next = cued || names[(names.indexOf(current) + 1) % (names.length || 1)];
    return html`
        <span class="cuepic">${next && state.thumbs[next] ? html`<img alt="" src=${thumb(next)}>` : ""}${coming.canvas}</span>
        <span class="cuename"><small>${cued ? "cued" : "next"}</small>${next || "none"}</span>
        <button class="go" @pointerdown=${go} @click=${(e) => e.detail === 0 && go()}>GO</button>`;
}

/** Draw what lies beside the views. */
export function drawSide(side) {
    side.replaceChildren();
    const canvas = document.createElement("canvas");
    canvas.id = "preview";
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", "the picture that plays");
    const screen = document.createElement("div"), numbers = document.createElement("div"), cued = document.createElement("div");
    screen.className = "screen";
    screen.append(canvas);
    numbers.className = "figures";
    cued.className = "cue";
    side.append(screen, numbers, cued);
    const preview = new Preview(canvas, small.matches ? 256 : 512, 15);
    subscribe("open", () => preview.look());
    subscribe("meter", () => render(figures(), numbers));
    for (const what of ["state presets", "state thumbs"]) subscribe(what, () => {
        render(cue(), cued);
        coming.look();
    });
    subscribe("state morph", () => cued.style.setProperty("--at", state.morph.to ? state.morph.at : 0));
}
