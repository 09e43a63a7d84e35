// What a phone has no room for: all views, and the keys of the transport that are not below it.
import { row, show as showSheet, closeSheet } from "./sheet.js";
import { call, state } from "./store.js";

export const SMALL = ["play", "all", "bend", "latent"];         // tabs of a phone
const KEYS = [["Tap the tempo", "/tempo/tap"], ["A / B", "/compare"], ["Record a take", "/take/record"], ["Record a video", "/video/record"], ["Keep a still", "/still"],
    ["Gesture", "/gesture"], ["No gesture", "/gesture/stop"]];

function tile(text, about, act, name) {
    const found = document.createElement("button"), small = document.createElement("small");
    small.textContent = about;
    found.append(text, small);
    found.className = name;
    found.addEventListener("click", act);
    return found;
}

/** Open the sheet of all views. show(name): goes to one. */
export function openMore(show, views) {
    const tiles = row(...views.map((one) => tile(one.label, one.about || "", () => show(one.name), "tile")));
    tiles.classList.add("tiles");
    const keys = KEYS.map(([text, command]) => command === "/take/record" && state.take.recording ? ["End the take", "/take/stop"] : [text, command]);
    const more = row(...keys.map(([text, command]) => tile(text, "", () => { call(command); if (command !== "/tempo/tap") closeSheet(); }, "key")),
        tile("Lock the page", "", () => { closeSheet(); document.querySelector(".tool.lock").click(); }, "key"), tile("Dim it", "", () => { closeSheet(); document.querySelector(".tool.dim").click(); }, "key"));
    more.classList.add("tiles");
    showSheet("More", "", tiles, more).classList.add("moresheet");
}
