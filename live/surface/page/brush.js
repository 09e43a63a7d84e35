// A picture to paint on: amber where the mask is. What is painted is a PNG of 512 px, white where it counts.
const SIDE = 512;
const KEPT = 10;                    // strokes that can be taken back

export class Brush {
    /** cells: how many cells the layer has across; drawn over the picture, as that is what the network sees. behind(): the mask that counts while nothing is painted here. */
    constructor(cells, behind = null) {
        this.mask = document.createElement("canvas");
        this.view = document.createElement("canvas");
        this.mask.width = this.mask.height = this.view.width = this.view.height = SIDE;
        this.view.setAttribute("role", "application");
        this.view.tabIndex = 0;
        this.pen = this.mask.getContext("2d", { willReadFrequently: true });
        Object.assign(this, { cells, behind, size: 48, erase: false, before: [], empty: true, changed: () => {}, cross: null });
        this.view.addEventListener("pointerdown", (event) => this.down(event));
        this.view.addEventListener("pointermove", (event) => this.finger === event.pointerId && this.line(event));
        for (const kind of ["pointerup", "pointercancel"]) this.view.addEventListener(kind, (event) => this.finger === event.pointerId && this.up());
        this.view.addEventListener("keydown", (event) => this.key(event));
        this.view.addEventListener("blur", () => { this.cross = null; this.draw(); });
        this.draw();
    }

    /** Arrows move a cross by a cell, space and return paint there. */
    key(event) {
        const step = SIDE / this.cells, [dx, dy] = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] }[event.key] || [0, 0];
        const paints = event.key === " " || event.key === "Enter";
        if (!dx && !dy && !paints) return;
        event.preventDefault();
        event.stopPropagation();
        const [x, y] = this.cross || [SIDE / 2, SIDE / 2];
        this.cross = [Math.min(SIDE, Math.max(0, x + dx)), Math.min(SIDE, Math.max(0, y + dy))];
        if (!paints) return this.draw();
        this.remember();
        this.at = null;
        this.stroke(...this.cross);
        this.look();
    }

    down(event) {
        if (event.button || this.finger !== undefined) return;
        this.view.setPointerCapture(event.pointerId);
        this.finger = event.pointerId;
        this.remember();
        this.at = null;
        this.line(event);
    }

    up() {
        this.finger = undefined;
        this.look();
    }

    remember() {
        this.before.push(this.pen.getImageData(0, 0, SIDE, SIDE));
        this.before.splice(0, this.before.length - KEPT);
    }

    line(event) {
        const box = this.view.getBoundingClientRect();
        this.stroke((event.clientX - box.left) / box.width * SIDE, (event.clientY - box.top) / box.height * SIDE);
    }

    stroke(x, y) {
        this.pen.globalCompositeOperation = this.erase ? "destination-out" : "source-over";
        this.pen.strokeStyle = "#ffffff";
        this.pen.lineWidth = this.size;
        this.pen.lineCap = "round";
        this.pen.beginPath();
        this.pen.moveTo(...(this.at || [x, y]));
        this.pen.lineTo(x + 0.01, y);
        this.pen.stroke();
        this.at = [x, y];
        this.empty = false;
        this.draw();
    }

    undo() {
        const picture = this.before.pop();
        if (picture) this.pen.putImageData(picture, 0, 0);
        this.look();
    }

    clear() {
        this.remember();
        this.pen.clearRect(0, 0, SIDE, SIDE);
        this.look();
    }

    /** Take what another was painted with: the layer is another, the painting stays. */
    take(other) {
        this.pen.drawImage(other.mask, 0, 0);
        this.before = other.before;
        this.empty = other.empty;
        this.draw();
    }

    /** See whether anything is painted, and tell. */
    look() {
        const data = this.pen.getImageData(0, 0, SIDE, SIDE).data;
        this.empty = true;
        for (let n = 3; n < data.length && this.empty; n += 4) this.empty = data[n] === 0;
        this.draw();
        this.changed();
    }

    draw() {
        const pen = this.view.getContext("2d"), step = SIDE / this.cells, ghost = this.empty ? this.behind?.() : null;
        pen.clearRect(0, 0, SIDE, SIDE);
        pen.globalAlpha = ghost ? 0.22 : 0.6;
        pen.drawImage(ghost || this.mask, 0, 0);
        pen.fillStyle = "#f2a900";
        pen.globalAlpha = 1;
        pen.globalCompositeOperation = "source-atop";
        pen.fillRect(0, 0, SIDE, SIDE);
        pen.globalCompositeOperation = "source-over";
        pen.globalAlpha = 0.1;
        pen.strokeStyle = "#d7dde4";
        pen.beginPath();
        for (let n = 1; n < this.cells; n += 1) {
            pen.moveTo(n * step, 0);
            pen.lineTo(n * step, SIDE);
            pen.moveTo(0, n * step);
            pen.lineTo(SIDE, n * step);
        }
        pen.stroke();
        pen.globalAlpha = 1;
        if (this.cross) pen.strokeRect(this.cross[0] - this.size / 2, this.cross[1] - this.size / 2, this.size, this.size);
    }

    /** Return the mask as a data URL, white on black. */
    url() {
        return this.urlOf(this.mask);
    }

    urlOf(mask) {
        const flat = document.createElement("canvas");
        flat.width = flat.height = SIDE;
        const pen = flat.getContext("2d");
        pen.fillStyle = "#000000";
        pen.fillRect(0, 0, SIDE, SIDE);
        pen.drawImage(mask, 0, 0);
        return flat.toDataURL("image/png");
    }
}
