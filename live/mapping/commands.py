"""Commands of the hands themselves: learn, banks, macros, and keeping what was learned in a mapping file."""
import logging
from pathlib import Path

from pydantic import ValidationError

from engine.errors import UserError
from live.files.names import check_name
from live.mapping import files as mapping_file
from live.mapping.learn import find_target
from live.mapping.macros import Macro, Target
from live.osc.address import find_matches, is_pattern
from live.show.commands import command, to_number
from live.show.parameters import MACROS
from live.show.threads import make_thread

log = logging.getLogger(__name__)
IN_A_LINE = 5                       # keys told in a line


@command("/keys")
def keys(show, on=None):
    """Say in the terminal what the keys do."""
    said: dict[str, list] = {}
    known = set()
    for layer in (show.mapping.learn.layer, *reversed(show.mapping.layers)):         # the first decides
        here = [b for b in layer if b.control.startswith("key ") and b.control not in known]
        known |= {b.control for b in here}
        for b in here:
            step = f" {b.step:+g}" if b.step else ""
            twice = " (twice)" if b.confirm else ""
            said.setdefault(" ".join([b.to, *map(str, b.arguments)]) + step + twice, []).append(b.control.removeprefix("key "))
    told = [f"{', '.join(names)} {what}" for what, names in said.items()]
    for first in range(0, len(told), IN_A_LINE):         # few lines, as a log lets only so many through at once
        log.info("keys: %s", "; ".join(told[first:first + IN_A_LINE]))


@command("/midi/learn", guarded=True)
def learn(show, address=None, how=None):
    """Bind the next control that moves to an address; without one, to what was changed last. Again: cancel."""
    mapping = show.mapping
    bare = not isinstance(address, str)                  # a press of a key or pad
    if bare and mapping.learn.wanted:
        return cancel(show)
    if bare and mapping.last is None:
        raise UserError("learn: nothing was changed yet; change a parameter first, or name one: /midi/learn /truncation")
    address = find_target(mapping.last if bare else address, show.scene)
    mapping.learn.begin(address, how)
    log.info("learn: move the control that is to play %s; /midi/cancel stops waiting", address)


@command("/midi/cancel")
def cancel(show, on=None):
    """Stop waiting for a control to learn."""
    waited = show.mapping.learn.cancel()
    log.info("learn: cancelled %s", ", ".join(waited) or "nothing")


@command("/midi/undo")
def undo(show, on=None):
    """Take back what was learned or forgotten last."""
    if show.mapping.learn.undo():
        show.mapping.rebind()
    else:
        raise UserError("learn: nothing to take back")


@command("/midi/forget")
def forget(show, address):
    """Forget the controls learned for an address."""
    if not show.mapping.learn.forget(address):
        learned = sorted({binding.to for binding in show.mapping.learn.layer})
        raise UserError(f"nothing was learned for {address!r}; there are: {', '.join(learned) or 'none'}")
    show.mapping.rebind()


@command("/mapping/save", guarded=True)
def save(show, name=None):
    """Keep what was learned in a mapping file: the last one given with --mapping, or mappings/NAME.yaml."""
    mapping = show.mapping
    path = _find_path(mapping, name)
    bindings, macros = list(mapping.learn.layer), [mapping.macros[n] for n in sorted(mapping.macros)] if mapping.macros_changed else []
    if not bindings and not macros:
        raise UserError("nothing was learned yet: /midi/learn ADDRESS, then move a control")

    def work():
        try:
            mapping_file.save(path, bindings, macros)
            log.info("%s: saved %d bindings; play with --mapping %s", path, len(bindings), path)
        except UserError as error:
            log.error("%s", error)

    make_thread("mapping", work, awaited=True).start()


def _find_path(mapping, name):
    given = [Path(path) for path in mapping.paths if not mapping_file.is_shipped(path)]
    if not isinstance(name, str):
        return given[-1] if given else mapping_file.FOLDER / "learned.yaml"
    same = [path for path in given if name in (str(path), path.name, path.stem)]
    folder = given[-1].parent if given else mapping_file.FOLDER
    path = same[-1] if same else folder / f"{check_name(name.removesuffix('.yaml'))}.yaml"
    if mapping_file.is_shipped(path):
        raise UserError(f"{path} belongs to the program and every show reads it; take another name: /mapping/save mine")
    return path


@command("/bank")
def bank(show, which):
    """Play the bindings of a bank, from 1."""
    _go_to_bank(show.mapping, _to_whole(which, show.mapping.banks, "a bank"))


@command("/bank/next")
def next_bank(show, on=None):
    """On to the next bank; after the last comes the first."""
    _go_to_bank(show.mapping, show.mapping.bank % show.mapping.banks + 1)


@command("/bank/previous")
def previous_bank(show, on=None):
    """Back to the bank before; before the first comes the last."""
    _go_to_bank(show.mapping, (show.mapping.bank - 2) % show.mapping.banks + 1)


def _go_to_bank(mapping, wanted):
    mapping.rebind(wanted)
    log.info("bank %d", wanted)


@command("/macro/target")
def macro_target(show, macro, address, low=0.0, high=1.0, curve="linear"):
    """Put a parameter on a macro, or all that a wildcard fits; low and high, 0..1, say where in its range the macro's ends are, high to low turns it round."""
    which, low, high = _find_macro(macro), to_number(low), to_number(high)
    names = find_matches(address, show.scene.parameters) if isinstance(address, str) and is_pattern(address) else [find_target(address, show.scene)]
    if not names:
        raise UserError(f"/macro/target: no parameter fits {address}")
    try:
        new = [Target(to=name, range=(min(low, high), max(low, high)), curve=curve, inverse=low > high) for name in names]
    except ValidationError as error:
        raise UserError(f"/macro/target: {error.errors()[0]['msg'].removeprefix('Value error, ')}") from None
    before = show.mapping.macros.get(which) or Macro(macro=which)
    _put(show, before.model_copy(update={"to": [*(t for t in before.to if t.to not in names), *new]}))
    for one in new:
        parameter = show.scene.parameter(one.to)
        ends = (one.map_position(end, parameter) for end in (0.0, 1.0))
        log.info("macro %d moves %s from %s to %s", which, one.to, *(end if isinstance(end, str) else f"{end:g}" for end in ends))


@command("/macro/clear")
def clear(show, macro):
    """Take all parameters off a macro."""
    before = show.mapping.macros.get(_find_macro(macro)) or Macro(macro=_find_macro(macro))
    _put(show, before.model_copy(update={"to": []}))


@command("/macro/name")
def name_macro(show, macro, name):
    """Call a macro something."""
    before = show.mapping.macros.get(_find_macro(macro)) or Macro(macro=_find_macro(macro))
    _put(show, before.model_copy(update={"name": str(name)[:80]}))


def _put(show, macro):
    show.mapping.macros = {**show.mapping.macros, macro.macro: macro}
    show.mapping.macros_changed = True


def _find_macro(which):
    return _to_whole(which, MACROS, "a macro")


def _to_whole(value, most, what) -> int:
    """Return a whole number from 1 to the most there is."""
    found = to_number(value, f"{what} 1..{most}")
    if found not in range(1, most + 1):
        raise UserError(f"expected {what} 1..{most}, got {value}")
    return int(found)
