// The page: tabs, the view that is open, picture, transport; what the show says goes to the store.
import { link } from "./link.js";
import { openMore, SMALL } from "./more.js";
import { heard as handsMoved } from "./hands.js";
import { closeSheet, learn, learning } from "./sheet.js";
import { takeDrops } from "./photographs.js";
import * as store from "./store.js";
import { drawSide } from "./side.js";
import { drawTransport, keys } from "./transport.js";
import { VIEWS } from "./views/list.js";

const view = document.getElementById("view"), band = document.getElementById("band");
const TRIES = 8;                    // for a picture that is not there yet
let open = null;
let session = null;
let saidTimer = 0;

function tabs() {
    const list = document.createElement("div");
    list.className = "views";
    list.setAttribute("role", "tablist");
    list.setAttribute("aria-label", "views");
    list.append(...VIEWS.map((one) => {
        const tab = document.createElement("button");
        tab.id = `tab-${one.name}`;
        tab.textContent = one.label;
        tab.title = one.about || "";
        tab.setAttribute("role", "tab");
        tab.setAttribute("aria-controls", "view");
        tab.addEventListener("click", () => show(one.name));
        return tab;
    }));
    const more = document.createElement("button");
    more.id = "more";
    more.textContent = "More";
    more.addEventListener("click", () => openMore(show, VIEWS));
    document.getElementById("tabs").replaceChildren(list, more, tool("lock", "Lock", lock), tool("dim", "Dim", dim));
}

function lock() {
    store.me.locked = !store.me.locked;
    stand();
}

function dim() {
    document.body.classList.toggle("dim");
}

function tool(name, text, act) {
    const found = document.createElement("button");
    found.className = `tool ${name}`;
    found.textContent = text;
    found.addEventListener("click", () => {
        act();
        found.setAttribute("aria-pressed", document.body.classList.contains(name === "lock" ? "locked" : "dim"));
    });
    found.setAttribute("aria-pressed", "false");
    return found;
}

/** Open a view by its name. */
export function show(name) {
    const next = VIEWS.find((one) => one.name === name) || VIEWS[0];
    if (open === next) return;
    closeSheet();
    open?.leave?.();
    open = next;
    view.className = `view-${next.name}`;
    view.setAttribute("aria-label", next.label);
    view.replaceChildren();
    delete view._$litPart$;
    for (const one of VIEWS) {
        const tab = document.getElementById(`tab-${one.name}`);
        tab.setAttribute("aria-selected", one === next);
        tab.tabIndex = one === next ? 0 : -1;
    }
    document.getElementById("more").textContent = SMALL.includes(next.name) ? "More" : next.label;
    document.getElementById("more").classList.toggle("chosen", !SMALL.includes(next.name));
    if (location.hash !== `#${next.name}`) history.replaceState(null, "", `#${next.name}`);
    open.enter?.(view);
    draw();
    view.scrollTop = 0;
}

let drawing = 0;
function draw() {
    if (drawing) return;
    drawing = requestAnimationFrame(() => {
        drawing = 0;
        if (store.parameters.size) open?.draw(view);
    });
}

function stand() {
    document.body.classList.toggle("away", !link.open);
    document.body.classList.toggle("locked", store.me.locked);
    document.body.classList.toggle("watch", store.me.role !== "play");
    const words = !link.open ? "The show is away. Nothing you touch is kept." : store.me.role !== "play" ? "You watch. This page has no hand in the show."
        : store.me.locked ? "Locked. Tap Lock to play." : "";
    if (words || !band.classList.contains("said")) band.textContent = words;
    for (const part of [view, document.getElementById("transport"), document.getElementById("side")]) part.inert = !link.open;
}

/** Say something on the band for a while. */
function say(text) {
    clearTimeout(saidTimer);
    band.textContent = text;
    band.classList.add("said");
    saidTimer = setTimeout(() => {
        band.classList.remove("said");
        stand();
    }, 6000);
}

