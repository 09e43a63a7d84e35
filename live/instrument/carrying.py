"""What goes along, and what gives way, when another network comes to play: the scene, macros, what is recorded. Knows no tensors."""
from dataclasses import replace
from pathlib import Path

from engine.errors import UserError
from engine.scene import Scene


def carry_scene(scene: Scene, opened, base: Scene) -> tuple[Scene, list[str]]:
    """Return (the scene to play another instrument with, what could not be taken along).

    What both have in common stays as it was turned: the walk, the performer's own; bends that fit, modulators whose target is there.
    opened: live.instrument.open.Opened. base: what it begins with by itself.
    """
    lost, bends = [], []
    for bend in scene.bends:
        try:
            bends.append(opened.instrument.bend(bend.to_dict()))
        except UserError:
            lost.append(f"bend {bend.name}")
    base = base.with_bends(bends)
    modulators = [modulator for modulator in scene.modulators if modulator.target in base.parameters]
    lost += [f"modulator {modulator.name}" for modulator in scene.modulators if modulator not in modulators]
    base = base.with_modulators(modulators)
    parameters = scene.parameters
    same = {address: value for address, value in scene.values.items()
            if address in base.parameters and replace(base.parameters[address], about="", default=parameters[address].default)
            == replace(parameters[address], about="") and address not in opened.folder.start}
    return base.set_values(same), lost


def carry_macros(mapping, old, new):
    """Put a network's macros on a mapping in the place of those of the network before; what mapping files and hands made of others stays."""
    kept = {n: macro for n, macro in mapping.macros.items() if not any(macro is other for other in old)}
    mapping.macros = {macro.macro: macro for macro in new} | kept


def carry_recording(recording, opened):
    """Have what is recorded and saved from now on say which network it is of. recording: live.takes.recording.Recording, or None."""
    if recording is None:
        return
    if recording.origin is not None:
        recording.origin = replace(recording.origin, instrument=opened.name, generator=opened.generator, size=opened.instrument.size)
    if recording.autosave is not None:
        recording.autosave.path, recording.autosave.generator = Path(opened.folder.folder) / ".last-scene.json", opened.generator
