"""What the knobs and faders of a known controller play where no mapping says otherwise: rows of eight, by the name of the row.

A profile says which of its rows plays which of these (`plays:`), so that a box that is plugged in does something on each of its knobs.
"""
from engine.errors import UserError

ROWS: dict[str, tuple[str, ...]] = {
    "macros": tuple(f"/macro/{n}" for n in range(1, 9)),
    "looks": ("/truncation", "/walk/speed", "/truncation/cutoff", "/noise/strength", "/style/coarse/mix", "/style/middle/mix", "/style/fine/mix",
              "/directions/symmetry/amount"),
    "colours": ("/factors/stage-hue", "/factors/skin-hue", "/factors/halo-hue", "/factors/halo-glow", "/factors/light", "/factors/stage-glow",
                "/directions/warmth/amount", "/directions/light/amount"),
    "forms": ("/factors/scale", "/factors/shift-x", "/factors/shift-y", "/factors/tilt", "/factors/turn", "/factors/halo-radius", "/factors/halo-width",
              "/factors/collar"),
    "master": ("/output/blackout",),
}
INVERSE = ("/output/blackout",)     # a fader that is up lets the light through


def expand_plays(names: list[str], count: int, where) -> tuple[str, ...]:
    """Return the addresses of `count` controls: of rows by their names, one after the other, or single ones. UserError: too few of them."""
    found: tuple[str, ...] = ()
    for name in names:
        if name not in ROWS and not name.startswith("/"):
            raise UserError(f"{where}: expected an address, or one of {', '.join(ROWS)}, got {name!r}")
        found += ROWS.get(name, (name,))
    if len(found) < count:
        raise UserError(f"{where}: {len(found)} addresses for {count} controls")
    return found[:count]
