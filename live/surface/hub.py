"""All pages of a show together: who is here, and what they are told. Lives in the surface's thread."""
import asyncio
import json
import logging
from collections import deque

from live.osc.admission import Admission
from live.show.clock import now
from live.show.journal import Seldom
from live.surface import state
from live.surface.grabs import Grabs
from live.surface.link import SCHEMA, Link

log = logging.getLogger(__name__)

CLIENTS = 16
TURN = 0.05                         # seconds between looks; state is told every fourth, hands every second, the meter every fifth
LINES = 200                         # of the log that are kept for a page that comes
AT_ONCE = 8                         # lines told in a turn's worth


class Hub:
    """show: the Show. about: {instrument, size(), fps, late()}. more: further keys of state, {name: function}."""

    def __init__(self, show, about: dict, more=None):
        self.show, self.about = show, about
        self.session = f"{int(now() * 1e6):x}"
        self.grabs = Grabs(show, now)
        self.links: list[Link] = []
        self.state = state.State(show, more)
        self.figures = state.Figures(show, now, about.get("late", lambda: 0), about.get("size", lambda: 0))
        self.tree, self.version = state.tree(show.scene), 1
        self.commands = state.commands()
        self.hands = Hands(show)
        self.lines = Lines()
        self.junk_count = self._number = self._turns = 0
        self._junk = Seldom(log, now)
        self._rebuilt = False
        self.slow = lambda names: None                   # called with the presets' names once a second

    def admission(self) -> Admission:
        """Return who may do what by a page's socket: whoever got through the gate may."""
        return Admission(now, everybody=True)

    # -- who is here

    async def serve(self, websocket, role: str):
        """Serve a page until it goes; one too many is told so."""
        if len(self.links) >= CLIENTS:
            self.count_junk()
            self._junk.warn("surface: %d pages are open already; more are refused", CLIENTS)
            return await websocket.close(1013, "too many pages are open already")
        self._number += 1
        link = Link(self, websocket, self._number, role)
        self.links.append(link)
        try:
            await link.run()
        finally:
            self.links.remove(link)

    def greet(self, link):
        """Tell a page that has come what there is."""
        link.tell({"t": "hello", "schema": SCHEMA, "session": self.session, "you": link.number, "role": link.role,
                   "instrument": self.about.get("instrument", ""), "size": self.figures.size(), "fps": self.about.get("fps", 0)})
        link.tell({"t": "tree", "version": self.version, "parameters": self.tree, "commands": self.commands, "gone": []})
        self._look_at_files()
        self._tell_state([link], self._standing())
        for line in list(self.lines.kept)[-20:]:
            link.tell({"t": "log", **line, "old": True})

    def junk(self, link, error):
        """A page sent what means nothing."""
        self.count_junk()
        self._junk.warn("surface: ignored what %s sent: %s", link.name, error)

    def count_junk(self):
        """One more message of no use."""
        self.junk_count += 1

    def note_rebuilt(self):
        """There are other parameters than before; from the echo's thread."""
        self._rebuilt = True

    # -- what is told

    async def run(self, stopped):
        """Tell pages how the show stands, until stopped() holds."""
        while not stopped():
            await asyncio.sleep(TURN)
            self._turns += 1
            if self.links:
                self.turn()

    def turn(self):
        """Tell what is due in this turn."""
        if self._rebuilt:
            self._rebuilt = False
            self._tell_tree()
        if self._turns % 20 == 0:
            self._look_at_files()
        if self._turns % 4 == 0:
            self._tell_state(self.links, self._standing())
        if self._turns % 2 == 0:
            self._tell_hands()
            self._tell_lines()
        if self._turns % 5 == 0:
            self._tell("meter", {"t": "meter", **self.figures.read(), "junk": self.junk_count})

    def _look_at_files(self):
        self.state.slow()
        self.slow(self.state.names)

    def _standing(self) -> dict:
        clients = [{"you": link.number, "name": link.name, "role": link.role} for link in self.links]
        return self.state.now() | {"clients": clients, "held": self.grabs.holders()}

    def _tell_tree(self):
        now_ = state.tree(self.show.scene)
        new, gone = state.tree_changes(self.tree, now_)
        if new or gone:
            self.tree, self.version = now_, self.version + 1
            for link in self.links:
                link.tell({"t": "tree", "version": self.version, "parameters": new, "commands": {}, "gone": gone})

    def _tell_state(self, links, standing):
        written = {key: json.dumps(value, default=str, sort_keys=True) for key, value in standing.items()}
        for link in links:
            new = {key: standing[key] for key, text in written.items() if link.told.get(key) != text}
            if new:
                link.told |= {key: written[key] for key in new}
                link.tell({"t": "state", **new})

    def _tell_hands(self):
        moved = self.hands.moved() if any("hands" in link.topics for link in self.links) else {}
        if moved:
            self._tell("hands", {"t": "hands", "hands": moved})

    def _tell_lines(self):
        for line in self.lines.take(AT_ONCE):
            self._tell("log", {"t": "log", **line})

    def _tell(self, topic, message):
        for link in self.links:
            if topic in link.topics:
                link.tell(message)


class Hands:
    """What hands do elsewhere: newest value of each control. tap(emit) -> an emit that is looked at."""

    KEPT = 256

    def __init__(self, show):
        self.show, self._new = show, {}
        self._osc: dict = {}

    def tap(self, emit):
        """Return a function that emits, and takes down which control moved."""
        def emitted(item):
            emit(item)
            for event in item if isinstance(item, list) else (item,):
                control = getattr(event, "control", None)
                if control is not None and len(self._new) < self.KEPT:
                    self._new[control] = event.value
        return emitted

    def moved(self) -> dict:
        """Return {control: [value, whether anything is bound to it]} of what moved since it was asked last."""
        new, self._new = self._new, {}
        stats, found = self.show.mapping.stats, {}
        for control, value in new.items():
            found[control] = [value if isinstance(value, (int, float, str)) else list(value), self._bound(control.partition(" @ ")[0])]
        if stats is not None:
            values = stats.newest()
            moved = {a: v for a, v in values.items() if a not in self._osc or self._osc[a] != v} if self._osc or not values else values
            self._osc = values
            for address, value in list(moved.items())[-self.KEPT:]:
                found[f"osc {address}"] = [value if isinstance(value, (int, float, str)) else list(value), address not in stats.unknown_values]
        return found

    def _bound(self, control) -> bool:
        return self.show.mapping.binds(control)


class Lines(logging.Handler):
    """Keeps warnings and errors for the pages."""

    def __init__(self):
        super().__init__(logging.WARNING)
        self.kept: deque = deque(maxlen=LINES)
        self._new: deque = deque(maxlen=LINES)

    def emit(self, record):
        """Keep a line."""
        line = {"level": record.levelname.lower(), "text": record.getMessage()[:500]}
        self.kept.append(line)
        self._new.append(line)

    def take(self, most):
        """Return the oldest lines that were not taken yet."""
        return [self._new.popleft() for _ in range(min(most, len(self._new)))]
