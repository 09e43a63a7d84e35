"""Going from the scene there is to another over time. Plays through the loop like a hand; knows no files, no presets.

A morph keeps two motions going, the one it left and the one it goes to, and mixes their places: nothing stands still.
"""
from dataclasses import dataclass, field, replace

from engine.modulation import carry_states
from engine.morphing import EASES, align, interpolate_place, mix_corners, path, routes
from engine.motion import GROUPS, LONGEST_STEP, Motion
from engine.scene import Scene
from engine.walks import Place, own_walk
from live.show.events import Change
from live.show.parameters import MASTERS, is_below, keep_masters

NEARLY = 1e-9                       # of the way: the steps of a morph may add up to a little less than one
DEEPEST = 3                         # how many interrupted morphs a walk may still come from; after more it starts from where it stands


@dataclass(frozen=True)
class Manner:
    """How a morph goes: so many seconds (or beats, where above 0), eased, with rules of its own by address.

    through: {address: value} it goes towards on the way, before the target's own is there at the end: a modulator dies away before it is muted.
    """
    seconds: float = 0.0
    beats: float = 0.0
    ease: str = "smooth"
    path: str = "linear"
    step: float = 0.5
    rules: dict = field(default_factory=dict)
    through: dict = field(default_factory=dict)

    @classmethod
    def of(cls, scene: Scene, preset=None, seconds=None) -> "Manner":
        """Return the manner of a recall: as asked for with it, or else as the preset has it, or else as the performer's /morph/* are set."""
        found = {name: scene[f"/morph/{name}"] for name in ("seconds", "beats", "ease", "path", "step")}
        if preset is not None:
            own = {name: getattr(preset, name) for name in found if getattr(preset, name) is not None}
            if "seconds" in own or "beats" in own:
                found |= {"seconds": 0.0, "beats": 0.0}
            found |= own | {"rules": preset.rules}
        return cls(**found | ({} if seconds is None else {"seconds": max(0.0, seconds), "beats": 0.0}))

    @property
    def cuts(self) -> bool:
        return self.seconds <= 0 and self.beats <= 0

    def measure_progress(self, dt: float, tempo: float) -> float:
        """Return how much of the way dt seconds are."""
        length = self.beats * 60.0 / tempo if self.beats > 0 else self.seconds
        return dt / length if length > 0 else 1.0


