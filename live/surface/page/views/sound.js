// Sound: what is heard, what hits have to pass, the tempo; three touches bind a parameter to a band.
import { html, render } from "../vendor/lit-html/lit-html.js";
import { control } from "../controls/make.js";
import { freshName } from "../sheet.js";
import { call, parameters, state, subscribe, value } from "../store.js";

const LEVELS = ["low", "mid", "high", "level", "brightness"];
const HITS = ["kick", "snare", "hat"];
const NOTES = ["C", "C\u266F", "D", "D\u266F", "E", "F", "F\u266F", "G", "G\u266F", "A", "A\u266F", "B"];
const OFTEN = /^\/(truncation|noise\/strength|walk\/speed|bends\/[^/]+\/mix|edits\/[^/]+\/strength|source\/mix)$/;
const SHAPES = { kick: "hit", snare: "hit", hat: "hit", onset: "hit" };       // of a source; all else is followed
const AMOUNTS = [0.1, 0.25, 0.5, 1, -0.25, -0.5];
let timer = 0;
let target = "";
let band = "";
let typed = null;                    // a name or a file that is being written; null: no field is open
let end = null;
let stood = "";

function bar(name) {
    return html`<div class="level" data-level=${name}><span>${name}</span><i class="meter"></i></div>`;
}

function paint() {
    for (const box of document.querySelectorAll(".sound [data-level]")) box.style.setProperty("--at", value(`/audio/${box.dataset.level}`).toFixed(3));
    for (const box of document.querySelectorAll(".sound [data-hit]")) {
        const n = HITS.indexOf(box.dataset.hit);
        box.style.setProperty("--fire", value(`/audio/${box.dataset.hit}`).toFixed(3));
        box.style.setProperty("--at", Math.min(state.audio?.strengths[n] ?? 0, 1).toFixed(3));
        box.style.setProperty("--pass", Math.min(state.audio?.thresholds[n] ?? 0, 1).toFixed(3));
    }
    const canvas = document.getElementById("spectrum");
    if (!canvas) return;
    const pen = canvas.getContext("2d"), bands = value("/audio/spectrum"), notes = value("/audio/chroma");
    pen.clearRect(0, 0, canvas.width, canvas.height);
    pen.fillStyle = "#f2a900";
    bands.forEach((at, n) => pen.fillRect(12 * n, 96 - 92 * at, 10, 92 * at));
    pen.fillStyle = "#4cc2d6";
    notes.forEach((at, n) => pen.fillRect(400 + 16 * n, 96 - 78 * at, 14, 78 * at));
    pen.fillStyle = "#9aa5b1";
    pen.font = "11px sans-serif";
    if (notes.length) NOTES.forEach((name, n) => pen.fillText(name, 401 + 16 * n, 12));
    const beat = Math.floor(value("/audio/bar") * 4);
    [...document.querySelectorAll(".sound .beat")].forEach((dot, n) => dot.classList.toggle("on", n === beat && value("/audio/confidence") >= 0.3));
}

/** Have the show look which inputs there are. */
function look() {
    call("/audio/inputs");
}

function standing(audio) {
    if (!audio) return "This show does not listen.";
    if (audio.state === "live") return `hears ${audio.input}`;
    return audio.state === "off" ? "Nothing is listened to." : `${audio.state === "lost" ? "lost: " : ""}${audio.reason}`;
}

/** Return the inputs there are, and those that were chosen and are gone: a tap listens. */
function inputs(audio, redraw) {
    const there = [...new Set((audio?.inputs || []).map((one) => one.name))], chosen = audio?.wanted || "none", named = !["none", "system"].includes(chosen);
    const playing = named && audio.state === "live" ? audio.input : "";         // a part of its name is enough to choose one
    const names = named && !there.includes(chosen) && !there.includes(playing) ? [...there, chosen] : there;
    const isOn = (name) => name === chosen || name === playing;
    const listen = (name) => {
        typed = null;
        call("/audio/input", name);
        redraw();
    };
    const lost = audio?.state === "lost" || audio?.state === "waiting";
    const one = (name, text = name) => html`<button class="chip ${isOn(name) ? `on ${audio?.state || ""}` : ""}" aria-pressed=${isOn(name)} @click=${() => listen(name)}>${text}${isOn(name) && lost ? html` <b>${audio.state}</b>` : ""}</button>`;
    return html`<section class="group"><h2>input</h2>
        <p role="status" class=${lost ? "warn" : ""}>${standing(audio)}</p>
        <div class="row inputs" role="group" aria-label="sound inputs">${names.map((name) => one(name, there.includes(name) ? name : name.split(/[\\/]/).pop() || name))}${one("system", "what this machine plays")}${one("none", "nothing")}
            ${typed === null ? html`<button class="chip" @click=${() => { typed = ""; redraw(); }}>a file \u2026</button>`
        : html`<input aria-label="file or name" placeholder="file or name" .value=${typed} @input=${(e) => { typed = e.target.value; }} @keydown=${(e) => e.key === "Enter" && typed && listen(typed)}><button class="cyan" @click=${() => typed && listen(typed)}>Listen</button>`}
            <button class="chip" ?disabled=${audio?.looking} @click=${look}>look again</button></div>
        ${audio?.inputs_problem ? html`<p class="quiet">${audio.inputs_problem}</p>` : ""}</section>`;
}

