"""What pages are told as JSON: the tree of parameters and commands, and how the show stands. Reads the show, changes nothing."""
from live.osc.query_tree import find_tags
from live.show.commands import COMMANDS
from live.show.meter import Ring

LATELY = 2.0                        # seconds that the meter looks back
UNSEEN = ("surface", "shared")      # outputs that are not listed: they are how the page and other processes get the picture
SEEDS = 20                          # of the trail


def describe_parameters(scene) -> dict:
    """Return {address: its declaration} of every parameter, as in --list-parameters --json."""
    return {address: {"default": p.default, "low": p.low, "high": p.high, "unit": p.unit, "about": p.about, "curve": p.curve,
                      "step": p.step, "choices": list(p.choices), "size": p.size, "type": find_tags(p, p.default)[0], "words": [list(word) for word in p.words]}
            for address, p in scene.parameters.items()}


def describe_commands() -> dict:
    """Return {address: its declaration} of every command."""
    return {address: {"about": c.about, "arguments": [a for a in c.arguments if a != "on"], "needed": c.needed, "guarded": c.guarded}
            for address, c in sorted(COMMANDS.items())}


def find_tree_changes(before: dict, now: dict) -> tuple[dict, list]:
    """Return (declarations that are new or other than before, addresses that are gone)."""
    return {a: p for a, p in now.items() if before.get(a) != p}, [a for a in before if a not in now]


class State:
    """The keys of `state`. Each function reads one; those of files are read by slow() only, once a second."""

    def __init__(self, show, more=None):
        """more: {key: function without arguments} of other parts that have something to say."""
        self.show, self.more = show, more or {}
        self.trail: list = []
        self._slow: dict = {}
        self._near: list = []                            # instruments there are

    def refresh(self):
        """Look at what lies in files: presets, banks, instruments."""
        if self.show.switch is not None:
            self._near = self.show.switch.list_near()
        recall = self.show.recall
        if recall is not None and recall.has_library:
            self._slow = {"names": recall.library.list_names(), "banks": recall.library.list_banks()}

    @property
    def names(self) -> list:
        """The presets' names as they were looked at last."""
        return self._slow.get("names", [])

    def read(self) -> dict:
        """Return every key as it is at this moment."""
        found = {}
        for name in KEYS:
            try:
                found[name] = KEYS[name](self)
            except RuntimeError:                         # the loop changed a dict meanwhile: next time
                continue
        return found | {name: read() for name, read in self.more.items()}

    def _read_presets(self):
        recall = self.show.recall
        if recall is None:
            return {"names": [], "banks": {}, "bank": "", "current": None, "cued": None, "corners": [None] * 4}
        return {"names": [], "banks": {}} | self._slow | {"bank": recall.bank, "current": recall.current, "cued": recall.cued, "corners": list(recall.corners)}

    def _read_bends(self):
        return [bend.to_dict() for bend in self.show.scene.bends]

    def _read_modulators(self):
        return [modulator.to_dict() for modulator in self.show.scene.modulators]

    def _read_morph(self):
        recall = self.show.recall
        morph = recall.morph if recall is not None else None
        return {"to": recall.current if morph else None, "at": round(float(getattr(morph, "at", 0.0)), 3) if morph else 0.0,
                "pad": bool(recall and recall.pad)}

    def _read_learn(self):
        return [address for address, _ in list(self.show.mapping.learn.wanted)]

    def _read_bindings(self):
        mapping = self.show.mapping
        layers = [("learned", mapping.learn.layer), *(("file", layer) for layer in reversed(mapping.layers[1:]))]
        return {"bank": mapping.bank, "banks": mapping.banks,
                "all": [{"control": b.control, "to": b.to, "device": b.device, "bank": b.bank, "how": layer} for layer, found in layers for b in found]}

    def _read_macros(self):
        return {str(n): {"name": macro.name, "to": [target.to for target in macro.to]} for n, macro in sorted(self.show.mapping.macros.items())}

    def _read_locks(self):
        return list(self.show.recall.locks) if self.show.recall else []

    def _read_take(self):
        recording = self.show.recording
        if recording is None:
            return {"recording": False, "playing": False, "video": False}
        writer = recording.writer if recording.recording else None
        return {"recording": bool(recording.recording), "playing": recording.replay is not None, "video": recording.video is not None,
                "file": str(getattr(writer, "path", "") or "")}

    def _read_deck(self):
        deck = self.show.find_player("deck")
        return {"names": list(deck.names), "auto": deck.auto} if deck is not None else {"names": [None, None], "auto": False}

    def _read_running(self):
        running = self.show.find_player("running")
        if running is None:
            return {"steps": [], "at": None, "left": None, "holding": False}
        left = running.measure_left()
        steps = [{"preset": s.preset, "instrument": s.instrument, "hold": s.hold, "unit": s.unit, "then": " or ".join(s.chance) if s.chance else s.then}
                 for s in running.steps]
        return {"steps": steps, "at": running.at, "left": None if left is None else round(left, 1), "holding": running.holding}

    def _read_lanes(self):
        lanes = self.show.find_player("lanes")
        return {"names": lanes.list_names(), "playing": {n: round(at, 2) for n, at in lanes.list_playing().items()}} if lanes else {"names": [], "playing": {}}

    def _read_trail(self):
        trail = self.show.find_player("trail")
        return {"moments": [int(kept.time) for kept in list(trail.moments)[::-1] if int(kept.time) % 10 == 0]} if trail is not None else {"moments": []}

    def _read_gesture(self):
        gesture = self.show.looper.gesture if self.show.looper else None
        return {"state": gesture.state, "length": round(gesture.length, 2)} if gesture else {"state": "empty", "length": 0.0}

    def _read_weights(self):
        weights = self.show.weights
        return weights.report() | {"current": weights.current} if weights else {"edits": [], "checkpoints": [], "presets": [], "left_out": {}, "current": None}

    def _read_finds(self):
        describe = getattr(self.show.finds, "describe", None)
        return describe() if describe else {"directions": [], "latents": {}, "pictures": {}, "photographs": [], "stage": "", "refining": ""}

    def _read_instrument(self):
        return self.show.switch.describe() | {"near": self._near} if self.show.switch is not None else {}

    def _read_audio(self):
        return self.show.listening.describe() if self.show.listening is not None else None

    def _read_tempo(self):
        tempo = self.show.tempo
        return {"following": bool(tempo and tempo.following), "device": tempo.leader_name if tempo and tempo.following else ""}

    def _read_outputs(self):
        return [{"name": o.name, "broken": getattr(o, "broken", None) or "", "state": getattr(o, "state", "running")}
                for o in list(self.show.outputs) if o.name not in UNSEEN]

    def _read_seeds(self):
        seed = self.show.scene["/walk/seed"] if "/walk/seed" in self.show.scene.parameters else None
        if seed is not None and (not self.trail or self.trail[0] != seed):
            self.trail = [seed, *(other for other in self.trail if other != seed)][:SEEDS]
        return list(self.trail)


