// Fingers on a control: drag, double tap, hold. Each pointer is captured by its control, so several play at once.

// As a finger moves. Where a page may, it hears of it at once; else, as over plain http, with the next animation frame.
export const MOVED = "onpointerrawupdate" in window ? "pointerrawupdate" : "pointermove";
export const HOLD = 500;            // ms without moving
export const FAR = 8;               // px that are a movement
export const DOUBLE = 300;          // ms
const TRAVEL = 240;                 // px for the full range
const WIDE = 48;                    // px sideways before it gets finer

/** Watch an element. act: {down, drag(by), up, double, hold}; upright: whether up is more, else right is. */
export function watch(element, act, upright) {
    const fingers = new Map();
    let last = 0;

    element.addEventListener("pointerdown", (event) => {
        if (event.button || event.target.closest("button, input, select") && event.target !== element) return;
        element.setPointerCapture(event.pointerId);
        const finger = { x: event.clientX, y: event.clientY, startX: event.clientX, startY: event.clientY, moved: false };
        finger.timer = setTimeout(() => {
            if (finger.moved) return;
            finger.held = true;
            act.hold?.();
        }, HOLD);
        fingers.set(event.pointerId, finger);
        if (fingers.size === 1) act.down?.();
    });
    element.addEventListener(MOVED, (event) => {
        const finger = fingers.get(event.pointerId);
        if (!finger || finger.held) return;
        const across = Math.hypot(event.clientX - finger.startX, event.clientY - finger.startY);
        if (!finger.moved && across < FAR) return;
        if (!finger.moved) {
            finger.moved = true;
            clearTimeout(finger.timer);
        }
        const along = upright ? finger.y - event.clientY : event.clientX - finger.x;
        const aside = Math.abs(upright ? event.clientX - finger.startX : event.clientY - finger.startY);
        finger.x = event.clientX;
        finger.y = event.clientY;
        const fine = Math.max(0.1, 1 / (1 + Math.max(0, aside - WIDE) / WIDE));
        act.drag?.(along / TRAVEL * fine);
    });
    const end = (event) => {
        const finger = fingers.get(event.pointerId);
        if (!finger) return;
        clearTimeout(finger.timer);
        fingers.delete(event.pointerId);
        if (!fingers.size) act.up?.();
        if (event.type === "pointercancel" || finger.moved || finger.held) return;
        const now = performance.now();
        if (now - last < DOUBLE) {
            last = 0;
            act.double?.();
        } else {
            last = now;
            act.tap?.();
        }
    };
    element.addEventListener("pointerup", end);
    element.addEventListener("pointercancel", end);
}

/** Have a button act only after it was held for a while; a ring fills meanwhile. */
export function guarded(button, act, ms = 600) {
    let timer = 0;
    const stop = () => {
        clearTimeout(timer);
        button.classList.remove("filling");
    };
    const start = () => {
        stop();
        button.classList.add("filling");
        timer = setTimeout(() => {
            stop();
            act();
        }, ms);
    };
    button.classList.add("guarded");
    button.addEventListener("pointerdown", start);
    for (const kind of ["pointerup", "pointerleave", "pointercancel", "blur"]) button.addEventListener(kind, stop);
    button.addEventListener("keydown", (event) => (event.key === "Enter" || event.key === " ") && !event.repeat && start());
    button.addEventListener("keyup", stop);
}

/** Have a hold beside the buttons and fields of an element act. */
export function held(element, act) {
    let timer = 0;
    element.addEventListener("pointerdown", (event) => {
        if (!event.button && !event.target.closest("button, input, select")) timer = setTimeout(act, HOLD);
    });
    for (const kind of ["pointerup", "pointerleave", "pointercancel"]) element.addEventListener(kind, () => clearTimeout(timer));
}
