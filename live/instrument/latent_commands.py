"""Commands of kept latents: going to them, walking through them, keeping what plays. Each returns what the loop shall apply."""
from dataclasses import replace

from engine.errors import UserError
from engine.walks.kept import WHOLE
from live.files.names import check_name
from live.instrument.find_commands import find_finds
from live.show.commands import command, to_number
from live.show.events import Change


def find_latents(show) -> dict:
    """Return {name: how many latents} of those the show has."""
    return find_finds(show).describe()["latents"]


def find_name(show, which) -> str:
    """Return the name of a kept latent given by name, or by its number, counted from 1."""
    names = list(find_latents(show))
    if which in names:
        return which
    try:
        number = int(float(which))
    except (TypeError, ValueError, OverflowError):
        raise UserError(f"no kept latent {which!r}; there are: {', '.join(names) or 'none yet'}") from None
    if not 1 <= number <= len(names):
        raise UserError(f"no kept latent number {number}; there are {len(names)}")
    return names[number - 1]


def walk_through(show, keys: tuple, seconds: float, more=(), **begun) -> list:
    """Return what brings the walk to these keys, over so many seconds. begun: fields of the motion besides."""
    seconds = show.scene.parameters["/walk/glide"].clamp(seconds)
    return [Change("/walk/kind", "kept"), *more, *show.mark_own([replace(show.motion, kept=keys, led=(), glide=seconds, **begun)])]


@command("/latents/go")
def go(show, name, index=0, seconds=None):
    """Go to a kept latent by name or number, to one of its sequence, over so many seconds (else /walk/glide), and stay there."""
    found = find_name(show, name)
    at, most = int(to_number(index, of="/latents/go")), find_latents(show)[found]
    if not 0 <= at < most:
        raise UserError(f"/latents/go: {found} has {most} latent{'s' if most > 1 else ''}, counted from 0; there is no {at}")
    glide = show.scene["/walk/glide"] if seconds is None else to_number(seconds, of="/latents/go")
    return walk_through(show, ((found, at),), glide)


@command("/latents/walk")
def walk(show, first=None, second=None, third=None, fourth=None, fifth=None, sixth=None, seventh=None):
    """Walk through kept latents, up to seven, in this order, round and round at /walk/speed; without a name through all there are."""
    asked = [name for name in (first, second, third, fourth, fifth, sixth, seventh) if name is not None]
    names = [] if asked in ([], [1], [1.0], [True]) else [find_name(show, name) for name in asked]
    if not find_latents(show):
        raise UserError("there are no kept latents yet; `run_live.py project` makes one of a picture")
    return walk_through(show, tuple((name, 0) for name in names), show.scene["/walk/glide"])


@command("/latents/play")
def play(show, name, speed=None):
    """Play a sequence, such as a projected video, from its beginning, so many latents a second (else /walk/speed)."""
    found = find_name(show, name)
    more = [] if speed is None else [Change("/walk/speed", to_number(speed, of="/latents/play"))]
    return walk_through(show, ((found, WHOLE),), 0.0, more, walk=0.0)


@command("/latents/keep", guarded=True)
def keep(show, name):
    """Keep what plays now, with all that leads it, as a kept latent of that name."""
    find_finds(show).keep(check_name(name, "kept latent"))


@command("/latents/add", guarded=True)
def add(show, path, name=None):
    """Make a kept latent of a picture's file, by the network's look, and go there; `run_live.py project` comes nearer."""
    find_finds(show).add_picture(str(path), None if name is None else check_name(name, "kept latent"))


@command("/latents/reload")
def reload(show, on=None):
    """Look at the instrument's kept latents again: what is new joins the show."""
    find_finds(show).reload()
