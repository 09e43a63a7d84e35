// A picture to paint on: amber where the mask is. What is painted is a PNG of 512 px, opaque where it counts.
export const SIDE = 512;

export class Brush {
    /** cells: how many cells the layer has across; drawn over the picture, as that is what the network sees. */
    constructor(cells) {
        this.mask = document.createElement("canvas");
        this.mask.width = this.mask.height = SIDE;
        this.view = document.createElement("canvas");
        this.view.width = this.view.height = SIDE;
        this.view.setAttribute("role", "img");
        this.view.setAttribute("aria-label", "paint here");
        this.pen = this.mask.getContext("2d");
        this.cells = cells;
        this.size = 48;
        this.erase = false;
        this.before = [];
        this.view.addEventListener("pointerdown", (event) => this.down(event));
        this.view.addEventListener("pointermove", (event) => this.finger === event.pointerId && this.line(event));
        for (const kind of ["pointerup", "pointercancel"]) this.view.addEventListener(kind, () => { this.finger = undefined; });
        this.draw();
    }

    down(event) {
        this.view.setPointerCapture(event.pointerId);
        this.finger = event.pointerId;
        this.before.push(this.pen.getImageData(0, 0, SIDE, SIDE));
        this.before.splice(0, this.before.length - 10);
        this.at = null;
        this.line(event);
    }

    line(event) {
        const box = this.view.getBoundingClientRect();
        const x = (event.clientX - box.left) / box.width * SIDE, y = (event.clientY - box.top) / box.height * SIDE;
        this.pen.globalCompositeOperation = this.erase ? "destination-out" : "source-over";
        this.pen.strokeStyle = this.pen.fillStyle = "#ffffff";
        this.pen.lineWidth = this.size;
        this.pen.lineCap = "round";
        this.pen.beginPath();
        this.pen.moveTo(...(this.at || [x, y]));
        this.pen.lineTo(x + 0.01, y);
        this.pen.stroke();
        this.at = [x, y];
        this.draw();
    }

    undo() {
        const picture = this.before.pop();
        if (picture) this.pen.putImageData(picture, 0, 0);
        this.draw();
    }

    clear() {
        this.before.push(this.pen.getImageData(0, 0, SIDE, SIDE));
        this.pen.clearRect(0, 0, SIDE, SIDE);
        this.draw();
    }

    draw() {
        const pen = this.view.getContext("2d"), step = SIDE / this.cells;
        pen.clearRect(0, 0, SIDE, SIDE);
        pen.globalAlpha = 0.55;
        pen.drawImage(this.mask, 0, 0);
        pen.globalCompositeOperation = "source-in";
        pen.fillStyle = "#f2a900";
        pen.fillRect(0, 0, SIDE, SIDE);
        pen.globalCompositeOperation = "source-over";
        pen.globalAlpha = 0.12;
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
    }

    get empty() {
        return !this.pen.getImageData(0, 0, SIDE, SIDE).data.some((value, n) => n % 4 === 3 && value > 0);
    }

    /** Return the mask as a data URL, white on black. */
    url() {
        const flat = document.createElement("canvas");
        flat.width = flat.height = SIDE;
        const pen = flat.getContext("2d");
        pen.fillStyle = "#000000";
        pen.fillRect(0, 0, SIDE, SIDE);
        pen.drawImage(this.mask, 0, 0);
        return flat.toDataURL("image/png");
    }
}
