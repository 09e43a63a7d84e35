"""What the instrument hears in sound: samples into bands, hits, a tempo and a place in the beat. Numbers only, by numpy.

No clock, no devices: time is counted in samples, so that the same samples mean the same to the bit, live or from a file. What
decides anything is rounded first (ROUNDED), for processors differ in the last bits of a logarithm.
"""