/** Return an address as people say it. */
function spoken(address) {
    return address.split("/").filter((part) => part && part !== "strength").join(" ");
}

function chips(names, chosen, act, label, more = "") {
    return html`<span class="chips" role="group" aria-label=${label}>${names.map((name) => html`<button class="chip ${name === chosen ? "on" : ""}" aria-pressed=${name === chosen}
        title=${name} @click=${() => act(name)}>${spoken(name)}</button>`)}${more}</span>`;
}

function bind(amount, redraw) {
    const name = freshName(`${band}-${target.split("/").filter(Boolean).join("-")}`.replace(/[^\w.+-]/g, ""));
    call("/modulators/add", name, target, SHAPES[band] || "follow", amount, `/audio/${band}`);
    target = band = "";
    redraw();
}

function binding(redraw) {
    const free = [...parameters.keys()].filter((a) => !parameters.get(a).size && !/^\/(output|quality|tempo|audio|modulators|morph|pad|quantise|source\/(signal|picture))/.test(a));
    const often = free.filter((a) => OFTEN.test(a)).slice(0, 12);
    const mine = state.modulators.filter((m) => (m.source || "").startsWith("/audio/"));
    const choose = (a) => { target = a; redraw(); };
    return html`<section class="group bindings"><h2>bind</h2>
        <div class="row"><span class="label">1</span>${chips(often, target, choose, "parameter", html`<select aria-label="other parameter" @change=${(e) => choose(e.target.value)}>
            <option value="">other \u2026</option>${free.map((a) => html`<option ?selected=${a === target && !often.includes(a)}>${a}</option>`)}</select>`)}</div>
        <div class="row"><span class="label">2</span>${chips([...LEVELS, ...HITS, "onset", "beat", "bar"], band, (b) => { band = b; redraw(); }, "band")}</div>
        <div class="row"><span class="label">3</span><span class="chips" role="group" aria-label="amount">${AMOUNTS.map((a) => html`<button class="chip" ?disabled=${!target || !band} @click=${() => bind(a, redraw)}>${a > 0 ? "+" : ""}${a}</button>`)}</span></div>
        <table>${mine.map((m) => html`<tr><td>${spoken(m.target)}</td><td>\u2190 ${m.source.slice(7)}</td><td><button aria-label=${`remove ${m.name}`} @click=${() => call("/modulators/remove", m.name)}>\u2715</button></td></tr>`)}</table></section>`;
}

export const sound = {
    name: "sound",
    label: "Sound",
    about: "what is heard, and what it moves",
    enter() {
        timer = setInterval(paint, 33);
        look();
        const ends = [subscribe("open", look), subscribe("state audio", (audio) => {
            if (audio?.state === stood) return;
            stood = audio?.state;
            look();                     // something was plugged in or pulled
        })];
        end = () => ends.forEach((each) => each());
    },
    leave() {
        clearInterval(timer);
        end();
    },
    draw(root) {
        const audio = state.audio, redraw = () => sound.draw(root);
        const controls = (names) => html`<div class="controls">${names.filter((a) => parameters.has(a)).map((a) => control(a, { under: "/audio", view: "sound" }))}</div>`;
        render(html`<div class="sound">${inputs(audio, redraw)}
            <div class="heard"><div class="levels">${LEVELS.map(bar)}</div>
                <div class="levels">${HITS.map((name) => html`<div class="level hit" data-hit=${name}><span>${name}</span><i class="meter"></i><b></b></div>`)}</div>
                <div class="stack"><canvas id="spectrum" width="592" height="96" role="img" aria-label="spectrum and notes"></canvas>
                    <div class="row"><span class="beats">${[0, 1, 2, 3].map(() => html`<i class="beat"></i>`)}</span><b class="bpm">${value("/audio/tempo") ? value("/audio/tempo").toFixed(1) : "\u2013"}</b> bpm
                        <button @click=${() => call("/tempo/half")}>\u00F72</button><button @click=${() => call("/tempo/double")}>\u00D72</button><button @click=${() => call("/tempo/one")}>one</button><button @click=${() => call("/tempo/tap")}>tap</button></div></div></div>
            ${binding(redraw)}
            <section class="group"><h2>how it listens</h2>${controls([...HITS.map((k) => `/audio/${k}/threshold`), "/audio/sensitivity", "/audio/gain", "/audio/decay", "/audio/smoothing", "/audio/low-tempo", "/tempo/source", "/tempo/ahead"])}</section></div>`, root);
    },
};
