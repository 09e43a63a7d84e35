// Where hands are elsewhere: the newest value of each control that moved, and what nothing is bound to.
import { tell } from "./store.js";

const AWAY = 3000;                  // ms of silence after which a control counts as new again
export const hands = new Map();     // control -> {value, bound, at, count}

/** Take down what moved. */
export function heard(moved) {
    for (const [control, [value, bound]] of Object.entries(moved)) {
        const known = hands.get(control) || { count: 0, at: -AWAY - 1 }, now = performance.now();
        if (now - known.at > AWAY) hands.delete(control);       // to the top; what moves keeps its place, so that a finger finds it
        hands.set(control, { value, bound, at: now, count: known.count + 1 });
        if (!bound && (known.bound || now - known.at > AWAY)) tell("unbound", control);
    }
    while (hands.size > 200) hands.delete(hands.keys().next().value);
}

/** Return where the first of these bindings' controls is, 0..1, or undefined. */
export function meterHands(bindings) {
    for (const binding of bindings || []) {
        for (const [control, hand] of hands) {
            if ((control === binding.control || control.startsWith(`${binding.control} @ `)) && typeof hand.value === "number" && !control.startsWith("osc ")) return hand.value;
        }
    }
    return undefined;
}
