"""Users' checkpoint files -> Generator, whatever the format. Must not know scenes, time, or what a picture is for.

One file per format; each turns its file into a state dict with our names and an Architecture, and build.py does the rest.
"""
import logging
from dataclasses import dataclass
from pathlib import Path

from engine.checkpoints import native, nvlabs, rosinality, tensorflow
from engine.checkpoints.build import build, check_size, describe_left_out
from engine.checkpoints.find import flatten, networks, refusal
from engine.checkpoints.infer import Contents
from engine.checkpoints.native import generator_hash
from engine.checkpoints.records import DAMAGED, brief
from engine.checkpoints.relatives import rename
from engine.checkpoints.sniff import open_unwrapped
from engine.checkpoints.torch_file import Loaded, load_pickle, load_torch
from engine.errors import UserError
from engine.generator import Generator
from engine.tensor_files import read_tensors

log = logging.getLogger(__name__)
__all__ = ["Summary", "convert", "describe", "generator_hash", "inspect", "load"]


@dataclass(frozen=True)
class Summary:
    """What a file holds, in words; notes: what was made up because the file lacks it."""
    format: str
    generator: str
    notes: tuple[str, ...]
    hash: str

    def __str__(self):
        return "\n".join((f"{self.format}: {self.generator}", *self.notes, f"hash {self.hash}"))


def load(path, device="cpu") -> Generator:
    """Return the generator in a file of any format we know; UserError, in one line, for anything else."""
    return _load(path, device)[0]


def inspect(path) -> Summary:
    """Return what is in the file."""
    return _summary(*_load(path))


def convert(source, target, dtype: str = "float16", edits=()) -> Summary:
    """Write the generator in `source` as a file of our own, with what is known about where it came from.

    edits: [(engine.rewriting.Edit, strength), ...] that become part of the weights.
    """
    generator, contents = _load(source)
    known: dict = {"source": Path(source).name, "source_format": contents.format}
    if contents.format == native.FORMAT:
        known = native.metadata(source)
    if edits:
        from engine.rewriting import apply
        from engine.weights_check import check_edit

        known["edited_from"] = [generator_hash(generator), *known.get("edited_from", ())]
        for edit, _ in edits:
            check_edit(edit, generator, known["edited_from"])
        known["baked"] = [*known.get("baked", ()), *([edit.name, strength] for edit, strength in edits)]
        generator = apply(generator, edits)
    summary = _summary(generator, contents)
    native.save(target, generator, dtype, **known)
    return summary


def describe(generator: Generator) -> str:
    """Return the generator's shape in one line."""
    a = generator.architecture
    height, width = a.pixels()
    counts = list(dict.fromkeys(a.channels[r] for r in a.resolutions))
    parts = [f"{width} x {height} px", f"{sum(p.numel() for p in generator.parameters()) / 1e6:.1f} M parameters",
             f"z {a.z_dim}, w {a.w_dim}", f"mapping network of {a.mapping_layers} layers",
             f"channels {', '.join(map(str, counts))}"]
    parts += [] if a.kind == "skip" else [f"{a.kind} architecture"]
    parts += [f"{a.c_dim} labels ({a.conditioning})"] if a.c_dim else []
    parts += [f"activations clamped at {a.conv_clamp:g}"] if a.conv_clamp else []
    return "; ".join(parts if a.noise else parts + ["no noise"])


def _load(path, device="cpu") -> tuple[Generator, Contents]:
    try:
        with open_unwrapped(path) as (file, kind):
            contents, finish = _contents(file, kind)
            check_size(contents.state, file.stat().st_size)
            generator = finish(build(contents.state, contents.architecture))
    except UserError as error:
        raise UserError(f"{path}: {error}") from None
    for note in contents.notes:
        log.warning("%s: %s", path, note)
    return generator.to(device), contents


def _summary(generator: Generator, contents: Contents) -> Summary:
    notes = (*contents.notes, *describe_left_out(contents.state, contents.architecture))
    return Summary(contents.format, describe(generator), notes, generator_hash(generator))


def _contents(file, kind: str):
    """Return (Contents, what remains to be done with the generator built of them)."""
    try:
        if kind == "safetensors":
            return _safetensors(file)
        loaded = load_torch(file) if kind == "torch" else load_pickle(file)
        contents = _read(loaded, "checkpoint" if kind == "torch" else "pickle")
    except DAMAGED as error:
        raise UserError(f"not laid out as a StyleGAN2 checkpoint ({brief(error)}); fetch it again") from error
    return contents, lambda generator: generator


def _safetensors(file):
    """Return a generator of ours, or the plain tensors of another tool's."""
    header, tensors = read_tensors(file, native.AGAIN, lambda header: native.is_ours(header) and native.expect_ours(header))
    if native.is_ours(header):
        contents = Contents(native.FORMAT, tensors, native.architecture(header))
        return contents, lambda generator: native.check(generator, header)
    if header.get("format", "").startswith("latent-jockey"):
        raise UserError(f"{header['format'][:40]!r}, not a generator: give the instrument's network")
    return _read(Loaded(tensors), "safetensors"), lambda generator: generator


def _read(loaded: Loaded, container: str) -> Contents:
    """Return the StyleGAN2 generator in a file, of whatever format."""
    if tensorflow.find_network(loaded.content):
        return tensorflow.read(loaded.content)
    held = flatten(loaded.content)
    found = rename(held)
    places = networks(found)
    if not places:
        raise UserError(refusal(found))
    names, place = places[0]
    contents = (nvlabs if names == "nvidia" else rosinality).read(found, place, container)
    loaded.check(contents.state if found is held else contents.state | held.tensors)        # renaming may have made new numbers of the file's
    return contents
