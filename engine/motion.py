"""Where moving things have got to. Speeds are integrated, so turning one never makes a jump.

Pure numbers: the picture is a function of (Scene, Motion, instrument, source picture) and nothing else.
"""
from dataclasses import dataclass, field, replace

from engine import modulation
from engine.easing import smoothstep
from engine.frame import PARAMETERS as FRAME_PARAMETERS
from engine.parameter import Parameter
from engine.source import PARAMETERS as SOURCE_PARAMETERS
from engine.walks import PARAMETERS as WALK_PARAMETERS
from engine.walks import WALKS, Place, fade

GROUPS = ("coarse", "middle", "fine")
SPANS = {"coarse": (0, 4), "middle": (4, 8), "fine": (8, None)}     # ws [start, end) of each: 4-8 px, 16-32 px, 64 px and above
LONGEST_STEP = 0.25                 # seconds: after a stall a walk goes on, it does not leap

PARAMETERS = {
    "/tempo": Parameter(120.0, 20.0, 300.0, unit="bpm", about="beats per minute, for whatever counts in beats"),
    "/tempo/nudge": Parameter(0.0, -0.5, 0.5, about="how much faster than its tempo the beat goes, to come into step; 0.1 = a tenth"),
    "/walk/glide": Parameter(0.0, 0.0, 60.0, curve="square", unit="s", about="a new seed or walk is gone to over so many seconds"),
    **{f"/walk/{name}": parameter for name, parameter in WALK_PARAMETERS.items()},
    "/bends/amount": Parameter(1.0, about="times the mix of every bend: 0 = all dry"),
    "/bends/glide": Parameter(0.0, 0.0, 60.0, curve="square", unit="s", about="how long /bends/amount takes from end to end"),
    **{f"/style/{group}/speed": Parameter(0.0, -4.0, 4.0, unit="keyframes/s", about=f"how fast the {group} layers' own walk goes; 0 stays at its seed")
       for group in GROUPS},
    "/output/blackout": Parameter(0.0, about="0 = the picture, 1 = black, whatever else is held or fails"),
    "/output/fade": Parameter(0.0, 0.0, 60.0, curve="square", unit="s", about="how long /output/blackout takes from end to end; 0 cuts"),
    "/noise/mode": Parameter("const", choices=("const", "random", "none"), about="stored noise maps, new ones every frame, or none"),
    "/noise/strength": Parameter(1.0, 0.0, 8.0, about="times the network's own noise strength"),
    "/output/freeze": Parameter(0.0, step=1, about="1 holds the picture and the walk"),
    **SOURCE_PARAMETERS,
    **FRAME_PARAMETERS,
}


