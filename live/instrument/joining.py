"""The players that belong to instruments: what is found in a network, other networks, and what they give each other."""
from live.instrument.finds import Finds
from live.instrument.graft import Graft
from live.instrument.switch import Switch


def make_players(show, opened, options) -> dict:
    """Return the players that bring in what is found in networks, and other networks, as the flags of a show ask for it."""
    from engine.grafting import Grafting

    looks = not (options.no_analysis or options.replay)
    settings = {"size": opened.instrument.size, "device": options.device, "threads": options.threads}
    switch = Switch(show, opened, options.fps, looks, options.precision, **settings)
    return {"finds": Finds(show, opened, looks), "switch": switch, "graft": Graft(show, Grafting)}
