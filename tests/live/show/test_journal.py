"""The log of a show: bounded, harmless to a terminal, and never in the way."""
import logging
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from live.show import journal
from live.show.journal import BURST, Budget, Plain, spell_out

ROOT = Path(__file__).parents[3]


class Clock:
    moment = 0.0

    def __call__(self):
        return self.moment


def record(text, *arguments, name="live.somewhere"):
    return logging.LogRecord(name, logging.INFO, "", 0, text, arguments, None)


def test_one_kind_of_line_comes_a_few_times_and_then_once_a_second():
    clock = Clock()
    budget = Budget(clock)
    assert sum(budget.filter(record("bank %d", n)) for n in range(5000)) == BURST
    assert budget.filter(record("another kind"))
    clock.moment += 1.0
    again = record("bank %d", 7)
    assert budget.filter(again) and again.getMessage() == f"bank 7 (and {5000 - BURST} more lines)"


def test_many_kinds_together_have_a_budget_too():
    budget = Budget(Clock())
    assert sum(budget.filter(record(f"made up {n}")) for n in range(5000)) == journal.ALL_BURST


@pytest.mark.parametrize("evil", ["\x1b[2J", "\x1b]0;title\x07", "\x9b31m", "‮txt.exe", "\r12:00:00 ERROR  gone", "\x00", "⁦"])
def test_what_would_act_on_a_terminal_is_spelled_out(evil):
    shown = spell_out(f"a preset {evil} came")
    assert all(c.isprintable() for c in shown) and shown.startswith("a preset ")


def test_text_of_all_kinds_stays_and_a_second_line_is_no_new_entry():
    assert spell_out("Müller 世界 ñ") == "Müller 世界 ñ"
    shown = Plain("%(levelname)s %(message)s").format(record("first\n12:00:00 ERROR forged"))
    assert shown.split("\n")[1].startswith("   ")


def test_a_log_nobody_reads_ends_at_once():
    """A pipe that is full: the program goes on and ends."""
    program = textwrap.dedent("""
        import logging
        from live.show import journal
        stop = journal.start_log()
        for n in range(20000):
            logging.getLogger(f"live.{n % 300}").info("line %d %s", n, "x" * 3000)
        stop()
    """)
    reading, writing = os.pipe()
    try:
        done = subprocess.run([sys.executable, "-c", program], stderr=writing, timeout=180, cwd=ROOT)
        assert done.returncode == 0
    finally:
        os.close(reading)
        os.close(writing)


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
def test_names_beyond_the_terminals_letters_are_written_somehow(encoding):
    program = "import logging\nfrom live.show import journal\nstop = journal.start_log()\nlogging.getLogger('a').info('preset %s', '世界 é')\nstop()\n"
    done = subprocess.run([sys.executable, "-c", program], stderr=subprocess.PIPE, timeout=180, env=os.environ | {"PYTHONIOENCODING": encoding},
                          cwd=ROOT)
    assert b"preset" in done.stderr and b"Traceback" not in done.stderr


def test_a_closed_standard_error_does_no_harm():
    program = "import logging, os\nfrom live.show import journal\nos.close(2)\nstop = journal.start_log()\nlogging.getLogger('a').info('lost')\nstop()\nprint('played on')\n"
    done = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, timeout=180, cwd=ROOT)
    assert done.stdout.strip() == b"played on"


def test_a_line_has_an_end():
    shown = Plain("%(levelname)s %(message)s").format(record("%s", "x" * 65000))
    assert len(shown) < journal.LONGEST + 100 and f"({65000 - journal.LONGEST} more letters)" in shown
