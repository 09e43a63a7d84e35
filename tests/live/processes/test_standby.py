"""The renderer that stands by: it takes over, comes and goes unseen, and outlives nobody."""
import os
import signal
import sys

import pytest

from live.processes.standby import Pace
from tests.live.processes.test_supervisor import alive, rig  # noqa: F401  (the fixture)

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are looked up in /proc")
READY = {"modules": ["json", "a_library_that_is_not_there"], "SETTLED": 0.0}


def waiting(show):
    """The process that stands by, once there is one."""
    known = (show.newest()["pid"], show.pid("a"), show.pid("b"))
    found = set()
    show.until(lambda: found.update(set(show.children()) - set(known)) or found, "one stands by")
    return found.pop()


def test_it_draws_where_the_renderer_was_killed_and_another_one_stands_by(rig):  # noqa: F811
    show = rig(**READY)
    show.playing(1)
    second, first = waiting(show), show.renderer()["pid"]
    os.kill(first, signal.SIGKILL)
    show.playing(2)
    assert show.renderer(1)["pid"] == second
    third = waiting(show)
    assert third not in (first, second)
    show.until(lambda: "Z" not in show.children().values(), "the dead one is buried")


def test_it_may_die_and_nobody_notices(rig):  # noqa: F811
    show = rig(**READY, AGAIN=0.2)
    show.playing(1)
    before, seen = waiting(show), show.note("a")["seen"]
    os.kill(before, signal.SIGKILL)
    show.until(lambda: not alive(before) and before not in show.children(), "it is buried")
    assert waiting(show) != before and not show.note("renderer-1")
    show.until(lambda: show.note("a")["seen"] > seen, "the show goes on")


@pytest.mark.parametrize("by, code", [(signal.SIGTERM, 0), (signal.SIGKILL, -signal.SIGKILL)])
def test_it_ends_with_the_show(rig, by, code):  # noqa: F811
    show = rig(**READY)
    show.playing(1)
    pid = waiting(show)
    os.kill(show.process.pid, by)
    show.ended(code)
    show.until(lambda: not alive(pid), "it has ended")


def test_a_show_that_wants_none_has_none(rig):  # noqa: F811
    show = rig(SETTLED=0.0)
    show.playing(1)
    show.until(lambda: show.note("a")["seen"] > 50, "some frames")
    assert len(show.children()) == 3


def test_it_rests_before_each_module_until_it_is_needed():
    class Link:
        asked = []

        def poll(self, seconds):
            self.asked.append(seconds)

    pace = Pace(Link())
    assert pace.find_spec("json", None) is None and Link.asked == [pytest.approx(0.003)]
