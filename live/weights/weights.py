"""Weights on stage: weight presets gone to at once or by a fade, edits that join during the show. Knows no tensors.

A player of the loop: what it decides are changes, which takes record. Files are read in a thread, see folder.py.
"""
import logging
import queue
import threading
from dataclasses import replace

from engine.errors import UserError
from engine.morphing import EASES, routes
from live.presets.undo import Step
from live.show.events import Change
from live.show.parameters import is_below
from live.show.threads import make_thread
from live.weights.folder import FILE, Offer, read_folder
from live.weights.presets import WeightPresets, make_weight_preset, select_values

log = logging.getLogger(__name__)
MOST_FRAMES = 10                     # that a change may take without a word


class Fade:
    """From the values there are to others, over so many seconds. A parameter that is let go of is left alone."""

    def __init__(self, routes: dict, seconds: float, ease: str, since):
        self.routes, self.seconds, self.ease, self.at = dict(routes), seconds, EASES[ease], 0.0
        self.since = since                           # the scene it was begun in, until the hands of that frame were heard

    @property
    def over(self) -> bool:
        return self.at >= 1.0 or not self.routes

    def play(self, dt: float) -> list[Change]:
        """Return what to apply dt seconds later."""
        self.at = min(self.at + dt / self.seconds, 1.0)
        t = self.ease(self.at) if self.at < 1.0 else 1.0
        return [Change(address, route(t)) for address, route in self.routes.items()]

    def release(self, addresses):
        for address in addresses:
            self.routes.pop(address, None)


