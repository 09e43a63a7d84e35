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
from live.presets.library import Library
from live.show.commands import load_commands
from live.show.parameters import declared
from live.weights import folder as weights_folder

if TYPE_CHECKING:                   # it brings torch
    from engine.instrument import Instrument

log = logging.getLogger(__name__)
load_commands()
ENCODER = "encoder.safetensors"
READER = "reader.safetensors"
CLUSTERS = ("clusters.yaml", "clusters.yml")
QUIRKS = ("opencv_geometry", "layer0_inert", "lenient")    # of the published network-bending tool


@dataclass(frozen=True)
class Opened:
    """instrument: engine.instrument.Instrument. scene: to begin with. generator: content hash of the weights.

    offer: its edits, other checkpoints and weight presets.
    """
    folder: instruments.InstrumentFolder
    instrument: "Instrument"
    scene: Scene
    generator: str
    offer: weights_folder.Offer

    @property
    def name(self) -> str:
        return self.folder.name

    def open_library(self) -> Library:
        """The presets in the instrument's folder."""
        return Library(self.folder.scenes, self.instrument.scene(), self.name, self.generator, self.instrument.bend)


def open_instrument(where, size=None, device=None, threads=None, encoder=None, nearest=False, frame: str = "") -> Opened:
    """The instrument at a path, ready to play. UserError: what is wrong with which file or flag.

    encoder: the file of one, in the place of the folder's own. nearest: a size the network does not draw is drawn at the
    next above it, or at its largest: what comes out is to be scaled. frame: the shape that pictures are continued to, as "16:9";
    "" = the network's own.
    """
    from engine import checkpoints
    from engine import device as devices
    from engine.frame import parse_ratio
    from engine.instrument import Instrument

    ratio = parse_ratio(frame) if frame else None
    folder = instruments.find(where)
    devices.use_threads(threads)
    generator = checkpoints.load(folder.generator, devices.choose(device))
    own = checkpoints.generator_hash(generator)
    if nearest and size is not None:
        size = next((drawn for drawn in sorted(generator.architecture.resolutions) if drawn >= size), generator.resolution)
    offer = weights_folder.look(folder.folder, generator, (own, *read_edited_from(folder.generator)))
    instrument = Instrument(generator, size, load_clusters(folder, generator), offer.edits, offer.checkpoints, load_encoder(folder, generator, encoder), ratio,
                            places.places_of(folder.folder, generator))
    if folder.world:
        instrument.know_world(reader_of(folder, instrument.device))
    try:
        scene = declared(instrument.scene()).set_values(folder.start)
    except UserError as error:
        raise UserError(f"{folder.folder / 'instrument.yaml'} > start > {error}") from None
    return Opened(folder, instrument, scene, own, offer)


def load_encoder(folder, generator, named=None):
    """The encoder to see a source by: the one named, or the folder's own; None if there is none.

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
    """The reader of faces in an instrument's folder; None if there is none, or, with a line in the log, if it can't be read."""
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
    """The hashes of the weights that those in a file of ours were made from by baking edits in: edits of them fit as well."""
    from engine.checkpoints import native

    if Path(path).suffix != ".safetensors":
        return []
    known = native.metadata(path).get("edited_from", [])
    return [text for text in known if isinstance(text, str)] if isinstance(known, list) else []


def load_clusters(folder, generator):
    """The named clusters in an instrument's folder, None if it has none."""
    from engine import clusters

    for name in CLUSTERS:
        if (path := Path(folder.folder) / name).exists():
            return clusters.load(path, generator)
    return None


def add_bends(opened: Opened, path, quirks=()):
    """The scene to begin with, and the bends of a published YAML file. quirks: names of QUIRKS that are on."""
    return opened.scene.with_bends([*opened.scene.bends, *read_bends(opened.instrument, path, quirks)])


def read_bends(instrument, path, quirks=(), seed=0) -> list:
    """The bends of a published YAML file, for an instrument. seed: of channels picked at random."""
    from engine.bending.published import Quirks, read_network_bending

    return read_network_bending(path, instrument.generator, instrument.clusters, Quirks(**dict.fromkeys(quirks, True), seed=seed))
