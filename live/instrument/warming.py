"""An instrument opened and warmed up beside a show, and what it will cost. Runs in a thread of its own. Knows no tensors."""
from engine.motion import Motion
from live.instrument import open as opening
from live.outputs.dissolve import prepare_mixing
from live.show.clock import measure_cost, spent

TRIED = 3                           # pictures that are timed


def open_warm(folder, fps: float, precision: str, **settings):
    """Return (an instrument, opened and warmed up, the seconds it takes a frame by itself). settings: of open_instrument()."""
    from engine.fast.precision import default_folder

    prepare_mixing()
    opened = opening.open_instrument(folder.whole, nearest=True, **settings)
    opened.instrument.use_precision(precision, measure_cost, default_folder())
    opened.instrument.warm_up(opened.scene)
    motion, took = Motion(), []
    for _ in range(TRIED):
        motion, start = motion.advance(opened.scene, 1 / fps), spent()
        opened.instrument.render(opened.scene, motion, None)
        took.append(spent() - start)
    return opened, min(took)


def describe_cost(name: str, new: float, old: float, fps: float) -> str:
    """Return what is said of two networks that can't both be drawn in a frame's time; "" where they can. new, old: seconds a frame."""
    if (new + old) * fps <= 1.0:
        return ""
    times = f"{name} takes {1000 * new:.0f} ms a frame and what plays {1000 * old:.0f} ms, of {1000 / fps:.0f} ms there are"
    if new * fps > 1.0:
        return f"{times}: it does not keep up with {fps:g} fps here; a smaller --size or --fps does"
    return f"{times}: while both are seen each is drawn in every second frame"
