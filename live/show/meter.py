"""How the show is going: frame times, late and dropped frames, control-to-frame latency per source.

Keeps fixed-size rings, so a long show needs no more memory than a short one. Reads the clock, prints nothing.
"""
import sys
from array import array

from live.show.clock import now

KEPT = 1 << 15                      # newest figures that percentiles are taken over: 18 minutes at 30 fps


class Ring:
    """The newest KEPT numbers."""

    def __init__(self):
        self.values, self.count, self.largest = array("d", bytes(8 * KEPT)), 0, 0.0

    def add(self, value):
        self.values[self.count % KEPT] = value
        self.count += 1
        self.largest = max(self.largest, value)

    @property
    def newest(self) -> float:
        """The number added last; 0.0 before the first."""
        return self.values[(self.count - 1) % KEPT]

    @property
    def low(self) -> float:
        """The number that a tenth of those kept lie below: a time as it is where nothing else is in the way. 0.0 before the first."""
        return self.percentiles(10).get("p10", 0.0)

    def percentiles(self, *which):
        """Return {"p50": .., "max": ..} in the unit added; empty if nothing was."""
        if not self.count:
            return {}
        ordered = sorted(self.values[:min(self.count, KEPT)])
        found = {f"p{p}": round(ordered[min(len(ordered) - 1, int(len(ordered) * p / 100))], 3) for p in which}
        return found | {"max": round(self.largest, 3)}


class Meter:
    """Filled by the loop; report() may be called from anywhere."""

    def __init__(self, now=now):
        self.now, self.frames, self.failed = now, 0, 0
        self.frame_ms, self.control_ms, self.latency_ms = Ring(), Ring(), {}
        self.began = self.ended = self._tick = 0.0

    def begin(self, tick):
        self._tick = self.now()
        if not self.frames:
            self.began = self._tick

    def end(self, events, failed=False):
        """Note that the frame is out. events: those it answered to."""
        self.ended = moment = self.now()
        self.frames += 1
        self.failed += failed
        self.frame_ms.add((moment - self._tick) * 1000)
        for at, control in {event.at: event.control for event in events if event.at}.items():
            self.count(control.partition(" ")[0], (moment - at) * 1000)      # a bundle's messages came at one moment: counted once

    def count(self, source: str, milliseconds: float):
        """Take down how long a control of this source took to be in a frame."""
        ring = self.latency_ms.get(source)
        if ring is None:
            ring = self.latency_ms[source] = Ring()
        ring.add(milliseconds)
        self.control_ms.add(milliseconds)

    def report(self) -> dict:
        """Return the figures so far, ready for JSON."""
        seconds = self.ended - self.began
        return {
            "frames": self.frames,
            "seconds": round(seconds, 3),
            "fps": round((self.frames - 1) / seconds, 2) if seconds > 0 else 0.0,
            "frame_ms": self.frame_ms.percentiles(50, 95, 99),
            "failed": self.failed,
            "control_to_frame_ms": self.control_ms.percentiles(50, 99) | {
                "by_source": {source: ring.percentiles(50, 99) for source, ring in sorted(self.latency_ms.items())}},
        }


def measure_peak_memory() -> float | None:
    """Return the most memory this process has held so far, in MiB; None where the system does not tell."""
    try:
        import resource
    except ImportError:                                  # Windows
        return None
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(most / (1024 * 1024 if sys.platform == "darwin" else 1024), 1)
