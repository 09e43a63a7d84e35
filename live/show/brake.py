"""The hands' blackout over a take: the darker of the two is seen, so no take lifts it. Knows scenes, no files."""
from dataclasses import replace

from engine.scene import Scene
from live.show.events import Asked, Call, Change

BLACKOUT, FADE = "/output/blackout", "/output/fade"
ALWAYS = ("/quit", "/window/fullscreen", "/window/display")        # commands that work while a take plays instead of the hands


class Brake:
    """What hands may do while a take plays the show: black out, end it, move its window."""

    def __init__(self):
        self.take = None                # the take's own blackout; None before it begins
        self.hand = 0.0                 # the blackout set by hands; the darker of the two is seen

    def apply_frame(self, show, replayed, events) -> list:
        """Apply one frame of a take to the show, and over it the blackout the hands asked for. Returns what the take applied."""
        if self.take is not None and show.scene[BLACKOUT] != self.take:
            show.scene = show.scene.set_values({BLACKOUT: self.take})
        before = show.motion
        applied = show.apply(replayed)
        self.take = show.scene[BLACKOUT]
        if self.hand:                   # the take's motion holds its own blackout, which must not lift that of the hands
            show.motion = replace(show.motion, dark=before.dark, fade_to=before.fade_to, fade_seconds=before.fade_seconds)
        heard = show.mapping.translate([event for event in events if not isinstance(event, Asked)], show.scene)
        for item in [*heard, *(event for event in events if isinstance(event, Asked))]:
            self._take_events(show, item)
        if self.hand > self.take:
            show.scene = show.scene.set_values({BLACKOUT: self.hand})
        return applied

    def _take_events(self, show, item):
        if isinstance(item, Call) and item.command == "/blackout":
            mine, theirs = show.scene.set_values({BLACKOUT: self.hand}), show.scene
            show.scene = mine
            show.apply([item])
            self.hand, show.scene = show.scene[BLACKOUT], theirs
        elif isinstance(item, Call) and item.command in ALWAYS or isinstance(item, Change) and item.address == FADE:
            show.apply([item])
        elif isinstance(item, Change) and item.address == BLACKOUT:
            self.hand = show.scene.parameter(BLACKOUT).clamp(item.value)
        elif isinstance(item, Asked):
            item.answer("a take plays instead of the hands")


class Shared:
    """The blackout of a take that is played beside the hands, and theirs."""

    def __init__(self):
        self.hand = 0.0                 # what hands brought it to last
        self.put = None                 # the value set here in the frame before: if the scene has another one, hands set it

    def filter(self, items: list, scene) -> list:
        """Return what a take applies to this scene, without the changes that would lift a blackout of the hands."""
        found = []
        if scene[BLACKOUT] != self.put:
            self.hand = self.put = scene[BLACKOUT]
        for item in items:
            if isinstance(item, Change) and item.address == BLACKOUT:
                self.put = max(self.hand, item.value)
                item = Change(BLACKOUT, self.put)
            elif isinstance(item, Scene):
                self.put = max(self.hand, item[BLACKOUT])
                item = item.set_values({BLACKOUT: self.put, FADE: scene[FADE]})
            found.append(item)
        return found
