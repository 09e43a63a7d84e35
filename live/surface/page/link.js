// The control socket: OSC packets for values, JSON for the rest; comes back by itself, and plays nothing late.
import * as osc from "./osc.js";

const WAITS = [250, 500, 1000, 2000, 4000];
const SILENT = 12000;               // nothing heard for so long: gone
const ANSWER = 6000;                // a command without an answer
const APART = 8;                    // ms between packets of values: the first goes at once, the newest of the rest follows

class Link {
    constructor() {
        this.open = false;
        this.hear = {};             // kind -> function(message)
        this.values = () => {};     // function(address, value)
        this.changed = () => {};    // called when open changes
        this.lag = 0;
        this._tries = 0;
        this._number = 0;
        this._asked = new Map();
        this._due = new Map();
        this._leaving = false;
        this._sent = -APART;
        addEventListener("online", () => this.again());
        document.addEventListener("visibilitychange", () => document.hidden || this.again());
        setInterval(() => this._look(), 2000);
    }

    connect() {
        const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws`);
        socket.binaryType = "arraybuffer";
        this.socket = socket;
        socket.onopen = () => {
            this._heard = performance.now();
            this.text({ t: "hello", schema: 1, name: this.name || "" }, true);
            this.text({ t: "watch", topics: ["meter", "hands", "log", "played"] }, true);
        };
        socket.onmessage = (event) => this._message(event.data);
        socket.onclose = () => this._gone(socket);
    }

    /** Try at once, if it is away. */
    again() {
        if (this.open || this.socket?.readyState === WebSocket.CONNECTING) return;
        clearTimeout(this._timer);
        this.connect();
    }

    _message(data) {
        this._heard = performance.now();
        if (typeof data !== "string") {
            osc.read(data, this.values);
            return;
        }
        const said = JSON.parse(data);
        if (said.t === "hello") {
            this._tries = 0;
            this._set(true);
        }
        if (said.t === "done") {
            this._asked.get(said.id)?.(said);
            this._asked.delete(said.id);
        } else if (said.t === "pong") this.lag = performance.now() - this._pinged;
        this.hear[said.t]?.(said);
    }

    _gone(socket) {
        if (socket !== this.socket) return;
        this._set(false);
        for (const answer of this._asked.values()) answer({ ok: false, text: "the show is away" });
        this._asked.clear();
        this._due.clear();
        const wait = WAITS[Math.min(this._tries, WAITS.length - 1)] * (0.8 + 0.4 * Math.random());
        this._tries += 1;
        clearTimeout(this._timer);
        this._timer = setTimeout(() => this.connect(), wait);
    }

    _set(open) {
        if (this.open === open) return;
        this.open = open;
        this.changed(open);
    }

    _look() {
        if (!this.open) return;
        if (performance.now() - this._heard > SILENT) {
            this.socket.close();
            this._gone(this.socket);
            return;
        }
        this._pinged = performance.now();
        this.text({ t: "ping", n: 1 });
    }

    text(message, early) {
        if (this.open || early && this.socket.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
    }

    /** Send a value as soon as what sets it is through: all it sets goes as one bundle. The newest of an address counts. */
    value(address, value) {
        if (!this.open) return;
        this._due.set(address, value);
        if (this._leaving) return;
        this._leaving = true;
        const wait = this._sent + APART - performance.now();
        wait > 0 ? setTimeout(() => this.flush(), wait) : queueMicrotask(() => this.flush());
    }

    flush() {
        this._leaving = false;
        if (!this._due.size || !this.open) return;
        const pairs = [...this._due];
        this._due.clear();
        this._sent = performance.now();
        this.socket.send(pairs.length === 1 ? osc.message(...pairs[0]) : osc.bundle(pairs));
    }

    /** Run a command of the show; resolves to {ok, text}. */
    call(command, args) {
        if (!this.open) return Promise.resolve({ ok: false, text: "the show is away" });
        this.flush();
        const id = ++this._number;
        this.text({ t: "call", id, command, arguments: args });
        return new Promise((resolve) => {
            this._asked.set(id, resolve);
            setTimeout(() => {
                if (this._asked.delete(id)) resolve({ ok: false, text: `${command}: no answer` });
            }, ANSWER);
        });
    }
}

export const link = new Link();
