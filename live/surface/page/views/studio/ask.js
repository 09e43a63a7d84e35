// Asking the studio for work; what is wrong with it is said on the band.
import { inert, tell } from "../../store.js";

async function send(path, method, body) {
    if (inert()) return { ok: false };
    const answer = await fetch(path, { method, body: body && JSON.stringify(body) }).catch(() => null);
    const text = answer?.ok ? "" : (await answer?.json().catch(() => ({})))?.text || "That did not work.";
    if (text) tell("said", text);
    return { ok: Boolean(answer?.ok), text };
}

/** Begin a job; resolves to {ok, text}. */
export const begin = (job) => send("/api/jobs", "POST", job);
export const stopJob = (number) => send(`/api/jobs/${number}`, "DELETE");
export const train = (asked) => send("/api/runs", "POST", asked);
export const stopTraining = (name) => send(`/api/runs/${encodeURIComponent(name)}`, "DELETE");
export const withTraining = (name, act) => send(`/api/runs/${encodeURIComponent(name)}`, "POST", { do: act });
