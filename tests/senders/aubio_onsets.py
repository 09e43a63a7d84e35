"""What aubio hears in a WAV file, as JSON: a program of its own, for aubio is GPL and no part of this project.

    python tests/senders/aubio_onsets.py song.wav
"""
import json
import sys
import time
import wave

import aubio
import numpy as np

HOP, WINDOW = 512, 1024

with wave.open(sys.argv[1]) as file:
    rate = file.getframerate()
    samples = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.float32) / 32768
onset, tempo = aubio.onset("hfc", WINDOW, HOP, rate), aubio.tempo("default", WINDOW, HOP, rate)
onsets, beats, start = [], [], time.thread_time()
for at in range(0, len(samples) - HOP, HOP):
    block = samples[at:at + HOP]
    if onset(block)[0]:
        onsets.append((at + HOP) / rate)             # when it is known, as ours is counted
    if tempo(block)[0]:
        beats.append(tempo.get_last_s())
hops = max(len(samples) // HOP, 1)
print(json.dumps({"onsets": onsets, "beats": beats, "tempo": float(tempo.get_bpm()), "ms_a_hop": (time.thread_time() - start) / hops * 1000}))