link.hear = {
    hello(said) {
        if (session && session !== said.session) {
            location.reload();
            return;
        }
        session = said.session;
        Object.assign(store.me, { role: said.role, you: said.you, instrument: said.instrument, fps: said.fps });
        document.title = `${said.instrument} \u2013 Latent Jockey`;
        store.forget();
        stand();
    },
    refused(said) { say(said.why); },
    tree(said) {
        store.grow(said);
        draw();
    },
    state(said) {
        delete said.t;
        Object.assign(store.state, said);
        if (said.instrument?.name) document.title = `${said.instrument.name} \u2013 Latent Jockey`;
        for (const key of Object.keys(said)) store.tell(`state ${key}`, said[key]);
        draw();
    },
    meter(said) {
        Object.assign(store.meter, said);
        store.tell("meter", said);
    },
    hands(said) {
        handsMoved(said.hands);
        store.tell("hands", said.hands);
    },
    log(said) {
        store.log.unshift({ ...said, at: new Date() });
        store.log.length = Math.min(store.log.length, 100);
        store.tell("log", said);
        if (!said.old) say(said.text);
    },
};
link.values = store.receive;
link.changed = () => {
    stand();
    store.tell("open", link.open);
    draw();
};
store.subscribe("said", say);
store.subscribe("redraw", draw);
store.subscribe("unbound", () => {          // it arrives, and plays nothing: the way there is shown, once
    const tab = ["tab-map", "more"].map((id) => document.getElementById(id)).find((one) => one.offsetParent);
    if (!tab) return;
    tab.classList.remove("pulse");
    void tab.offsetWidth;
    tab.classList.add("pulse");
});
document.addEventListener("load", (event) => event.target.classList.remove("missing"), true);
document.addEventListener("error", (event) => {         // a picture that is not there yet leaves no torn corner, and is asked for again
    const picture = event.target, tries = Number(picture.dataset?.tries || 0) + 1;
    if (picture.localName !== "img") return;
    picture.classList.add("missing");
    picture.dataset.tries = tries;
    if (tries < TRIES) setTimeout(() => { if (picture.isConnected) picture.src = picture.getAttribute("src"); }, 1000 * tries);
}, true);
store.subscribe("learning", draw);
store.subscribe("favourites", draw);

async function enter() {
    const token = location.hash.slice(1);
    if (token.length < 8 && VIEWS.some((one) => one.name === token)) return;
    if (!token || VIEWS.some((one) => one.name === token)) return;
    history.replaceState(null, "", location.pathname);
    const answer = await fetch("/api/enter", { method: "POST", body: token });
    if (!answer.ok) say(answer.status === 429 ? "Too many wrong tokens. Wait a minute." : "The token in this address is wrong. Ask for it anew.");
}

document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
        closeSheet() || learning.on && learn(false);
        return;
    }
    if (event.target.closest("input, textarea, select") || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "/") {
        event.preventDefault();
        show("all");
        requestAnimationFrame(() => document.getElementById("search")?.focus());
        return;
    }
    if (event.target.closest("#tabs") && ["ArrowDown", "ArrowUp", "ArrowLeft", "ArrowRight"].includes(event.key)) {
        const by = ["ArrowDown", "ArrowRight"].includes(event.key) ? 1 : -1;
        const next = VIEWS[(VIEWS.indexOf(open) + by + VIEWS.length) % VIEWS.length];
        event.preventDefault();
        show(next.name);
        document.getElementById(`tab-${next.name}`).focus();
        return;
    }
    keys(event);
});
document.addEventListener("contextmenu", (event) => event.target.closest("input") || event.preventDefault());
addEventListener("hashchange", () => enter().finally(() => show(location.hash.slice(1) || open.name)));        // an address typed or followed in an open page

tabs();
drawSide(document.getElementById("side"));
drawTransport(document.getElementById("transport"));
takeDrops();
enter().finally(() => {
    show(location.hash.slice(1) || "play");
    stand();
    link.connect();
});
