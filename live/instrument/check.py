"""Checking an instrument before a show: every preset, mapping, edit and encoder is loaded, drawn once and timed.

Knows how to find and try each kind of file, not what is in it.
"""
import importlib
import importlib.util
from dataclasses import dataclass
from pathlib import Path

from engine.errors import UserError
from engine.motion import Motion
from live.mapping.macros import move_targets
from live.presets.library import Library
from live.presets.preset import apply_preset
from live.show.clock import now
from live.show.parameters import add_parameters
from live.weights.presets import select_values

BROKEN = (UserError, RuntimeError, ArithmeticError, LookupError, TypeError, ValueError)      # what a bad file can make of a frame
DT = 1 / 30


@dataclass(frozen=True)
class Row:
    """One thing that was checked. ms: how long loading it and drawing one frame took; reason: why it failed, or a remark."""
    kind: str
    name: str
    passed: bool
    reason: str = ""
    ms: float = 0.0


def check(instrument, library: Library | None = None, folder=None, mappings=(), limit_ms=None, offer=None, macros=()) -> list[Row]:
    """Return a row for the instrument itself and for every file of it. folder: the instrument's. mappings: YAML files.

    limit_ms: a frame that takes longer fails. offer: live.weights.folder.Offer, what its weights can be turned to. macros: the instrument's own.
    """
    rows = [_make_row("instrument", "first frame", lambda: _draw(instrument, add_parameters(instrument.scene()), Motion()), limit_ms)]
    if library is not None:
        rows += [_make_row("preset", name, lambda: _check_preset(instrument, library, name), limit_ms) for name in library.list_names()]
        rows += [Row("set list", name, False, "there is no such preset") for name in _list_missing(library)]
    rows += [_make_row("mapping", Path(path).name, lambda: _check_mapping(path, instrument)) for path in mappings]
    rows += [_make_row("macro", macro.name, lambda: _check_macro(instrument, macro), limit_ms) for macro in macros]
    rows += _check_weights(instrument, offer, limit_ms) if offer is not None else []
    instrument.weights.write(instrument.scene())         # the parts are compared with the network's own weights
    for kind, pattern, module in (("clusters", "clusters.*", "engine.clusters"), ("encoder", "encoder*.safetensors", "engine.encoder")):
        for path in sorted(Path(folder).glob(pattern)) if folder else ():
            rows.append(_make_row(kind, path.name, lambda: _check_part(instrument, module, path)))
    return rows


def _check_weights(instrument, offer, limit_ms) -> list[Row]:
    """Return a frame of each edit at 1, each checkpoint at its full amount, and each weight preset."""
    looks = [("edit", edit.name, {f"/edits/{edit.name}/strength": 1.0}) for edit in offer.edits]
    looks += [("checkpoint", name, {f"/weights/{name}/amount": 1.0}) for name in offer.checkpoints]
    rows = [_make_row(kind, name, lambda: _draw(instrument, add_parameters(instrument.scene()).set_values(values), Motion()), limit_ms)
            for kind, name, values in looks]
    rows += [_make_row("weights", preset.name, lambda: _apply_weight_preset(instrument, preset), limit_ms) for preset in offer.file.presets]
    kinds = {"edits": "edit", "weights": "checkpoint"}
    return rows + [Row(kinds[address.split("/")[1]], address.split("/", 2)[2], False, reason) for address, reason in offer.greyed.items()]


def _apply_weight_preset(instrument, preset):
    values, missing = select_values(preset, instrument.weights.parameters)
    if missing:
        raise UserError(f"there is no {', '.join(missing)}")
    _draw(instrument, add_parameters(instrument.scene()).set_values(values), Motion())


def _make_row(kind, name, act, limit_ms=None) -> Row:
    start = now()
    try:
        note = act()
    except BROKEN as error:
        text = str(error) if isinstance(error, UserError) else f"{type(error).__name__}: {error}"
        return Row(kind, name, False, text, _measure_since(start))
    ms = _measure_since(start)
    if limit_ms is not None and ms > limit_ms:
        return Row(kind, name, False, f"took {ms:.0f} ms, more than {limit_ms:.0f}", ms)
    return Row(kind, name, True, note or "", ms)


def _measure_since(start) -> float:
    return round((now() - start) * 1000, 2)


def _draw(instrument, scene, motion):
    instrument.render(scene, motion.advance(scene, DT), None)


def _check_preset(instrument, library, name) -> str:
    """Recall it onto the instrument's first scene, masters off, and draw."""
    base = add_parameters(instrument.scene())
    preset = library.read(name)
    _draw(instrument, *apply_preset(preset, base, Motion()))
    made_elsewhere = preset.generator and library.generator and preset.generator != library.generator
    return f"made on {preset.instrument or 'another instrument'}: adapted" if made_elsewhere else ""


def _check_macro(instrument, macro):
    """Turn a macro all the way and draw."""
    scene = add_parameters(instrument.scene())
    if missing := [target.to for target in macro.to if target.to not in scene.parameters]:
        raise UserError(f"there is no {', '.join(missing)}")
    _draw(instrument, scene.set(move_targets(f"/macro/{macro.macro}", 1.0, scene, {macro.macro: macro})), Motion())


def _list_missing(library) -> list[str]:
    named = {*library.list_order(), *(name for names in library.list_banks().values() for name in names)}
    return sorted(named - set(library.list_names()))


def _check_mapping(path, instrument) -> str:
    """Load a mapping file; what in it means nothing to this instrument."""
    from live.mapping.files import find_doubts
    from live.mapping.mapping import Mapping

    Mapping.load([path])
    return "; ".join(find_doubts(path, add_parameters(instrument.scene())))


def _check_part(instrument, module, path):
    """Load a file with the module that knows it, if this version has one."""
    if importlib.util.find_spec(module) is None:
        raise UserError(f"{path}: this version cannot read it")
    load = importlib.import_module(module).load
    load(path, instrument.generator)
