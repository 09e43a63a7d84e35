"""Commands of the set list's show. Each returns what the loop shall apply."""
from engine.errors import UserError
from live.files.names import check_name
from live.presets.commands import find_recall
from live.presets.set_list import ACTIONS, Step
from live.presets.undo import Step as Undoable
from live.show.commands import command, to_number
from live.show.events import Change
from live.stage.running import AUTO, Running

UNITS = ("seconds", "beats", "bars")
MOST = 1000                         # steps of a show


def find_running(show) -> Running:
    """Return what runs the set list. UserError: the show was started without."""
    find_recall(show)
    running = show.find_player("running")
    if running is None:
        raise UserError("this show has no set list that runs: it was started without")
    return running


@command("/set/go")
def go(show, on=None):
    """On to the look that follows now, whatever is left of this one's time; a look that would stay goes to the next."""
    return find_running(show).go_on()


@command("/set/hold")
def hold(show, on=None):
    """Stay at this look until /set/go; again: go on counting."""
    running = find_running(show)
    running.holding = not running.holding
    show.notices.tell("the set list holds; /set/go goes on" if running.holding else "the set list goes on", "set")


@command("/set/start")
def start(show, number=1):
    """Run the set list's show from its first look, or from this number."""
    running = find_running(show)
    return [*running.go_to(_find_step(running, number, "/set/start")), *show.mark_own([Change(AUTO, 1.0)])]


@command("/set/add")
def add(show, preset=None, hold=None, unit="seconds", then="next", instrument=""):
    """Add a look at the end of the show: PRESET HOLD UNIT THEN INSTRUMENT; no preset = the one that plays. UNIT: seconds, beats or bars. THEN: next, stay,
    other, ... INSTRUMENT: whose look it is, if not one of the presets here.
    """
    running, recall = find_running(show), find_recall(show)
    if preset in (None, True, 1, 1.0) and recall.current is None:
        raise UserError("no preset was recalled or stored yet: /set/add PRESET")
    name = check_name(preset) if instrument else recall.library.find_name(recall.current if preset in (None, True, 1, 1.0) else preset)
    if len(running.steps) >= MOST:
        raise UserError(f"the show has {MOST} looks already; /set/remove one first")
    _set_steps(recall, [*running.steps, _make_step(running, name, hold, unit, then, str(instrument))], f"{name} added to the show")


def _make_step(running, name, hold, unit, then, instrument) -> Step:
    """Return a step as it was asked for. UserError: what of it can't be."""
    seconds = Step.model_fields["hold"].default if hold is None else to_number(hold, "a number to hold", "/set/add")
    if seconds < 0:
        raise UserError(f"/set/add: expected a hold from 0 up, got {seconds:g}")
    if unit not in UNITS:
        raise UserError(f"/set/add: expected {', '.join(UNITS)}, got {unit!r}")
    if then not in ACTIONS and then not in (name, *(step.preset for step in running.steps)):
        raise UserError(f"/set/add: expected {', '.join(ACTIONS)} or a preset of the show, got {then!r}")
    return Step(preset=name, instrument=instrument, hold=seconds, unit=unit, then=then)


@command("/set/remove")
def remove(show, number):
    """Take a look out of the show by its number; undo brings it back."""
    running, recall = find_running(show), find_recall(show)
    at = _find_step(running, number, "/set/remove")
    name = running.steps[at].preset
    left = [step for n, step in enumerate(running.steps) if n != at]
    if any(action == name for step in left for action in (step.then, *step.chance)) and all(step.preset != name for step in left):
        raise UserError(f"/set/remove: another look of the show goes to {name}")
    _set_steps(recall, left, f"{name} taken out of the show")


@command("/set/move")
def move(show, number, position):
    """Put a look of the show at another place of it, both counted from 1."""
    running, recall = find_running(show), find_recall(show)
    steps = list(running.steps)
    step = steps.pop(_find_step(running, number, "/set/move"))
    at = int(to_number(position, "a position", "/set/move"))
    if not 1 <= at <= len(steps) + 1:
        raise UserError(f"/set/move: expected a position from 1 to {len(steps) + 1}, got {at}")
    _set_steps(recall, [*steps[:at - 1], step, *steps[at - 1:]], f"{step.preset} moved in the show")


def _find_step(running, number, of) -> int:
    """Return the index of the step with a number counted from 1, or of a preset's name."""
    steps = running.steps
    if not steps:
        raise UserError(f"{of}: the set list has no show: /set/add PRESET makes one, or setlist.yaml with schema: 2")
    named = next((n for n, step in enumerate(steps) if step.preset == number), None)
    if named is not None:
        return named
    at = to_number(number, f"a number from 1 to {len(steps)} or a preset of the show", of)
    if at != int(at) or not 1 <= at <= len(steps):
        raise UserError(f"{of}: expected a number from 1 to {len(steps)} or a preset of the show, got {number!r}")
    return int(at) - 1


def _set_steps(recall, steps, about):
    """Have the show be these steps; undoable."""
    library, order, before = recall.library, recall.library.list_order(), list(recall.library.show)
    library.set_order(order, None, steps)
    recall.undo.push(Undoable([], [], (lambda: library.set_order(order, None, before), lambda: library.set_order(order, None, steps)), about=about))
    recall.show.notices.tell(about, "set")


@command("/msc/go")
def go_to_cue(show, cue=None):
    """MIDI Show Control's GO: the show's look of this number or name, else on to the one that follows."""
    running = find_running(show)
    running.holding = False
    if cue in (None, "", True) or isinstance(cue, float) and cue == 1.0:
        return running.go_on()
    return running.go_to(_find_step(running, cue, "/msc/go"))


@command("/msc/stop")
def stop(show, on=None):
    """MIDI Show Control's STOP: stay at this look until /msc/resume or a GO."""
    find_running(show).holding = True
    show.notices.tell("the set list holds; /msc/resume or /set/go goes on", "set")


@command("/msc/resume")
def resume(show, on=None):
    """MIDI Show Control's RESUME: go on counting; the set list goes on by itself from here."""
    find_running(show).holding = False
    return show.mark_own([Change(AUTO, 1.0)])
