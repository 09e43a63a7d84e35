// What is being made now, and what could not be: a row a job.
import { html } from "../../vendor/lit-html/lit-html.js";
import { repeat } from "../../vendor/lit-html/directives/repeat.js";
import { state } from "../../store.js";
import { stopJob } from "./ask.js";

const WORDS = { solve: "solving", find: "finding parts of", rename: "naming" };
const hidden = new Set();           // failed jobs that were looked at
const bars = new Map();

function bar(number, at) {
    if (!bars.has(number)) bars.set(number, document.createElement("i"));
    bars.get(number).style.setProperty("--at", at);
    return bars.get(number);
}

function row(one, redraw) {
    const failed = one.state === "failed";
    const act = failed ? () => { hidden.add(one.id); redraw(); } : () => stopJob(one.id);
    return html`<div class="job ${one.state}" role="status"><b>${failed ? "" : WORDS[one.kind] || one.kind} ${one.name}</b><small>${one.stage}</small>
        <span class="progress">${bar(one.id, failed ? 0 : one.at)}</span><button aria-label=${failed ? "seen" : `stop ${one.name}`} @click=${act}>${failed ? "OK" : "Stop"}</button></div>`;
}

/** Return rows of the jobs that run, wait, or went wrong. */
export function jobs(redraw = () => {}) {
    const shown = (state.jobs || []).filter((one) => ["waits", "runs"].includes(one.state) || one.state === "failed" && one.stage !== "stopped" && !hidden.has(one.id)).slice(0, 3);
    return shown.length ? html`<div class="jobrows">${repeat(shown, (one) => one.id, (one) => row(one, redraw))}</div>` : "";
}
