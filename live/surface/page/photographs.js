// Photographs for the show: dropped anywhere on the page, or chosen as files; each becomes a kept latent, and the show goes to the last.
import { inert, tell } from "./store.js";

let sending = 0;

/** Return how many are on their way. */
export function underway() {
    return sending;
}

/** Send photographs to the show, one after the other; what goes wrong is said on the band. */
async function send(files) {
    if (inert()) return;
    for (const file of files) {
        sending += 1;
        tell("redraw");
        try {
            const answer = await fetch(`/api/latents?name=${encodeURIComponent(file.name || "photograph.jpg")}`, { method: "POST", body: file });
            if (!answer.ok) tell("said", `${file.name}: ${(await answer.json()).text}`);
        } catch {
            tell("said", `${file.name}: it did not arrive. Is the show away?`);
        }
        sending -= 1;
        tell("redraw");
    }
}

/** Return the hidden field by which a device offers its pictures, a phone its camera as well. */
export function chooser() {
    const input = document.createElement("input");
    input.type = "file";
    input.accept = "image/*";
    input.multiple = true;
    input.hidden = true;
    input.addEventListener("change", () => {
        send([...input.files]);
        input.value = "";
    });
    return input;
}

/** Take what is dropped on the page. */
export function takeDrops() {
    const holdsFiles = (event) => [...(event.dataTransfer?.types || [])].includes("Files");
    const mark = (on) => document.body.classList.toggle("dropping", on);
    document.addEventListener("dragover", (event) => {
        if (!holdsFiles(event)) return;
        event.preventDefault();
        event.dataTransfer.dropEffect = inert() ? "none" : "copy";
        mark(!inert());
    });
    document.addEventListener("dragleave", (event) => { if (!event.relatedTarget) mark(false); });
    document.addEventListener("drop", (event) => {
        mark(false);
        if (!holdsFiles(event)) return;
        event.preventDefault();
        send([...event.dataTransfer.files]);
    });
}
