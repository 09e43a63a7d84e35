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
TURN = 0.05                         # seconds between turns; pages get state in every fourth, hands in every second, the meter in every fifth
LINES = 200                         # lines of the log that are kept for pages that connect later
AT_ONCE = 8                         # lines of the log that a page gets in a turn
DEVICE = "device "                  # prefix of the message that a controller came or went


class Hub:
    """show: the Show. about: {instrument, size(), fps, late()}. more: further keys of state, {name: function}."""

    def __init__(self, show, about: dict, more=None):
        self.show, self.about = show, about
        self.session = f"{int(now() * 1e6):x}"
        self.grabs = Grabs(show, now)
        self.links: list[Link] = []
        self.state = state.State(show, more)
        self.figures = state.Figures(show, now, about.get("late", lambda: 0), about.get("size", lambda: 0))
        self.tree, self.version = state.describe_parameters(show.scene), 1
        self.commands = state.describe_commands()
        self.hands = Hands(show)
        self.lines = Lines()
        self.junk_count = self._number = self._turns = 0
        self._junk = Seldom(log, now)
        self._rebuilt = False
        self._posted: deque = deque()                    # (queue of a page, packet of values) on their way from the echo's thread
        self.slow = lambda names: None                   # called with the presets' names once a second

    def make_admission(self) -> Admission:
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
        self._refresh_files()
        self._tell_state([link], self._describe())
        for line in self.lines.list_told()[-20:]:
            link.tell({"t": "log", **line, "old": True})

    def note_junk(self, link, error):
        """Count and log a message of a page that has no meaning."""
        self.count_junk()
        self._junk.warn("surface: ignored what %s sent: %s", link.name, error)

    def count_junk(self):
        """Count one more message of no use."""
        self.junk_count += 1

    def note_rebuilt(self):
        """Note that there are other parameters than before. Called by the echo's thread."""
        self._rebuilt = True

    # -- what is told

    def post(self, loop, out, datagram: bytes):
        """Put a packet of values into what waits for a page; from the echo's thread. ConnectionError: the surface is closed.

        The echo tells all pages one after the other; the loop is woken once for all of them.
        """
        self._posted.append((out, datagram))
        if len(self._posted) > 1:
            return
        try:
            loop.call_soon_threadsafe(self._deliver)
        except RuntimeError:                             # the loop of a surface that ends
            raise ConnectionError("the surface is closed") from None

    def _deliver(self):
        while self._posted:
            out, datagram = self._posted.popleft()
            out.put_nowait(datagram)

    async def run(self, stopped):
        """Tell pages how the show stands, until stopped() holds."""
        while not stopped():
            await asyncio.sleep(TURN)
            self._turns += 1
            if self.links:
                self.run_once()
            else:
                self.lines.take(LINES)                   # nobody is told them now: they are kept for a page that comes

    def run_once(self):
        """Send what is due in this turn."""
        if self._rebuilt:
            self._rebuilt = False
            self._tell_tree()
        if self._turns % 20 == 0:
            self._refresh_files()
        if self._turns % 4 == 0:
            self._tell_state(self.links, self._describe())
        if self._turns % 2 == 0:
            self._tell_hands()
            self._tell_lines()
        if self._turns % 5 == 0:
            self._tell("meter", {"t": "meter", **self.figures.read(), "junk": self.junk_count})

    def _refresh_files(self):
        self.state.refresh()
        self.slow(self.state.names)

    def _describe(self) -> dict:
        clients = [{"you": link.number, "name": link.name, "role": link.role} for link in self.links]
        return self.state.read() | {"clients": clients, "held": self.grabs.list_holders(), "devices": dict(self.hands.devices)}

    def _tell_tree(self):
        now_ = state.describe_parameters(self.show.scene)
        new, gone = state.find_tree_changes(self.tree, now_)
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
        moved = self.hands.take_moved() if any("hands" in link.topics for link in self.links) else {}
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
        self.devices: dict[str, bool] = {}               # controllers that came in this show -> whether they are here

    def tap(self, emit):
        """Return a function that emits, and takes down which control moved."""
        def emit_and_note(item):
            emit(item)
            for event in item if isinstance(item, list) else (item,):
                control = getattr(event, "control", None)
                if control is not None and control.startswith(DEVICE):
                    self.devices = self.devices | {control.removeprefix(DEVICE): event.value > 0}
                elif control is not None and len(self._new) < self.KEPT:
                    self._new[control] = event.value
        return emit_and_note

    def take_moved(self) -> dict:
        """Return {control: [value, whether anything is bound to it]} of what moved since it was asked last."""
        new, self._new = self._new, {}
        mapping = self.show.mapping
        found = {control: [_make_plain(value), mapping.binds(control.partition(" @ ")[0])] for control, value in new.items()}
        if mapping.stats is not None:
            values = {address: (value, self._means_something(address)) for address, value in mapping.stats.newest().items()}
            moved = [(address, news) for address, news in values.items() if self._osc.get(address) != news]
            self._osc = values
            found |= {f"osc {address}": [_make_plain(value), bound] for address, (value, bound) in moved[-self.KEPT:]}
        return found

    def _means_something(self, address) -> bool:
        """Return whether an OSC address does anything. The loop finds out a frame after it came: it counts as moved once more then."""
        mapping = self.show.mapping
        return address not in mapping.stats.unknown_values or mapping.binds(f"osc {address}")


def _make_plain(value):
    return value if isinstance(value, (int, float, str)) else list(value)


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

    def list_told(self) -> list:
        """Return the lines that pages were told, or would have been: those before the ones that take() still holds."""
        kept = list(self.kept)
        return kept[:len(kept) - len(self._new)]

    def take(self, most):
        """Return the oldest lines that were not taken yet."""
        return [self._new.popleft() for _ in range(min(most, len(self._new)))]