READS = "_read_"                    # before the name of a key
KEYS = {name.removeprefix(READS): function for name, function in vars(State).items() if name.startswith(READS)}


def list_recent(ring: Ring, count: int) -> list:
    """Return a ring's newest numbers, oldest first."""
    count, kept = min(count, ring.count), len(ring.values)
    return [ring.values[at % kept] for at in range(ring.count - count, ring.count)]


def measure_percentiles(values) -> dict:
    """Return {"p50", "p95", "p99", "max"} of some numbers."""
    ordered = sorted(values)
    pick = lambda share: round(ordered[min(len(ordered) - 1, int(len(ordered) * share))], 1)
    return {"p50": pick(0.5), "p95": pick(0.95), "p99": pick(0.99), "max": round(ordered[-1], 1)} if ordered else {}


class Figures:
    """How the show has been going lately. late: a function that tells how many frames were late so far."""

    def __init__(self, show, now, late=lambda: 0, size=lambda: 0):
        self.show, self.now, self.late, self.size = show, now, late, size
        self._before: list[tuple[float, int]] = []

    def read(self) -> dict:
        """Return the figures of the last two seconds."""
        meter, moment = self.show.meter, self.now()
        self._before = [(at, frames) for at, frames in self._before if moment - at <= LATELY] + [(moment, meter.frames)]
        since, frames = self._before[0]
        fps = (meter.frames - frames) / (moment - since) if moment > since else 0.0
        by_source = {source: measure_percentiles(list_recent(ring, 60)).get("p50") for source, ring in list(meter.latency_ms.items())}
        return {"fps": round(fps, 1), "frame_ms": measure_percentiles(list_recent(meter.frame_ms, max(meter.frames - frames, 1))), "late": self.late(),
                "failed": meter.failed, "dropped": {o.name: getattr(o, "dropped", 0) for o in list(self.show.outputs)},
                "control_ms": by_source, "size": self.size(), "beat": round(self.show.motion.beat, 2), "frames": meter.frames}
