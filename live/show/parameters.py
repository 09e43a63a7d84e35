"""The performer's own parameters: there in every show, part of no look. Knows names and ranges only."""
from dataclasses import replace
from types import MappingProxyType

from engine.morphing import EASES, PATHS
from engine.parameter import Parameter
from engine.scene import Scene
from live.show import sound_parameters, stage_parameters

MACROS = 8                                                   # how many macros there are
MACRO_PARAMETERS = {f"/macro/{n}": Parameter(0.0, about="moves the parameters that the mapping has put on it") for n in range(1, MACROS + 1)}
QUANTA = {"off": 0.0, "beat": 1.0, "bar": 4.0}               # beats
SIDES = ("4", "8", "16", "32", "64", "128", "256")           # px
PARAMETERS = {
    "/morph/seconds": Parameter(0.0, 0.0, 600.0, curve="square", unit="s", about="how long a recall takes; 0 cuts"),
    "/morph/beats": Parameter(0.0, 0.0, 256.0, curve="square", unit="beats", about="the same in beats; above 0 it wins over /morph/seconds"),
    "/morph/ease": Parameter("smooth", choices=tuple(EASES), about="how a morph speeds up and slows down"),
    "/morph/path": Parameter("linear", choices=PATHS,
                             about="which way a morph takes through w: straight, around its centre, or on from the morph before without a corner"),
    "/morph/step": Parameter(0.5, about="where on the way choices and whole numbers change over"),
    "/pad/on": Parameter(0.0, step=1, about="1: /pad/x and /pad/y mix the four presets at the pad's corners"),
    "/pad/x": Parameter(0.0, about="across the pad: corners 1 and 3 at 0, 2 and 4 at 1"),
    "/pad/y": Parameter(0.0, about="down the pad: corners 1 and 2 at 0, 3 and 4 at 1"),
    "/tempo/source": Parameter("midi", choices=("midi", "internal", "audio", "link"),
                               about="midi: the beat follows a MIDI clock while one comes; audio: the beat that is heard, unless a clock comes; "
                                     "link: Ableton Link; internal: nothing"),
    "/tempo/ahead": Parameter(-1.0, -1.0, 500.0, unit="ms", words=(("auto", -1.0),),
                              about="so much sooner than it is heard a beat is drawn; auto (-1) = as long as a frame takes to be seen"),
    "/output/flashes": Parameter(3.0, 0.0, 10.0, unit="/s",
                                 about="the picture flashes no more often than this; above 3 it can bring on seizures, 0 does not limit it"),
    "/weights/seconds": Parameter(0.0, 0.0, 600.0, curve="square", unit="s", about="how long a recalled weight preset takes to fade in; 0 cuts"),
    "/weights/budget": Parameter(0.0, 0.0, 50.0, curve="square", unit="ms", words=(("auto", 0.0),),
                                 about="how much of a frame writing changed weights may take, the rest in the next ones; auto (0) = a tenth of them a frame"),
    "/instrument/seconds": Parameter(2.0, 0.0, 60.0, curve="square", unit="s", about="how long it takes to cross over to another instrument; 0 cuts"),
    "/instrument/mix": Parameter(0.0, about="how much of the instrument before is mixed into the one that plays; 1 = that one alone"),
    "/instrument/matte": Parameter("fade", choices=("fade", "luma", "map"),
                                   about="how they mix: as pictures, or the one before first where it is brightest, or where a layer of it is strongest"),
    "/instrument/layer": Parameter("32", choices=SIDES, unit="px", about="the size of that layer: small = in large areas"),
    "/graft/mix": Parameter(0.0, about="how much the maps of the instrument before stand in, at one layer, for those of the one that plays"),
    "/graft/layer": Parameter("16", choices=SIDES, unit="px", about="the size of that layer: small = the other's pose, large = its figures as well"),
    "/quantise": Parameter("off", choices=tuple(QUANTA), about="recalls and gestures wait for the next beat or bar"),
    **sound_parameters.PARAMETERS,
    **stage_parameters.PARAMETERS,
    **MACRO_PARAMETERS,
}
# No preset holds or changes what lies here.
MASTERS = ("/output", "/outputs", "/quality", "/morph", "/pad", "/quantise", "/tempo/nudge", "/tempo/source", "/tempo/ahead", "/audio", "/weights/seconds",
           "/weights/budget", "/instrument", "/graft", "/source/signal", "/source/picture", "/source/seen", *stage_parameters.MASTERS)


def add_parameters(scene: Scene) -> Scene:
    """Return the scene with the performer's parameters as well."""
    return replace(scene, parameters=MappingProxyType(dict(sorted({**scene.parameters, **PARAMETERS}.items()))))


def is_below(address: str, prefixes) -> bool:
    """Return whether an address is one of these or lies below one: /walk holds /walk and /walk/speed, not /walker."""
    return any(address == prefix or address.startswith(prefix + "/") for prefix in prefixes)


def keep_masters(scene: Scene, now: Scene, also=()) -> Scene:
    """Return `scene` with the performer's own parameters, and those at the addresses in `also`, at the values they have in the scene `now`."""
    mine = {a: now[a] for a in now.values if a in scene.parameters and (a in also or is_below(a, MASTERS))}
    return scene.set_values(mine) if mine else scene
