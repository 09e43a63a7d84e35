"""Opening an instrument: its folder on disk -> an Instrument ready to play, its presets, what it is called.

The one place in live/ that loads weights; what plays them is handed on.
"""
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import UserError
from engine.scene import Scene
from live.instrument import folder as instruments
from live.instrument import places
from live.instrument.found import ENCODER, Found, read_clusters, read_found
from live.presets.library import Library
from live.show.commands import load_commands
from live.show.parameters import add_parameters
from live.weights import folder as weights_folder

if TYPE_CHECKING:                   # it brings torch
    from engine.instrument import Instrument

log = logging.getLogger(__name__)
load_commands()
READER = "reader.safetensors"
QUIRKS = ("opencv_geometry", "layer0_inert", "lenient")    # of the published network-bending tool


@dataclass(frozen=True)
class Opened:
    """instrument: engine.instrument.Instrument. scene: to begin with. generator: content hash of the weights.

    offer: its edits, other checkpoints and weight presets. found: its directions, clusters, look and kept latents.
    """
    folder: instruments.InstrumentFolder
    instrument: "Instrument"
    scene: Scene
    generator: str
    offer: weights_folder.Offer
    found: Found

    @property
    def name(self) -> str:
        return self.folder.name

    def begin(self) -> Scene:
        """Return the scene to begin with, with what has joined the instrument since it was opened."""
        return add_parameters(self.instrument.scene()).set_values(self.folder.start)

    def open_library(self) -> Library:
        """Return the presets in the instrument's folder."""
        return Library(self.folder.scenes, self.instrument.scene(), self.name, self.generator, self.instrument.bend)


def open_instrument(where, size=None, device=None, threads=None, encoder=None, nearest=False, frame: str = "") -> Opened:
    """Return the instrument at a path, ready to play. UserError: what is wrong with which file or flag.

    encoder: the file of one, in the place of the folder's own. nearest: a size the network does not draw is drawn at the
    next above it, or at its largest: what comes out is to be scaled. frame: the shape that pictures are continued to, as "16:9";
    "" = the network's own.
    """
    from engine import checkpoints, world
    from engine import device as devices
    from engine.frame import parse_ratio
    from engine.instrument import Instrument
    from engine.offsets_live import LiveOffsets

    ratio = parse_ratio(frame) if frame else None
    folder = instruments.find(where)
    devices.use_threads(threads)
    generator = checkpoints.load(folder.generator, devices.choose(device))
    own = checkpoints.generator_hash(generator)
    if nearest and size is not None:
        size = next((drawn for drawn in sorted(generator.architecture.resolutions) if drawn >= size), generator.resolution)
    offer = weights_folder.read_folder(folder.folder, generator, (own, *read_edited_from(folder.generator)))
    seeing = load_encoder(folder, generator, encoder)
    found = read_found(folder.folder, generator, own, seeing)
    instrument = Instrument(generator, size, found.clusters, offer.edits, offer.checkpoints, seeing, ratio,
                            places.places_of(folder.folder, generator))
    if len(found.directions):
        instrument.use_directions(instrument.prepare_directions(found.directions))
    instrument.latents.kept = instrument.latents.prepare_kept(found.latents)
    if found.channels is not None:
        instrument.offsets = LiveOffsets(generator, found.channels)
    if found.look is not None:
        instrument.know_look(found.look)
    if folder.world:
        instrument.know_world(reader_of(folder, instrument.device), world.find(folder.world))
    try:
        scene = add_parameters(instrument.scene()).set_values(folder.start)
    except UserError as error:
        raise UserError(f"{folder.folder / 'instrument.yaml'} > start > {error}") from None
    return Opened(folder, instrument, scene, own, offer, found)


def load_encoder(folder, generator, named=None):
    """Return the encoder for a source: the one named, or the folder's own; None if there is none. One that was named and does not fit is a UserError; the
    folder's own is left out with a line in the log.

    One that was named and does not fit is a UserError; of the folder's own it is said, and it is left out.
    """
    from engine import encoder

    path = Path(named or folder.folder / ENCODER)
    if not named and not path.exists():
        return None
    try:
        return encoder.load(path, generator, generator.device)
    except UserError as error:
        if named:
            raise
        log.warning("%s; playing without it", error)
        return None


def reader_of(folder, device):
    """Return the reader of faces in an instrument's folder; None if there is none, or, with a line in the log, if it can't be read."""
    from engine import reader

    path = Path(folder.folder) / READER
    if not path.exists():
        return None
    try:
        return reader.load(path, device)
    except UserError as error:
        log.warning("%s; playing without it", error)
        return None


def read_edited_from(path) -> list[str]:
    """Return the hashes of the weights that the weights in a file of ours were made from by baking edits in: edits of those fit as well."""
    from engine.checkpoints import native

    if Path(path).suffix != ".safetensors":
        return []
    known = native.metadata(path).get("edited_from", [])
    return [text for text in known if isinstance(text, str)] if isinstance(known, list) else []


def load_clusters(folder, generator):
    """Return the named clusters of an instrument, None if it has none."""
    from engine.checkpoints.native import generator_hash

    return read_clusters(folder.folder, generator, generator_hash(generator))


def add_bends(opened: Opened, path, quirks=()):
    """Return the scene to begin with, and the bends of a published YAML file. quirks: names of QUIRKS that are on."""
    return opened.scene.with_bends([*opened.scene.bends, *read_bends(opened.instrument, path, quirks)])


def read_bends(instrument, path, quirks=(), seed=0) -> list:
    """Return the bends of a published YAML file, for an instrument. seed: of channels picked at random."""
    from engine.bending.published import Quirks, read_network_bending

    return read_network_bending(path, instrument.generator, instrument.clusters, Quirks(**dict.fromkeys(quirks, True), seed=seed))
