"""Watch what arrives at a running show: from whom, how much, which values, and what was not understood.

    python run_live.py monitor                  in another terminal, while the show plays
    python run_live.py monitor --port 9100 --once
"""
import json
import urllib.error
import urllib.request

from engine.errors import UserError
from live.show.clock import now, sleep
from live.show.journal import spell_out

LIBRARIES = ("rich",)
EVERY = 0.25                        # seconds
ROWS = 16                           # values shown, those that moved last first
COUNTS = ("packets", "messages", "queries", "unknown", "bad", "refused", "left_out")        # of OSC


def arguments(parser):
    parser.add_argument("--host", default="127.0.0.1", help="the machine that plays (127.0.0.1)")
    parser.add_argument("--port", type=int, default=9000, metavar="N", help="its OSCQuery port: that of OSC unless it was given another (9000)")
    parser.add_argument("--token", default="", metavar="WORD", help="its --oscquery-token, if it has one")
    parser.add_argument("--once", action="store_true", help="one look, then end")


def run(options):
    from rich.console import Console
    from rich.live import Live

    watched = Watched()
    watched.look(ask(options))
    if options.once:
        Console().print(watched.draw_page())
        return 0
    with Live(watched.draw_page(), auto_refresh=False, screen=True) as live:
        while True:
            sleep(EVERY)
            try:
                watched.look(ask(options))
            except UserError as error:
                watched.problem = str(error)
            live.update(watched.draw_page(), refresh=True)


def ask(options) -> dict:
    """Return the show's report of itself. UserError: nobody answers there, or it wants a token."""
    url = f"http://{options.host}:{options.port}/?REPORT"
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {options.token}"})
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            found = json.loads(answer.read())
    except urllib.error.HTTPError as error:
        raise UserError(f"{url}: {'it wants a token: --token WORD' if error.code == 401 else error}") from None
    except (OSError, ValueError) as error:
        raise UserError(f"{url}: no show answers ({getattr(error, 'reason', error)}); is it playing, with this --oscquery-port?") from None
    if not isinstance(found, dict) or "osc" not in found:
        raise UserError(f"{url}: what answers there is not Latent Jockey")
    return found


class Watched:
    """What was seen so far: rates need two looks, and values are listed by when they moved."""

    def __init__(self):
        self.report, self.before, self.at, self.seconds, self.problem = {}, {}, None, 0.0, ""
        self.moved: dict = {}                            # address -> value, the last that moved at the end

    def look(self, report):
        moment = now()
        self.seconds = moment - self.at if self.at is not None else 0.0
        self.before, self.report, self.at, self.problem = self.report, report, moment, ""
        old = self.before.get("newest", {})
        for address, value in report["newest"].items():
            if address not in old or old[address] != value:
                self.moved.pop(address, None)
                self.moved[address] = value

    def _measure_rate(self, *path):
        """Return how much a count went up a second since the look before; "" where there was none."""
        if not self.seconds:
            return ""
        counts = []
        for report in (self.before, self.report):
            for name in path[:-1]:
                report = report.get(name, {})
            counts.append(report.get(path[-1], 0))
        return f"{(counts[1] - counts[0]) / self.seconds:.0f}"

    def draw_page(self):
        """Return the whole page: tables side by side where there is room."""
        from rich.columns import Columns
        from rich.console import Group

        osc = self.report["osc"]
        head = self._draw_table(("", "so far", "a second"), [
            (name, osc[name], self._measure_rate("osc", name)) for name in COUNTS if name in osc]
            + [("frames", self.report["frames"], self._measure_rate("frames")), ("late", self.report["late"], self._measure_rate("late"))])
        senders = self._draw_table(("from", "packets", "a second"), [
            (name, count, self._measure_rate("osc", "senders", name)) for name, count in sorted(osc["senders"].items())])
        values = self._draw_table(("moved last", "to"), [(a, shorten(v)) for a, v in list(self.moved.items())[:-ROWS - 1:-1]])
        unknown = self._draw_table(("not understood", "brought"), [
            (a, shorten(v)) for a, v in list(osc["unknown_addresses"].items())[:-ROWS - 1:-1]])
        questions = self._draw_table(("asked for", "times"), list(osc.get("questions", {}).items())[:-ROWS - 1:-1])
        listeners = self._draw_table(("listening",), [(name,) for name in self.report["echo"]["listeners"]])
        told = self._draw_table(("seconds ago", "what happened"), [
            (f"{line['ago']:.0f}", line["text"] if line["level"] == "INFO" else f"{line['level'].lower()}: {line['text']}")
            for line in self.report.get("told", [])[:ROWS]])
        midi = self.report.get("midi", {})
        ports = self._draw_table(("MIDI", "messages", "a second"), [
            (", ".join(midi.get("ports", ())) or "no controllers", midi.get("messages", 0), self._measure_rate("midi", "messages"))])
        return Group(*([self.problem] if self.problem else []), Columns([head, senders, listeners, ports]), Columns([values, questions, unknown]), told)

    @staticmethod
    def _draw_table(columns, rows):
        from rich.box import SIMPLE_HEAD
        from rich.markup import escape
        from rich.table import Table

        table = Table(*columns, box=SIMPLE_HEAD, pad_edge=False)
        for row in rows:
            table.add_row(*(escape(spell_out(str(cell), passed="")) for cell in row))
        return table


def shorten(value) -> str:
    """Return a value in few characters."""
    if isinstance(value, list):
        return " ".join(map(shorten, value[:6])) + (" ..." if len(value) > 6 else "")
    return f"{value:.4g}" if isinstance(value, float) else str(value)[:60] or "(nothing)"