@dataclass(frozen=True)
class Motion:
    """walk: keyframes gone. styles: the same for the own walks of the coarse, middle and fine layers.

    place: where the walk is now, any glide included. start, glided: what a glide in progress began from, and its seconds.
    frame: turns of the loop, for noise that changes with every frame.
    led: stays until the seed or the kind of walk is changed; styles_led does so for the style groups, () = their own walks,
    styles_of: the seeds that it belongs to. bends: how far /bends/amount has got, None at first.
    beat: beats gone, the music's: a freeze does not hold it, and no preset brings one back. Bars are four of them.
    modulators: how far each has got. holds: (address, seconds left) of parameters that hands have to themselves.
    source: turns of the encoder gone, run or not. signal: how far the source has faded in, None at first. No preset brings these back either.
    turned: how far a panorama has gone round, 0..1. time: seconds gone, those of a freeze left out. No preset brings these back.
    dark: how far /output/blackout has got, None at first; a freeze does not hold it. fade_to, fade_seconds: where a fade with
    seconds of its own goes, until it is there; None = /output/fade decides.
    played: (the scene it was advanced under, its modulators then, that scene as they leave it), for modulation.modulate(); never stored.
    """
    walk: float = 0.0
    styles: tuple[float, float, float] = (0.0, 0.0, 0.0)
    place: Place = ()
    heading: tuple = ()                 # the (kind, seed, ...) that the place belongs to: a change of it starts a glide
    start: Place = ()
    glided: float = 0.0
    frame: int = 0
    led: Place = ()                     # set by a morph: where it has brought the walk, instead of the walk's own place
    styles_led: tuple[Place, ...] = ()
    styles_of: tuple = ()
    bends: float | None = None
    beat: float = 0.0
    modulators: tuple[modulation.State, ...] = ()
    holds: tuple[tuple[str, float], ...] = ()
    source: float = 0.0
    signal: float | None = None
    turned: float = 0.0
    time: float = 0.0
    dark: float | None = None
    fade_to: float | None = None
    fade_seconds: float | None = None
    glide: float | None = None          # seconds that the next glide, or the one in progress, takes instead of /walk/glide
    kept: tuple = ()                    # (name, number) of the kept latents that the walk of that kind goes through
    played: tuple = field(default=(), compare=False, repr=False)

    def advance(self, scene, dt: float) -> "Motion":
        """Return the motion dt seconds later under this scene."""
        self, beat = self.dim(scene, dt), self.beat + beats(scene, dt)
        dt = 0.0 if scene["/output/freeze"] else min(max(dt, 0.0), LONGEST_STEP)
        before = scene
        modulators, scene = modulation.apply_modulators(before, self.modulators, dt, beat, dict(self.holds))
        holds = tuple((address, left - dt) for address, left in self.holds if left > dt)
        kind = WALKS[scene["/walk/kind"]]
        settings = {name: scene[f"/walk/{name}"] for name in kind.settings}
        walk = self.walk + dt * kind.rate(settings, 1.0 / beats(scene, 1.0))
        if kind.around:                  # a lap more or less: with other stops it is where it was, and does not leap
            walk %= kind.around(settings)
        styles = tuple(at + dt * scene[f"/style/{group}/speed"] for group, at in zip(GROUPS, self.styles))
        there = kind.place(walk, **settings, keys=self.kept) if kind.keyed else kind.place(walk, **settings)
        heading = (kind.name, *(settings.get(name) for name in ("seed", "stops", "z")), *([self.kept] if kind.keyed else []))
        bends = slide(self.bends, scene["/bends/amount"], scene["/bends/glide"], dt)
        signal = slide(self.signal, scene["/source/signal"], scene["/source/fade"], dt)
        moved = replace(self, walk=walk, styles=styles, frame=self.frame + 1, bends=bends, beat=beat, modulators=modulators,
                        holds=holds, source=self.source + dt * scene["/source/rate"], signal=signal,
                        turned=(self.turned + dt * scene["/frame/scroll"]) % 1.0, time=self.time + dt,
                        played=(before, modulators, scene), **self._styles(scene))
        if self.led and self.heading in ((), heading):
            return replace(moved, place=self.led, heading=heading, start=(), glided=0.0)
        moved = replace(moved, led=())
        return moved._glide(there, heading, scene["/walk/glide"] if self.glide is None else self.glide, dt)

    def dim(self, scene, dt: float) -> "Motion":
        """Return this motion with the way to black (or back) dt seconds further: the rest stays."""
        target = scene["/output/blackout"]
        own = self.fade_seconds is not None and self.fade_to == target
        dark = slide(self.dark, target, self.fade_seconds if own else scene["/output/fade"], max(dt, 0.0))
        if not own or dark == target:
            return replace(self, dark=dark, fade_to=None, fade_seconds=None)
        return replace(self, dark=dark)

    def start_fade(self, to: float, seconds: float) -> "Motion":
        """Return this motion with a fade of so many seconds from end to end, if /output/blackout is brought to `to`."""
        return replace(self, fade_to=to, fade_seconds=seconds)

    def put_in_place(self, now: "Motion") -> "Motion":
        """Return this motion, put in the place of `now`: what belongs to the show and not to a look goes on as it does there."""
        return replace(self, beat=now.beat, source=now.source, signal=now.signal, turned=now.turned, time=now.time, dark=now.dark,
                       fade_to=now.fade_to, fade_seconds=now.fade_seconds)

    def _styles(self, scene) -> dict:
        """Return the fields that say where a morph has brought the style groups: each stays there until its seed is changed."""
        if not self.styles_led:
            return {}
        seeds = tuple(scene[f"/style/{group}/seed"] for group in GROUPS)
        places = tuple(place if was == seed else () for place, was, seed in zip(self.styles_led, self.styles_of or seeds, seeds))
        return {"styles_led": places, "styles_of": seeds} if any(places) else {"styles_led": (), "styles_of": ()}

    def keep_walks(self, motion: "Motion") -> "Motion":
        """Return this motion with all but the walks taken from another one: a morph moves the walks only."""
        return replace(self.put_in_place(motion), frame=motion.frame, bends=motion.bends,
                       modulators=motion.modulators, holds=motion.holds)

    def touch(self, addresses) -> "Motion":
        """Return the motion with these parameters held off their modulators: a hand has just moved them."""
        others = tuple(hold for hold in self.holds if hold[0] not in addresses)
        return replace(self, holds=others + tuple((address, modulation.HELD) for address in addresses))

    def _glide(self, there, heading, length, dt):
        if self.heading not in ((), heading) and length > 0 and self.place:
            start, glided = self.place, dt
        else:
            start, glided = self.start, self.glided + dt
        if not start or glided >= length:
            return replace(self, place=there, heading=heading, start=(), glided=0.0, glide=None)
        place = fade(start, there, smoothstep(glided / length))
        return replace(self, place=place, heading=heading, start=start, glided=glided)


def darkness(scene, motion: Motion) -> float:
    """Return how dark the picture is shown: 0 = as it is, 1 = black."""
    return scene["/output/blackout"] if motion.dark is None else motion.dark


def beats(scene, dt: float) -> float:
    """Return how many beats dt seconds are."""
    return max(dt, 0.0) * scene["/tempo"] / 60.0 * (1.0 + scene["/tempo/nudge"])


def slide(at, target, length, dt):
    """Return `at`, dt seconds nearer to the target, at 1 per `length` seconds; None is there at once."""
    if at is None or length <= 0 or abs(target - at) <= dt / length + 1e-9:
        return target
    return at + dt / length * (1 if target > at else -1)
