"""Play a WAV file to whoever listens on a JACK server (JACK_DEFAULT_SERVER), once a line has come on stdin. A program by itself, as any player is.

    python tests/senders/jack_player.py song.wav
"""
import sys
import threading
import wave

import numpy as np
import sounddevice

BLOCK = 512


def play(path):
    """Open the output, wait for the word, play to the end."""
    with wave.open(path) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.float32) / 32768
        rate = file.getframerate()
    going, over, place = threading.Event(), threading.Event(), 0

    def fill(out, count, time, status):
        nonlocal place
        part = samples[place:place + count] if going.is_set() else samples[:0]
        out[:len(part), 0], out[len(part):] = part, 0.0
        place += len(part)
        if place >= len(samples):
            over.set()

    with sounddevice.OutputStream(samplerate=rate, channels=1, blocksize=BLOCK, dtype="float32", latency="low", callback=fill):
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        sys.stdin.readline()
        going.set()
        over.wait()


if __name__ == "__main__":
    play(sys.argv[1])