class Morph:
    """One morph in progress, from what is playing to `target`. before: the morph it interrupts; its walk goes on mixing.

    since: the motion that the morph before set out from, which a spline comes from.
    """

    def __init__(self, scene: Scene, motion: Motion, target: tuple[Scene, Motion], manner: Manner, before: "Morph | None" = None,
                 since: Motion | None = None):
        held = {a: scene[a] for a, rule in manner.rules.items()
                if rule == "hold" and a in scene.parameters and a in target[0].parameters}
        self.origin, self.target, self.manner = scene, (target[0].set_values(held), target[1]), manner
        self.start, self.end = align([scene, self.target[0]])
        ways = routes(self.start, self.end, manner.rules, manner.step)
        self.routes = {address: way for address, way in ways.items() if not is_below(address, MASTERS)}
        parameters = self.start.parameters
        self.routes |= {a: path(parameters[a], self.start[a], value) for a, value in manner.through.items() if a in parameters}
        self.depth: int = before.depth + 1 if before is not None and before.depth < DEEPEST else 0
        self.left: Morph | Motion = before if before is not None and self.depth else motion
        self.goal = target[1]                           # the motion aimed at, going on as it will
        self.since = since if since is not None else motion
        self.leads = bool(self.depth) or target[1] != motion or any(a.startswith(("/walk/", "/style/")) for a in self.routes)
        self.at, self.way, self.over = 0.0, 1, False
        self._touched: set[str] = set()
        self._begun = (self.start.bends, self.start.modulators) == (scene.bends, scene.modulators)

    def release(self, address: str):
        """Leave this parameter to the hand that has taken it."""
        self._touched.add(address)
        self.routes.pop(address, None)

    def release_below(self, address: str):
        """Leave this address, and all below it, alone: a lock has come."""
        for found in [a for a in {**self.origin.parameters, **self.start.parameters} if is_below(a, (address,))]:
            self.release(found)

    def reverse(self):
        """Go back to where it came from, at the same pace; again: on."""
        self.way = -self.way

    def find_target(self, scene: Scene) -> tuple[Scene, Motion]:
        """Return where it would end: what another recall builds on."""
        end, motion = (self.target[0], self.goal) if self.way > 0 else (self.origin, self.find_start())
        return keep_masters(end, scene, self._touched), motion

    def play(self, dt: float, scene: Scene, motion: Motion) -> list:
        """Return what to apply in this frame. Afterwards `over` says whether that was the last."""
        near, far = self.find_start(), self.goal                    # before this frame's advance, which the loop makes
        self._step(min(dt, LONGEST_STEP), scene["/tempo"])
        self.over = self.at >= 1.0 if self.way > 0 else self.at <= 0.0
        if self.over:
            end, lead = (self.target[0], far) if self.way > 0 else (self.origin, near)
            modulators = carry_states(motion.modulators, self.start, end)
            leads = self.leads or not set(modulators) <= set(motion.modulators)
            going = replace((lead if self.leads else motion).keep_walks(motion), modulators=modulators)
            return [keep_masters(end, scene, self._touched), *([going] if leads else [])]
        begun, self._begun = self._begun, True
        t = EASES[self.manner.ease](self.at)
        items: list = [] if begun else [self.start]           # brings what is to come: bends at mix 0, modulators at depth 0
        items += [Change(address, route(t)) for address, route in self.routes.items()]
        if self.leads:
            lead = far if t >= self.manner.step else near
            items.append(replace(lead.keep_walks(motion), **self._override()))
        return items

    def find_place(self):
        """Return where in latent space it has got to."""
        left = self.left.find_place() if isinstance(self.left, Morph) else self.left.place
        return self._interpolate(self.since.place, left, self.goal.place)

    def find_styles(self) -> tuple[Place, ...]:
        """Return where the style groups have got to; () for one that steps from seed to seed by a rule of the preset's."""
        left = self.left.find_styles() if isinstance(self.left, Morph) else list_places(self.start, self.left)
        places = zip(GROUPS, list_places(self.start, self.since), left, list_places(self.end, self.goal))
        return tuple(() if self.manner.rules.get(f"/style/{group}/seed") == "step" else self._interpolate(*three) for group, *three in places)

    def _interpolate(self, before, start, end):
        return interpolate_place(self.manner.path, before, start, end, EASES[self.manner.ease](self.at)) if start else end

    def _override(self) -> dict:
        """Return what of a motion says where the morph has got to."""
        return {"led": self.find_place(), "heading": (), "start": (), "styles_led": self.find_styles(), "styles_of": ()}

    def find_start(self) -> Motion:
        """Return the motion that the morph leaves. Of a morph it interrupted, that is where that one had got to."""
        if isinstance(self.left, Morph):
            return replace(self.left.goal, **self.left._override())
        return self.left

    def _step(self, dt, tempo):
        at = self.at + self.way * self.manner.measure_progress(dt, tempo)
        self.at = 0.0 if at < NEARLY else 1.0 if at > 1.0 - NEARLY else at
        if isinstance(self.left, Morph):
            self.left._step(dt, tempo)
        else:
            self.left = self.left.advance(self.start, dt)
        self.goal = self.goal.advance(self.end, dt)


def list_places(scene: Scene, motion: Motion) -> tuple[Place, ...]:
    """Return where the style groups are: on walks of their own, or where a morph has led them."""
    led_there = motion.styles_led or ((),) * len(GROUPS)
    return tuple(place or own_walk(int(scene[f"/style/{group}/seed"]), at) for group, at, place in zip(GROUPS, motion.styles, led_there))


class Pad:
    """Four scenes under /pad/x and /pad/y: every place on the pad is a mix of them. Corners: 0 and 1 above, 2 and 3 below."""

    def __init__(self, targets):
        self.targets = align([scene for scene, _ in targets])
        self.motions = [motion for _, motion in targets]
        self._begun, self._at = False, None

    def play(self, dt: float, scene: Scene, motion: Motion) -> list:
        """Return what to apply in this frame."""
        x, y = scene["/pad/x"], scene["/pad/y"]
        self.motions = [m.advance(s, min(dt, LONGEST_STEP)) for m, s in zip(self.motions, self.targets)]
        items = []
        if not self._begun:
            self._begun = True
            items.append(keep_masters(self.targets[0], scene))
        if (x, y) != self._at:
            self._at = x, y
            items += self._mix(x, y)
        owns = zip(*(list_places(s, m) for s, m in zip(self.targets, self.motions)))
        lead = replace(motion, led=mix_corners([m.place for m in self.motions], x, y), heading=(), start=(),
                       styles_led=tuple(mix_corners(places, x, y) for places in owns), styles_of=())
        return [*items, lead]

    def _mix(self, x, y):
        parameters = self.targets[0].parameters
        for address in set().union(*(t.values for t in self.targets)):
            p = parameters[address]
            a, b, c, d = (t[address] for t in self.targets)
            if (a == b == c == d) or is_below(address, MASTERS):
                continue
            yield Change(address, path(p, path(p, a, b)(x), path(p, c, d)(x))(y))