class Weights:
    """show: the Show it plays in. offer: what the instrument's folder held at the start."""

    def __init__(self, show, offer: Offer):
        self.show, self.offer = show, offer
        self.presets = WeightPresets(offer.folder / FILE, list(offer.file.presets))
        self.fade: Fade | None = None
        self._told = 0.0                             # the budget that was told of
        self.current: str | None = None              # the name of the preset recalled or stored last
        self._brought: queue.SimpleQueue = queue.SimpleQueue()
        self.looking: threading.Thread | None = None
        self._say_missing()

    @property
    def parameters(self) -> dict:
        """The declarations of everything here that can be turned, by address."""
        return self.show.instrument.weights.parameters

    # -- the loop's side

    def play(self, tick) -> list:
        """Return what joins in this frame, and where a fade has got to."""
        items = self._join()
        self._tell_budget()
        if self.fade and not self.show.scene["/output/freeze"]:
            if self.show.recall.morph:                    # the later of two has what both want
                for address in self.fade.routes:
                    self.show.recall.morph.release(address)
            items += self.fade.play(tick.dt)
            self.fade = None if self.fade.over else self.fade
        return items

    def _tell_budget(self):
        """Say over how many frames a change is spread, where that is seen; once for each budget."""
        budget, weights = self.show.scene.values.get("/weights/budget", 0.0), self.show.instrument.weights
        if budget > 0 and budget != self._told and weights.behind:
            self._told, frames = budget, weights.count_frames(budget)
            if frames > MOST_FRAMES:
                self.show.notices.tell(f"a change of all weights takes {frames:.0f} frames at /weights/budget {budget:g} ms", "weights")

    def after_hands(self, tick, scene, motion, applied) -> list:
        """End the fade of those parameters that a hand has turned."""
        if self.fade:
            now, before = self.show.scene, self.fade.since or scene
            self.fade.since = None
            self.fade.release([address for address in self.fade.routes if now[address] != before[address]])
        return []

    def release(self, holds=lambda address: True):
        """End the fade of the addresses for which holds(address): something else decides their values."""
        if self.fade:
            self.fade.release([address for address in self.fade.routes if holds(address)])

    # -- what commands do

    def recall(self, name: str, seconds=None) -> list:
        """Go to a weight preset: at once, or by a fade over its own or the performer's seconds."""
        preset = self.presets.find(name)
        values, _ = select_values(preset, self.parameters)
        asked = (seconds, preset.seconds, self.show.scene["/weights/seconds"])
        self.current = preset.name
        return self._go(values, max(0.0, next(s for s in asked if s is not None)))

    def clear(self, seconds=None) -> list:
        """Return the changes back to the instrument's own weights."""
        self.current = None
        seconds = self.show.scene["/weights/seconds"] if seconds is None else max(0.0, seconds)
        return self._go({address: parameter.default for address, parameter in self.parameters.items()}, seconds)

    def _go(self, values: dict, seconds: float) -> list:
        scene, locks = self.show.scene, self.show.recall.locks
        values = {address: value for address, value in values.items() if not is_below(address, locks)}
        there = scene.set_values(values)
        self.fade = None
        changes = [Change(address, there[address]) for address in values]
        before = [Change(change.address, scene[change.address]) for change in changes]
        self.show.recall.undo.push(Step(before, changes))
        if self.show.recall.morph:
            for address in values:
                self.show.recall.morph.release(address)
        if seconds > 0:
            self.fade = Fade(routes(scene, there), seconds, scene["/morph/ease"], scene)
            return []
        return self.show.mark_own(changes)

    def store(self, name: str):
        """Make a weight preset of what is playing; undo brings back what it overwrote."""
        before = self.presets.get(name)
        preset = make_weight_preset(name, self.show.scene, self.parameters)
        if before is not None:
            preset = preset.model_copy(update={"about": before.about, "seconds": before.seconds})
        self.presets.store(name, preset)
        self.current = name
        self.show.recall.undo.push(Step([], [], (lambda: self.presets.store(name, before), lambda: self.presets.store(name, preset)),
                                         about=f"weight preset {name} stored"))
        self.show.notices.tell(f"weight preset {name} {'overwritten' if before else 'stored'}", f"weights {name}")

    def delete(self, which):
        """Take a weight preset away; undo brings it back."""
        preset = self.presets.find(which)
        at = self.presets.list_names().index(preset.name)        # undone, it has its number again, and so have those after it
        self.presets.store(preset.name, None)
        self.show.recall.undo.push(Step([], [], (lambda: self.presets.store(preset.name, preset, at), lambda: self.presets.store(preset.name, None)),
                                         about=f"weight preset {preset.name} deleted"))
        self.show.notices.tell(f"weight preset {preset.name} deleted; /undo brings it back")

    def report(self) -> dict:
        """Return the lists for --report and pages, and what is left out and why: {"edits": [...], "checkpoints": [...], "presets": [...], "left_out":
        {...}}.
        """
        return {"edits": [edit.name for edit in self.offer.edits], "checkpoints": list(self.offer.checkpoints),
                "presets": self.presets.list_names(), "left_out": dict(self.offer.greyed)}

    # -- what joins during the show

    def reload(self):
        """Look at the folder again, in a thread."""
        if self.looking is not None and self.looking.is_alive():
            raise UserError("the edits are being read already")
        self.presets.begin_reading()
        self.looking = make_thread("edits", self._load)
        self.looking.start()

    def _load(self):
        """Read the folder's edits and checkpoints again, in the thread. What was loaded stays, even if its file is gone or damaged now."""
        instrument, before = self.show.instrument, self.offer
        self.presets.flush()
        try:
            found = read_folder(before.folder, instrument.generator, before=before)
        except UserError as error:
            log.error("%s; edits stay as they were", error)
            return
        names = {edit.name for edit in found.edits}
        found = replace(found, edits=(*found.edits, *(edit for edit in before.edits if edit.name not in names)),
                        checkpoints=before.checkpoints | found.checkpoints)
        self._brought.put((found, instrument.prepare_weights(found.edits, found.checkpoints)))

    def _join(self) -> list:
        """Return what the thread has loaded: new faders, in this frame's scene."""
        if self._brought.empty():
            return []
        offer, weights = self._brought.get()
        new = [edit.name for edit in offer.edits if edit not in self.offer.edits] + list(offer.checkpoints.keys() - self.offer.checkpoints)
        self.offer = offer
        self.show.instrument.use_weights(weights)
        self.presets.merge(offer.file.presets)
        self.show.added |= weights.parameters
        if self.show.recall.has_library:
            self.show.recall.library.extend_instrument(weights.parameters)
        log.info("edits read again: %s", f"new: {', '.join(new)}" if new else "nothing new")
        self._say_missing()
        return [self.show.scene.with_parameters(weights.parameters)]

    def _say_missing(self):
        for preset in self.presets.presets:
            _, missing = select_values(preset, self.parameters)
            if missing:
                log.warning("weight preset %r: there is no %s; the rest of it is played", preset.name, ", ".join(missing))

    def close(self):
        """End of the show: everything reaches the disk."""
        self.presets.close()
