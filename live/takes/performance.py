"""A take as a row of moments: the scene and motion at each of its own ticks, or evenly spaced. Draws nothing.

At its own ticks a take is what was played, to the bit. Evenly spaced, what the hands and the walk did between two ticks
is filled in, so that a show that stuttered renders smoothly and a take of 30 frames a second renders at 60.
"""
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace

from engine.morphing import routes
from engine.motion import Motion
from engine.scene import Scene
from engine.walks import fade
from live.show.events import Change, Fade, Touch


@dataclass(frozen=True)
class Moment:
    """time: seconds since the take began. cut: something was put in place at once, rather than turned."""
    time: float
    scene: Scene
    motion: Motion
    cut: bool = False


def play_ticks(take) -> Iterator[Moment]:
    """Yield the moments at the take's own ticks."""
    scene, motion, start = take.scene, take.motion, None
    for tick, applied in take.read_frames():
        start = tick.time if start is None else start
        scene, motion, cut = apply_frame(scene, motion, applied)
        motion = motion.advance(scene, tick.dt)
        yield Moment(tick.time - start, scene, motion, cut)


def apply_frame(scene, motion, applied):
    """Return (scene, motion, whether it is a cut) after all that a show applied in one frame."""
    cut = False
    changes = [item for item in applied if isinstance(item, Change)]
    if len(changes) == len(applied):
        return scene.set(changes), motion, False
    brought = any(isinstance(item, Scene) for item in applied)
    for item in applied:
        if isinstance(item, Change):
            scene = scene.set([item])
        elif isinstance(item, Touch):
            motion = motion.touch(item.addresses)
        elif isinstance(item, Fade):
            motion = motion.start_fade(item.to, item.seconds)
        elif isinstance(item, Motion):
            same_look = not brought and item == motion.put_in_place(item)
            cut, motion = cut or not (item.led or same_look), item
        else:
            cut, scene = cut or not _have_same_parts(item, scene), item
    return scene, motion, cut


def play_evenly(moments: Iterator[Moment], fps: float) -> Iterator[Moment]:
    """Yield a moment every 1/fps seconds, from the first to the last."""
    moments = iter(moments)
    first = next(moments, None)
    if first is None:
        return
    here = there = first
    for frame in itertools.count():
        time = frame / fps
        while there.time <= time + 1e-9:
            here, after = there, next(moments, None)
            if after is None:
                if here.time >= time - 1e-9:
                    yield _number_frames(replace(here, time=time), frame)
                return
            there = after
        yield _number_frames(_interpolate(here, there, time), frame)


def _interpolate(a: Moment, b: Moment, time: float) -> Moment:
    if b.cut or a.scene["/output/freeze"]:
        return replace(a, time=time)
    u = (time - a.time) / (b.time - a.time)
    scene = a.scene
    if _have_same_parts(b.scene, scene):
        scene = scene.set_values({address: value for address, route in routes(scene, b.scene, step_at=1.0).items()
                                  if (value := route(u)) != scene[address]})
    motion = a.motion.advance(scene, time - a.time)
    if b.motion.led:
        styles = zip(a.motion.styles_led, b.motion.styles_led)
        motion = replace(motion, place=fade(a.motion.place, b.motion.place, u),
                         styles_led=tuple(fade(*places, u) if all(places) else places[0] for places in styles))
    return Moment(time, scene, motion)


def _have_same_parts(a: Scene, b: Scene) -> bool:
    """Return whether two scenes have the same bends and modulators."""
    return (a.bends, a.modulators) == (b.bends, b.modulators)


def _number_frames(moment: Moment, frame: int) -> Moment:
    """Return a moment with this frame's number, which random noise depends on."""
    return replace(moment, motion=replace(moment.motion, frame=frame))
