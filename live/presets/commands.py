"""Commands of presets, morphs, the pad, A/B, locks and undo. Each returns what the loop shall apply."""
import logging

from engine.errors import UserError
from live.files.names import check_name
from live.presets.preset import check_sections
from live.presets.recall import Recall
from live.presets.undo import Step
from live.show.commands import command, to_number

log = logging.getLogger(__name__)


def find_recall(show) -> Recall:
    """Return what goes to presets in a show. UserError: it was started without."""
    if show.recall is None:
        raise UserError("this show has no presets and no undo: it was started without")
    return show.recall


def _to_seconds(seconds):
    return None if seconds is None else to_number(seconds, "seconds")


@command("/preset/recall")
def recall(show, name, seconds=None):
    """Go to a preset by name or number, over so many seconds (else its own, else /morph/seconds)."""
    recall, seconds = find_recall(show), _to_seconds(seconds)
    name = recall.library.find_name(name, recall.bank)
    recall.library.peek(name)                            # what is wrong with it is said now, not on the beat
    return show.quantiser.schedule(lambda: recall.recall(name, seconds), "recall")


@command("/preset/next")
def next_preset(show, on=None):
    """Go to the preset after the last one recalled; after the last comes the first."""
    return _step_presets(show, 1)


@command("/preset/previous")
def previous_preset(show, on=None):
    """Go to the preset before the last one recalled."""
    return _step_presets(show, -1)


def _step_presets(show, by):
    """Go on by so many presets in the set list. One that can't be read is passed over, and logged."""
    recall = find_recall(show)
    names = recall.library.list_names(recall.bank)
    if not names:
        raise UserError("there are no presets yet; /preset/store NAME makes one")
    at = names.index(recall.current) if recall.current in names else (-1 if by > 0 else len(names))
    wrong: list[UserError] = []
    for step in range(1, len(names) + 1):
        name = names[(at + by * step) % len(names)]
        try:
            recall.library.peek(name)
        except UserError as error:
            wrong.append(error)
            continue
        if wrong:
            log.warning("%s; passed over", wrong[0])
        return show.quantiser.schedule(lambda: recall.recall(name), "recall")
    raise wrong[0]


@command("/preset/cue")
def cue(show, name):
    """Choose the preset that /preset/go will go to."""
    recall = find_recall(show)
    name = recall.library.find_name(name, recall.bank)
    recall.library.peek(name)
    recall.cued = name
    show.notices.tell(f"preset {name} is cued; /preset/go goes there", "cue")


@command("/preset/go")
def go(show, seconds=None):
    """Go to the cued preset, or the next one, over so many seconds."""
    recall = find_recall(show)
    if recall.cued is None:
        return _step_presets(show, 1)
    name, seconds = recall.cued, None if seconds in (1, None) else _to_seconds(seconds)    # 1: a button's press
    return show.quantiser.schedule(lambda: recall.recall(name, seconds), "recall")


@command("/preset/store")
def store(show, name=None, section1=None, section2=None, section3=None, section4=None, section5=None):
    """Keep what is playing as a preset, or only sections of it: latent, bends, weights, source, modulators, rest."""
    recall = find_recall(show)
    sections = check_sections(s for s in (section1, section2, section3, section4, section5) if s is not None)
    recall.store(_choose_name(recall.library, name), sections)


def _choose_name(library, name):
    """Return the name to store under: a new one for a bare press, the preset's own for a number there is."""
    names = library.list_names()
    if name in (None, True, 1, 1.0):
        return next(f"look {n:03d}" for n in range(1, 10000) if f"look {n:03d}" not in names)
    if isinstance(name, (int, float)):
        return library.find_name(name)
    return check_name(name)


@command("/preset/update")
def update(show, on=None):
    """Keep what is playing under the name last recalled or stored; undo brings the old one back."""
    recall = find_recall(show)
    if recall.current is None:
        raise UserError("no preset was recalled or stored yet: /preset/store NAME")
    before = recall.library.get(recall.current)
    recall.store(recall.current, before.sections if before else ())


@command("/preset/rename")
def rename(show, old, new):
    """Give a preset another name; its place in the set list stays."""
    recall = find_recall(show)
    library, old, new = recall.library, recall.library.find_name(old), check_name(new)
    if new in library.list_names():
        raise UserError(f"there is a preset {new!r} already")
    _replace_name(recall, old, new)
    about = f"preset {old} renamed to {new}"
    recall.undo.push(Step([], [], (lambda: _replace_name(recall, new, old), lambda: _replace_name(recall, old, new)), about=about))
    show.notices.tell(about)


def _replace_name(recall, old, new):
    library = recall.library
    library.peek(old)
    _change_lists(library, lambda names: [new if name == old else name for name in names])
    library.rename(old, new)
    if any(old in (step.preset, step.then, *step.chance) for step in library.show):
        library.set_order(library.list_order(), None, [step.rename(old, new) for step in library.show])
    recall.current = new if recall.current == old else recall.current


def _change_lists(library, act):
    """Have the set list and the banks name other presets: act(names) -> names."""
    lists = library.list_order(), library.list_banks()
    changed = act(lists[0]), {bank: act(names) for bank, names in lists[1].items()}
    if changed != lists:
        library.set_order(*changed)


