"""Ways out that do not cut: back to what was, and to a quiet look. Each returns what the loop shall apply."""
from dataclasses import replace

from engine.errors import UserError
from engine.scene import Scene
from live.presets.commands import find_recall
from live.presets.locks import keep_locked, keep_walk
from live.presets.morph import Manner
from live.presets.trail import KEPT
from live.show.commands import command, to_number
from live.show.parameters import is_below, keep_masters

SOFT = 2.0                          # seconds of /panic/soft where none are said


@command("/back")
def back(show, seconds):
    """Go to what was on show so many seconds ago (up to 120), as a morph over /morph/seconds or /morph/beats. Undo comes back."""
    recall, trail = find_recall(show), show.find_player("trail")
    asked = to_number(seconds, f"seconds from 0 to {KEPT}", "/back")
    if trail is None:
        raise UserError("/back: this show keeps nothing of what was")
    if not 0 <= asked <= KEPT:
        raise UserError(f"/back: expected seconds from 0 to {KEPT}, got {asked:g}")
    kept = trail.find_moment(asked)
    scene = keep_locked(keep_masters(kept.scene.with_parameters(show.added), show.scene), show.scene, recall.locks)
    motion = keep_walk(kept.motion.put_in_place(show.motion), show.motion, recall.locks)
    ago = trail.time - kept.time
    show.notices.tell(f"back to {ago:.0f} s ago{'' if abs(ago - asked) < 1 else ', the oldest there is'}", "back")
    return recall.go((scene, motion), Manner.of(show.scene), about=f"back {ago:.0f} s")


@command("/panic/soft")
def soft_panic(show, seconds=None):
    """Over so many seconds (2): bends to dry, modulators muted, edits to 0. The walk and the truncation stay; undo brings all back."""
    recall = find_recall(show)
    asked = SOFT if seconds is None or seconds is True else to_number(seconds, "seconds", "/panic/soft")
    if asked < 0:
        raise UserError(f"/panic/soft: expected seconds from 0 up, got {asked:g}")
    scene, locks = show.scene, recall.locks
    target = keep_locked(make_neutral(scene), scene, locks)
    silent = [modulator for modulator in scene.modulators if target[modulator.address("mute")] >= 0.5]
    through = {a: 0.0 for m in silent for a in (m.address("depth"), m.address("offset")) if not is_below(a, locks)}
    show.notices.tell(f"softly to neutral over {asked:g} s", "panic")
    return recall.go((target, show.motion), replace(Manner(seconds=asked), step=1.0, through=through), about="/panic/soft")


def make_neutral(scene: Scene) -> Scene:
    """Return the scene with its bends dry, its modulators silent and its edits and other weights away."""
    values = {f"/bends/{bend.name}/mix": 0.0 for bend in scene.bends}
    values |= {modulator.address("mute"): 1.0 for modulator in scene.modulators}
    for address, parameter in scene.parameters.items():
        if address.startswith("/edits/") and address.endswith("/strength") or address.startswith("/weights/") and address.endswith("/amount"):
            values[address] = parameter.clamp(0.0)
    return scene.set_values(values)
