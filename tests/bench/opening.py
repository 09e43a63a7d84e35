"""Another network opened under a playing show: which frames come late because of it?

    python run_live.py bench opening --size 512 --seconds 60

A show of --instrument plays at 30 fps; in turns it plays on undisturbed (`steady`), opens another network beside itself (`opening`: until that is
ready), crosses over to it in a second (`crossing`), and cuts back. The others have random weights: one of the instrument's own shape at 1024 px
(`built-in`), and one as large as the published ones (`config-f`). Then the same with what opens it not giving way to the show. In each phase: milliseconds a frame, and those past their time (`late`).
"""
import pathlib
import tempfile

from live.show import threads
from live.show.clock import WallClock
from live.show.events import ControlEvent
from tests.bench import _common

OTHERS = ("built-in", "config-f")
LONGEST = 240.0                                         # seconds that an opening may take


def bench(options: dict) -> dict:
    """See the module's docstring. options: instrument, size, seconds, device, threads, all optional; others: names of _common.SHAPES."""
    from engine.checkpoints import native

    seconds, names = options.get("seconds") or 60.0, options.get("others") or OTHERS
    rows: dict[str, list] = {}
    usual = threads.LEAST
    with tempfile.TemporaryDirectory() as folder:
        paths = {name: native.save(pathlib.Path(folder) / f"{name}.safetensors", _common.random_network(_common.SHAPES[name]), "float32") for name in names}
        show, switch = _show(options)
        ticks, share = WallClock(_common.FPS).ticks(), seconds / (2 * len(paths))
        try:
            for least in (threads.LEAST, 0):
                for name, path in paths.items():
                    _play(show, ticks, rows.setdefault("steady", []), lambda n: n >= share * _common.FPS)
                    threads.LEAST = least
                    _open_and_go_back(show, switch, ticks, rows, name if least else f"{name}, not giving way", str(path))
        finally:
            threads.LEAST = usual
            show.close()
    found = {name: _common.summary(ms) | {"late": sum(m > 1000 / _common.FPS for m in ms)} for name, ms in rows.items() if ms}
    _common.show(found)
    return found | {"said": list(show.said), "size": show.instrument.size, "machine": _common.machine()}


def _show(options):
    """A show that can open others."""
    from live.instrument import open as opening
    from live.instrument.switch import Switch
    from live.mapping.mapping import Mapping
    from live.presets.recall import Recall
    from live.show.loop import Show

    settings = {"size": options.get("size") or 512, "device": options.get("device"), "threads": options.get("threads")}
    opened = opening.open_instrument(options.get("instrument") or "presets/masks", **settings)
    scene = opened.scene.set_values({"/walk/kind": "wander", "/quality/auto": 0.0, "/instrument/seconds": 1.0})
    show = Show(opened.instrument, Mapping(), scene, strict=True)
    switch = Switch(show, opened, _common.FPS, False, "fp32", **settings)
    show.join(recall=Recall(show), switch=switch)
    show.said = []
    show.notices.tell = lambda text, kind="": show.said.append(text)
    show.instrument.warm_up(show.scene)
    return show, switch


def _open_and_go_back(show, switch, ticks, rows, name, path):
    """Open another network, cross over to it, and cut back."""
    home = str(switch.home.folder.whole)
    show.inbox.put(ControlEvent("osc /instrument/open", path))
    _play(show, ticks, rows.setdefault(f"opening {name}", []), lambda n: switch.crossing is not None or n > LONGEST * _common.FPS)
    _play(show, ticks, rows.setdefault(f"crossing {name}", []), lambda n: switch.crossing is None)
    show.inbox.put(ControlEvent("osc /instrument/seconds", 0.0))
    show.inbox.put(ControlEvent("osc /instrument/open", home))
    _play(show, ticks, [], lambda n: n > 1 and not switch.is_busy)
    show.inbox.put(ControlEvent("osc /instrument/seconds", 1.0))
    switch.before, switch.held = None, None
    switch.loader.keep_only({switch.opened.generator})  # the next time it is opened anew


def _play(show, ticks, taken, over):
    """Play until over(frames), taking down what each frame took."""
    ring, n = show.meter.frame_ms, 0
    for tick in ticks:
        show.frame(tick)
        taken.append(ring.newest)
        n += 1
        if over(n):
            return
