"""A kept latent and its file. Letters: N latents in order, n = num_ws, W = w_dim."""
import json
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch

from engine.errors import UserError
from engine.tensor_files import expect_format, read_table, read_tensors, write_tensors

FORMAT = "latent-jockey latents"
SCHEMA = 1
MOST = 100_000                       # latents in a file


@dataclass(frozen=True, eq=False)
class Kept:
    """ws [N, 1 or n, W] float32: N latents in order, each of one w for all layers, or one for each. recipe: plain data, how it was made.

    noise: {layer: [N, H, W']}, where it was made with noise maps of its own. picture: uint8 [h, w, 3], a thumbnail, or None. generator:
    content hash of the weights, "" = nobody knows. UserError: it has no such shape, or numbers that are not finite.
    """
    ws: torch.Tensor
    recipe: dict = field(default_factory=dict)
    generator: str = ""
    noise: dict = field(default_factory=dict)
    picture: torch.Tensor | None = None

    def __post_init__(self):
        ws = self.ws.detach().to("cpu", torch.float32).contiguous()
        if ws.ndim != 3 or not 1 <= len(ws) <= MOST or 0 in ws.shape:
            raise UserError(f"latents of shape {list(ws.shape)}; expected [N, 1 or num_ws, w_dim]")
        if not ws.isfinite().all():
            raise UserError("NaN or infinity among its numbers")
        object.__setattr__(self, "ws", ws)
        object.__setattr__(self, "noise", {layer: _check_maps(layer, maps, len(ws)) for layer, maps in self.noise.items()})
        if self.picture is not None and (self.picture.ndim != 3 or self.picture.shape[2] != 3 or self.picture.dtype != torch.uint8 or 0 in self.picture.shape):
            raise UserError(f"a thumbnail of shape {list(self.picture.shape)} {self.picture.dtype}; expected [h, w, 3] of whole numbers to 255")

    @property
    def space(self) -> str:
        """"w" where each latent is one w for all layers, else "w+"."""
        return "w" if self.ws.shape[1] == 1 else "w+"

    def fit(self, generator) -> "Kept":
        """Return it for a generator, cut to its ws and layers; UserError where w or a noise map has another size there, or there are too few ws."""
        count, w_dim = self.ws.shape[1:]
        if w_dim != generator.w_dim:
            raise UserError(f"latents of {w_dim} numbers; this network's w has {generator.w_dim}")
        noise = {layer: maps for layer, maps in self.noise.items() if layer in generator.layers and generator.layer(layer).noise}
        for layer, maps in noise.items():
            if tuple(maps.shape[1:]) != tuple(generator.layer(layer).size):
                height, width = generator.layer(layer).size
                raise UserError(f"noise maps of {maps.shape[2]} x {maps.shape[1]} px for {layer}, which has {width} x {height}")
        if count not in (1, generator.num_ws) and (count < generator.num_ws or count % 2):
            raise UserError(f"latents for {count} ws; this network has {generator.num_ws}")
        return replace(self, ws=self.ws[:, :generator.num_ws], noise=noise)

    def simplify(self) -> "Kept":
        """Return it with one w each, where all layers have the same."""
        return replace(self, ws=self.ws[:, :1]) if bool((self.ws == self.ws[:, :1]).all()) else self


def _check_maps(layer, maps, count):
    """Return a layer's noise maps as float32 [N, H, W']; UserError where they are none."""
    if maps.ndim != 3 or len(maps) != count or 0 in maps.shape or not maps.is_floating_point():
        raise UserError(f"noise maps of shape {list(maps.shape)} for {str(layer)[:40]}; expected [{count}, H, W] of real numbers")
    maps = maps.detach().to("cpu", torch.float32).contiguous()
    if not maps.isfinite().all():
        raise UserError(f"NaN or infinity in the noise maps of {str(layer)[:40]}")
    return maps


def save(path, kept: Kept) -> Path:
    """Write a kept latent; whoever loads it knows it by the file's name."""
    header = {"format": FORMAT, "schema": str(SCHEMA), "generator": kept.generator, "space": kept.space, "recipe": json.dumps(kept.recipe)}
    tensors = {"ws": kept.ws} | {f"noise/{layer}": noise for layer, noise in kept.noise.items()}
    return write_tensors(path, tensors | ({} if kept.picture is None else {"picture": kept.picture}), header, make_folder=True)


def load(path, generator=None) -> Kept:
    """Return the kept latent in a file of ours. generator: whom it is to play; UserError where it does not fit it."""
    try:
        header, tensors = read_tensors(path, "make it again", _expect_ours)
        if "ws" not in tensors:
            raise UserError("no ws in it")
        try:
            recipe = read_table(header, "recipe")
        except ValueError:
            recipe = {}
        noise = {name.removeprefix("noise/"): tensor for name, tensor in tensors.items() if name.startswith("noise/")}
        kept = Kept(tensors["ws"], recipe, header.get("generator", ""), noise, tensors.get("picture"))
        return kept if generator is None else kept.fit(generator)
    except UserError as error:
        raise UserError(f"{path}: {error}") from None


def _expect_ours(header):
    expect_format(header, FORMAT, SCHEMA, "latents")
