// The picture, small: JPEGs over a socket of its own, drawn and acknowledged. Closed while the page is hidden.
import { link } from "./link.js";

const SIZES = [128, 256, 384, 512];

export class Preview {
    /** most: the largest picture that is asked for; it is as large as it is drawn. */
    constructor(canvas, most, fps) {
        this.canvas = canvas;
        this.most = most;
        this.fps = fps;
        this.size = 0;
        this.pen = canvas.getContext("2d");
        this.socket = null;
        document.addEventListener("visibilitychange", () => this.look());
        new ResizeObserver(() => this.socket && this.fitting() !== this.size && this.again()).observe(canvas.parentElement);
    }

    /** Return the size of picture that suits the place it is drawn in. */
    fitting() {
        const box = this.canvas.parentElement.getBoundingClientRect();
        const wanted = Math.max(box.width, box.height) * devicePixelRatio;
        return Math.min(SIZES.find((size) => size >= wanted) || SIZES.at(-1), this.most);
    }

    again() {
        this.socket.close();
        this.socket = null;
        this.look();
    }

    /** Open or close the socket, as the page is seen and the show is there. */
    look() {
        const wanted = link.open && !document.hidden;
        if (wanted && !this.socket) this.open();
        else if (!wanted && this.socket) {
            this.socket.close();
            this.socket = null;
        }
    }

    open() {
        this.size = this.fitting();
        const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/preview?size=${this.size}&fps=${this.fps}`);
        socket.binaryType = "arraybuffer";
        this.socket = socket;
        socket.onmessage = (event) => this.draw(socket, event.data);
        socket.onclose = () => {
            if (this.socket === socket) {
                this.socket = null;
                setTimeout(() => this.look(), 1000);
            }
        };
    }

    async draw(socket, data) {
        const head = new DataView(data);
        const number = Number(head.getBigUint64(0)), width = head.getUint16(16), height = head.getUint16(18);
        const picture = await createImageBitmap(new Blob([new Uint8Array(data, 20)], { type: "image/jpeg" }));
        if (this.canvas.width !== width || this.canvas.height !== height) {
            this.canvas.width = width;
            this.canvas.height = height;
        }
        this.pen.drawImage(picture, 0, 0);
        picture.close();
        this.canvas.dataset.number = number;
        if (socket.readyState === WebSocket.OPEN) socket.send(`{"seen": ${number}}`);
    }
}
