"""Commands that change which bends a scene has, and bring all of them in and out. Knows no tensors.

Each works on the scene of the moment and returns what the loop shall apply.
"""
from engine.errors import UserError
from live.show.commands import command, to_number
from live.show.data import MOST_BENDS
from live.show.events import Change

PLACES = ("part", "box", "mask")


@command("/bends/neutral")
def neutral(show, seconds=0.0):
    """All bends to dry over so many seconds; their own mixes stay. /bends/return brings them back."""
    return [Change("/bends/glide", to_number(seconds, of="seconds")), Change("/bends/amount", 0.0)]


@command("/bends/return")
def come_back(show, seconds=0.0):
    """All bends back to their mixes, over so many seconds."""
    return [Change("/bends/glide", to_number(seconds, of="seconds")), Change("/bends/amount", 1.0)]


@command("/bends/add")
def add(show, name=None, layer=None, channels=None, transform=None, mix=1.0, where=None):
    """Add a bend at the end: NAME PLACE TRANSFORM [MIX], the place part:eyes, box or mask:NAME; or NAME LAYER CHANNELS TRANSFORM [MIX] [WHERE],
    channels: all, a cluster, random:0.3:7 or 0,4,7-9. A named cluster acts where it is seen; WHERE everywhere is the whole map.
    With mix 0 nothing is seen of it yet."""
    asked = _parse_request(layer, channels, transform, mix, where)
    name = str(name)
    if any(bend.name == name for bend in show.scene.bends):
        raise UserError(f"there is a bend {name!r} already; /bends/remove it first, or choose another name")
    if len(show.scene.bends) >= MOST_BENDS:
        raise UserError(f"there are {MOST_BENDS} bends already; /bends/remove one first")
    bend = show.instrument.new_bend({"name": name, **asked, "mix": to_number(asked["mix"], of="mix")})
    return [show.scene.with_bends((*show.scene.bends, bend))]


def _parse_request(layer, channels, transform, mix, where) -> dict:
    """Return the settings of a bend from the arguments of /bends/add, which name a layer and channels, or a place."""
    if isinstance(layer, str) and layer.partition(":")[0] in PLACES:
        if channels is None:
            raise UserError(f"/bends/add: expected NAME {layer} TRANSFORM [MIX], such as: big-eyes part:eyes scale")
        return {"where": layer, "transform": channels, "mix": 1.0 if transform is None else transform}
    if transform is None:
        raise UserError("/bends/add: expected NAME LAYER CHANNELS TRANSFORM [MIX] [WHERE] or NAME PLACE TRANSFORM [MIX], such as: "
                        "eyes b32.conv1 random:0.3 rotate, or: big-eyes part:eyes scale")
    return {"layer": layer, "channels": _to_words(channels), "transform": transform, "mix": mix} | ({} if where is None else {"where": where})


@command("/bends/remove")
def remove(show, name=None):
    """Take a bend out."""
    gone = _find_bend(show.scene, name)
    return [show.scene.with_bends(bend for bend in show.scene.bends if bend is not gone)]


@command("/bends/move")
def move(show, name=None, position=None):
    """Put a bend at a position, 0 first; bends of one layer act in order."""
    moved = _find_bend(show.scene, name)
    bends = [bend for bend in show.scene.bends if bend is not moved]
    place = to_number(position, of="position")
    bends.insert(int(min(max(place, 0), len(bends))), moved)
    return [show.scene.with_bends(bends)]


@command("/bends/clear")
def clear(show, on=None):
    """Take all bends out."""
    return [show.scene.with_bends(())]


def _find_bend(scene, name):
    for bend in scene.bends:
        if bend.name == str(name):
            return bend
    there = ", ".join(bend.name for bend in scene.bends) or "none"
    raise UserError(f"no bend {name!r}; there are: {there}")


def _to_words(channels):
    """Return channels as text, as they may have been sent: text, or the index of a single one."""
    if isinstance(channels, float) and channels.is_integer() or isinstance(channels, int):
        return str(int(channels))
    return channels
