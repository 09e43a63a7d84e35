"""What locks keep as it is, whatever comes: values, bends and modulators. Numbers and names only."""
from dataclasses import replace

from engine.motion import Motion
from engine.scene import Scene
from live.show.parameters import is_below


def keep_parts(coming: tuple, now: tuple, kind: str, locks) -> tuple:
    """Return the bends (or modulators) there will be: those that come, but as they are now where they are locked. kind: their folder."""
    if is_below(f"/{kind}", locks):
        return now
    held = {part.name: part for part in now if any(lock == f"/{kind}/{part.name}" or lock.startswith(f"/{kind}/{part.name}/") for lock in locks)}
    there = {part.name for part in coming}
    return (*(held.get(part.name, part) for part in coming), *(part for name, part in held.items() if name not in there))


def keep_locked(target: Scene, now: Scene, locks, also=()) -> Scene:
    """Return the coming scene with the locked addresses, and those in `also`, at their present values."""
    if not locks and not also:
        return target
    scene = target.with_bends(keep_parts(target.bends, now.bends, "bends", locks))
    scene = scene.with_modulators(keep_parts(scene.modulators, now.modulators, "modulators", locks))
    return scene.set_values({a: now[a] for a in now.parameters if a in scene.parameters and (a in also or is_below(a, locks)) and scene[a] != now[a]})


def keep_walk(target: Motion, now: Motion, locks) -> Motion:
    """Return the motion that is to come; where the walk is locked, as it is now but for the modulators."""
    return replace(now, modulators=target.modulators) if is_below("/walk", locks) else target
