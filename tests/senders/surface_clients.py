"""Pages without a browser: so many watch a show and each moves a fader, whenever they are told to.

    python tests/senders/surface_clients.py --port 9080 --count 4

Reads lines from standard input: on, off. Answers each with a line of JSON: how many pictures came since the last, how many bytes,
and how many messages of the control socket.
"""
import argparse
import asyncio
import json
import struct
import sys

import websockets

HEAD = struct.Struct(">QdHH")
TOPICS = ["meter", "hands", "log", "played"]


def osc(address, value):
    """Return an OSC message of one float."""
    padded = lambda data: data + b"\0" * (4 - len(data) % 4)
    return padded(address.encode()) + padded(b",f") + struct.pack(">f", value)


class Client:
    """One page: pictures are acknowledged as they come; a fader goes up and down `rate` times a second."""

    def __init__(self, options, number, counts):
        self.options, self.number, self.counts = options, number, counts

    async def live(self):
        """Until it is cancelled."""
        base = f"ws://127.0.0.1:{self.options.port}"
        async with websockets.connect(f"{base}/ws", max_size=None) as control, \
                websockets.connect(f"{base}/preview?size={self.options.size}&fps={self.options.fps}", max_size=None) as preview:
            await control.send(json.dumps({"t": "watch", "topics": TOPICS}))
            await asyncio.gather(self._hear(control), self._look(preview), self._move(control))

    async def _hear(self, control):
        async for _ in control:
            self.counts["messages"] += 1

    async def _look(self, preview):
        async for data in preview:
            self.counts["pictures"] += 1
            self.counts["bytes"] += len(data)
            await preview.send(json.dumps({"seen": HEAD.unpack_from(data)[0]}))

    async def _move(self, control):
        for step in range(1 << 30):
            await control.send(osc(f"/macro/{self.number + 1}", (step % 100) / 100))
            await asyncio.sleep(1 / self.options.rate)


async def main(options):
    """Do as standard input says until it ends."""
    loop, counts, living = asyncio.get_running_loop(), dict.fromkeys(("pictures", "bytes", "messages"), 0), []
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        for task in living:
            task.cancel()
        await asyncio.gather(*living, return_exceptions=True)
        living = [asyncio.create_task(Client(options, n, counts).live()) for n in range(options.count)] if line.strip() == "on" else []
        sys.stdout.write(json.dumps(counts) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--count", type=int, default=4)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--fps", type=int, default=30)
    parser.add_argument("--rate", type=float, default=60.0)
    asyncio.run(main(parser.parse_args()))
