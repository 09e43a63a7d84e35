"""The plan of an encoder: which layer it predicts, from pictures of which size, by which architecture. Builds nothing."""
from dataclasses import dataclass
from math import log2

from engine.errors import UserError

PRESETS = ("live", "published", "published-sharp", "published-short")
PUBLISHED_SIZE = 256
SMALLEST, LARGEST = 64, 256              # sides of the pictures that the live preset looks at, unless asked otherwise
PER_FEATURE = 8                          # pixels for one feature, likewise
MOST_PIXELS, WIDEST = 2048, 1024


@dataclass(frozen=True)
class Plan:
    """layer: whose convolution output is predicted. channels, features: its shape, (height, width).

    size: of the pictures looked at, (height, width). generator: content hash of the weights it is for; "" = not known.
    width: the most channels that the live preset has inside.
    """
    layer: str
    channels: int
    features: tuple[int, int]
    size: tuple[int, int]
    preset: str = "live"
    generator: str = ""
    width: int = 128

    def __post_init__(self):
        if self.preset not in PRESETS:
            raise UserError(f"encoder preset {self.preset!r}: expected one of {', '.join(PRESETS)}")
        if not 8 <= self.width <= WIDEST:
            raise UserError(f"encoder width {self.width}: expected 8 to {WIDEST} channels")
        if self.channels < 1 or min(self.features) < 1 or not 1 <= max(self.size) <= MOST_PIXELS:
            raise UserError(f"encoder: no pictures of {shape(self.size)} to {self.channels} x {shape(self.features)} features")
        factors = [side / feature for side, feature in zip(self.size, self.features)]
        if factors[0] != factors[1] or factors[0] < 1 or log2(factors[0]) % 1:
            raise UserError(f"encoder: pictures of {shape(self.size)}: expected 1, 2, 4, 8, ... times the layer's "
                            f"{shape(self.features)} features")

    @property
    def halvings(self) -> int:
        """Return how often the picture is halved on its way to the features."""
        return int(log2(self.size[0] // self.features[0]))

    def mismatch(self, generator, weights: str) -> str | None:
        """Return why this plan is not for a generator with that content hash, in words that name both; None if it is."""
        ours = f"{self.layer} of {self.channels} x {shape(self.features)}"
        if self.layer not in generator.layers:
            return f"the encoder is for layer {ours}, the generator {weights[:12]} has {', '.join(generator.layers)}"
        theirs = f"{self.layer} of {generator.channels(self.layer)} x {shape(find_shape(generator, self.layer))}"
        if ours != theirs:
            return f"the encoder is for {ours}, the generator {weights[:12]} has {theirs}"
        if self.generator and self.generator != weights:
            return (f"the encoder was trained for the weights {self.generator[:12]}, the generator's are {weights[:12]}; "
                    "train one with `run_live.py train-encoder`")
        return None


def make_plan(generator, layer: str, preset: str = "live", size=None, weights: str = "", width: int = 128) -> Plan:
    """Return the plan of a preset for a generator's layer. size: a side in pixels for square features, or (height, width)."""
    channels, features = generator.channels(layer), find_shape(generator, layer)
    if size is None:
        size = usual_size(features, preset)
    elif isinstance(size, int):
        size = tuple(side * size // max(features) for side in features)
    return Plan(layer, channels, features, tuple(size), preset, weights, width)


def usual_size(features, preset):
    """Return the size of pictures looked at, (height, width), for features of a shape."""
    longest = max(features)
    if preset != "live":
        factor = max(1, PUBLISHED_SIZE // longest)
    else:
        factor = PER_FEATURE
        while factor > 1 and longest * factor > LARGEST:
            factor //= 2
        while longest * factor < SMALLEST:
            factor *= 2
    return tuple(side * factor for side in features)


def find_shape(generator, layer: str) -> tuple[int, int]:
    """Return (height, width) of a layer's feature maps."""
    architecture = generator.architecture
    return architecture.pixels(architecture.resolution_of(layer))


def shape(sides) -> str:
    """Return the text for (height, width) as people say it: width first."""
    return f"{sides[1]} x {sides[0]}"
