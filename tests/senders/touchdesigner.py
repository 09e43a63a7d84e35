"""Send OSC the way TouchDesigner's OSC Out CHOP does: every channel, every frame, as one bundle with a time tag.

    python tests/senders/touchdesigner.py --port 9000 --seconds 5 --verify
    python run_live.py --list-parameters --json > all.json; python tests/senders/touchdesigner.py --parameters all.json

Stands alone: needs neither TouchDesigner nor this project nor an OSC library (so it also checks theirs and ours).
Prints one line of JSON: what was sent and, with --verify, what the instrument says it holds afterwards.
"""
import argparse
import json
import math
import socket
import struct
import sys
import time

NTP_EPOCH = 2208988800              # seconds from 1900 to 1970
CODES = {"f": ">f", "d": ">d", "i": ">i"}
QUIET = 0.25                        # seconds without an answer before what is missing is asked for again


def string(text):
    """An OSC string: ended and padded to a multiple of four."""
    raw = text.encode()
    return raw + b"\0" * (4 - len(raw) % 4)


def message(address, *values, tag="f"):
    """An OSC message with numbers of one type, or strings (tag "s")."""
    arguments = b"".join(string(v) if tag == "s" else struct.pack(CODES[tag], int(v) if tag == "i" else v) for v in values)
    return string(address) + string("," + tag * len(values)) + arguments


def bundle(elements, offset=0.0):
    """An OSC bundle, its time tag `offset` seconds from now."""
    moment = time.time() + NTP_EPOCH + offset
    tag = int(moment) << 32 | int(moment % 1 * (1 << 32))
    return b"#bundle\0" + struct.pack(">Q", tag) + b"".join(struct.pack(">i", len(e)) + e for e in elements)


def bundles(elements, most, offset=0.0):
    """As few bundles of at most `most` bytes as hold the elements (the CHOP's Max Message Bytes)."""
    held, size = [], 16
    for element in elements:
        if held and size + len(element) + 4 > most:
            yield bundle(held, offset)
            held, size = [], 16
        held.append(element)
        size += len(element) + 4
    yield bundle(held, offset)


def value_at(channel, of, frame, low, high):
    """A slow wave in the middle half of the range, every channel a little later than the one before."""
    wave = math.sin(frame / 40 + channel * 6.283 / of)
    value = (low + high) / 2 + (high - low) / 4 * wave
    return struct.unpack(">f", struct.pack(">f", value))[0]


def channels_of(options):
    """[(address, low, high)] of what to move: the file's continuous parameters, or made-up names."""
    if not options.parameters:
        return [(f"/td/chan{i + 1}", 0.0, 1.0) for i in range(options.channels)]
    with open(options.parameters, encoding="utf-8") as file:
        listed = json.load(file)
    found = [(address, p["low"], p["high"]) for address, p in listed.items()
             if not (p.get("choices") or p.get("size") or p.get("step"))]
    return found[:options.channels]


def send(sender, options, channels):
    """Play for options.seconds; returns what was sent."""
    period, count = 1 / options.rate, len(channels)
    sent = {"frames": 0, "datagrams": 0, "messages": 0, "bytes": 0}
    last = {}
    start = due = time.perf_counter()
    while due - start < options.seconds:
        time.sleep(max(0.0, due - time.perf_counter()))
        frame = int((due - start) / period + 0.5)
        last = {a: value_at(i, count, frame, low, high) for i, (a, low, high) in enumerate(channels)}
        samples = {a: [v * k / options.slice for k in range(1, options.slice)] + [v] for a, v in last.items()}
        elements = [message(a, *values, tag=options.type) for a, values in samples.items()]
        packets = elements if options.single else list(bundles(elements, options.max_bytes, options.tag_offset))
        for packet in packets:
            sender.sendto(packet, (options.host, options.port))
        sent["frames"] += 1
        sent["datagrams"] += len(packets)
        sent["messages"] += len(elements)
        sent["bytes"] += sum(map(len, packets))
        due += period
        if time.perf_counter() - due > period:                   # late by more than a frame: that one is skipped
            due += period * int((time.perf_counter() - due) / period)
    seconds = time.perf_counter() - start
    return sent | {"channels": count, "seconds": round(seconds, 3), "rate": round(sent["frames"] / seconds, 2)}, last


def verify(sender, options, channels, last):
    """Ask for every channel's value until it is the one sent last, or the time is up."""
    missing = {a: (last[a], 1e-5 * (high - low)) for a, low, high in channels}
    held, deadline = {}, time.perf_counter() + options.patience
    while missing and time.perf_counter() < deadline:
        for address in list(missing)[:64]:
            sender.sendto(message(address, "?", tag="s"), (options.host, options.port))
        sender.settimeout(QUIET)
        try:
            while missing:
                for address, value in answers(sender.recv(65535)):
                    held[address] = value
                    if address in missing and abs(value - missing[address][0]) <= missing[address][1]:
                        del missing[address]
        except (TimeoutError, ConnectionRefusedError):
            pass
    wrong = {a: {"sent": expected, "held": held.get(a)} for a, (expected, _) in list(missing.items())[:5]}
    return {"verified": len(last) - len(missing), "wrong": wrong}


def answers(datagram):
    """(address, its first number) for each message of an answer, which may be a bundle; NaN for what is no number."""
    if datagram.startswith(b"#bundle\0"):
        at = 16
        while at < len(datagram):
            size, = struct.unpack_from(">i", datagram, at)
            yield from answers(datagram[at + 4:at + 4 + size])
            at += 4 + size
        return
    address, _, _ = datagram.partition(b"\0")
    tags_at = (len(address) | 3) + 1
    kind = chr(datagram[tags_at + 1])
    values_at = tags_at + (datagram.index(0, tags_at) - tags_at | 3) + 1
    value = struct.unpack_from(CODES[kind], datagram, values_at)[0] if kind in CODES else math.nan
    yield address.decode(), value


def parse(arguments):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=9000)
    parser.add_argument("--parameters", metavar="FILE.json", help="move these, as `run_live.py --list-parameters --json` writes them")
    parser.add_argument("--channels", type=int, default=300, help="how many channels at most")
    parser.add_argument("--rate", type=float, default=60.0, help="frames a second")
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--single", action="store_true", help="a packet per channel instead of a bundle per frame")
    parser.add_argument("--type", choices=CODES, default="f", help="Numeric Format: float, double or int")
    parser.add_argument("--slice", type=int, default=1, help="samples per channel and frame (Data Format: Time Slice)")
    parser.add_argument("--max-bytes", type=int, default=65000, help="Max Message Bytes: larger bundles are split")
    parser.add_argument("--tag-offset", type=float, default=0.0, help="seconds the sender's clock is ahead")
    parser.add_argument("--verify", action="store_true", help="ask for the values afterwards")
    parser.add_argument("--patience", type=float, default=10.0, help="seconds to wait for the right answers")
    return parser.parse_args(arguments)


def main(arguments):
    options = parse(arguments)
    channels = channels_of(options)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sent, last = send(sender, options, channels)
        if options.verify:
            sent |= verify(sender, options, channels, last)
    print(json.dumps(sent))
    return 0 if not sent.get("wrong") else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