@command("/preset/delete", guarded=True)
def delete(show, name):
    """Take a preset away, out of the set list too; undo brings it back to its place."""
    recall = find_recall(show)
    library, name = recall.library, recall.library.find_name(name)
    before, lists = library.peek(name), (library.list_order(), library.list_banks())

    def away():
        _change_lists(library, lambda names: [other for other in names if other != name])
        library.store(name, None)

    def back():
        library.store(name, before)
        if (library.list_order(), library.list_banks()) != lists:
            library.set_order(*lists)

    away()
    recall.undo.push(Step([], [], (back, away), about=f"preset {name} deleted"))
    show.notices.tell(f"preset {name} deleted; /undo brings it back")


@command("/preset/move")
def move(show, name, position):
    """Put a preset at a position of the set list, counted from 1."""
    library = find_recall(show).library
    before, names, name = library.list_order(), library.list_names(), library.find_name(name)
    names.remove(name)
    names.insert(max(0, int(to_number(position, "a position")) - 1), name)
    library.set_order(names)
    find_recall(show).undo.push(Step([], [], (lambda: library.set_order(before), lambda: library.set_order(names))))


@command("/preset/bank")
def bank(show, name=""):
    """Number, next and previous mean this bank of the set list from now on; no name = all presets."""
    recall = find_recall(show)
    if name not in ("", 1, None) and name not in recall.library.list_banks():
        raise UserError(f"no bank {name!r}; there are: {', '.join(recall.library.list_banks()) or 'none'}")
    recall.bank = name if isinstance(name, str) else ""


@command("/preset/bank/add")
def add_to_bank(show, bank, name=None, position=None):
    """Put a preset into a bank of the set list, at a position counted from 1, else last; no name = the one that plays. A new bank is made."""
    recall = find_recall(show)
    if name is None and recall.current is None:
        raise UserError("no preset was recalled or stored yet: /preset/bank/add BANK NAME")
    bank, name = check_name(bank), recall.library.find_name(recall.current if name is None else name)
    kept = [other for other in recall.library.list_banks().get(bank, []) if other != name]
    at = len(kept) if position is None else max(0, int(to_number(position, "a position")) - 1)
    _set_bank(recall, bank, [*kept[:at], name, *kept[at:]])


@command("/preset/bank/remove")
def remove_from_bank(show, bank, name=None):
    """Take a preset out of a bank, or the whole bank away; the presets themselves stay."""
    recall = find_recall(show)
    there = recall.library.list_banks()
    if bank not in there:
        raise UserError(f"no bank {bank!r}; there are: {', '.join(there) or 'none'}")
    if name is not None and name not in there[bank]:
        raise UserError(f"bank {bank} has no {name!r}; it has: {', '.join(there[bank])}")
    _set_bank(recall, bank, [] if name is None else [other for other in there[bank] if other != name])


def _set_bank(recall, bank, names):
    """Have a bank hold these presets; one without any goes. Undo brings it back."""
    library, order, before = recall.library, recall.library.list_order(), recall.library.list_banks()
    after = {**before, bank: names} if names else {other: held for other, held in before.items() if other != bank}
    library.set_order(order, after)
    recall.bank = "" if recall.bank not in after else recall.bank
    recall.undo.push(Step([], [], (lambda: library.set_order(order, before), lambda: library.set_order(order, after))))


@command("/morph/reverse")
def reverse(show, on=None):
    """Turn the morph in progress round; again: on."""
    if morph := find_recall(show).morph:
        morph.reverse()


@command("/morph/stop")
def stop(show, on=None):
    """Stay where the morph in progress has got to."""
    find_recall(show).morph = None


@command("/pad/corner")
def corner(show, which, name):
    """Put a preset at a corner of the pad: 1 2 above, 3 4 below. /pad/on 1, /pad/x and /pad/y then mix them."""
    recall, at = find_recall(show), int(to_number(which, "a corner 1..4"))
    if not 1 <= at <= 4:
        raise UserError(f"expected a corner 1..4, got {at}")
    found = recall.corners[at - 1] = recall.library.find_name(name)
    recall.library.peek(found)
    recall.pad = None


@command("/compare")
def compare(show, on=None):
    """From A to B or back. The first time, B is a copy of A: change it, and compare."""
    return find_recall(show).compare()


@command("/lock")
def lock(show, address):
    """Recalls, morphs, decks, lanes and the set list leave this address, or all below it, as it is: /lock /walk, /lock /tempo."""
    recall = find_recall(show)
    if not any(a == address or a.startswith(f"{address}/") for a in show.scene.parameters) and address != "/bends":
        raise UserError(f"nothing to lock at {address!r}: expected an address or the beginning of one, such as /walk")
    recall.locks = (*(lock for lock in recall.locks if lock != address), address)
    if recall.morph:
        recall.morph.release_below(address)


@command("/unlock")
def unlock(show, address=None):
    """Take a lock off; without an address, all."""
    recall = find_recall(show)
    recall.locks = () if not isinstance(address, str) else tuple(a for a in recall.locks if a != address)


@command("/undo")
def undo(show, on=None):
    """Take back the last thing a hand did: a turn of a knob, a recall, a preset overwritten."""
    return find_recall(show).step_back()


@command("/redo")
def redo(show, on=None):
    """Do again what was taken back last."""
    return find_recall(show).step_back(again=True)
