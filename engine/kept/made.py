"""Kept latents made during a show: of what plays, and of a picture by the look."""
import numpy as np
import torch

from engine.checkpoints.native import generator_hash
from engine.encoder.network import resize
from engine.encoder_live import prepare
from engine.kept.data import Kept
from engine.modulation import modulate

THUMBNAIL = 160                      # px of the longer side


@torch.no_grad()
def keep_playing(instrument, scene, motion, picture=None) -> Kept:
    """Return what an instrument plays at this moment, with all that leads it. picture: uint8 [H, W, 3] that is up."""
    sight = instrument.sight
    ws = instrument.latents.ws(modulate(scene, motion), motion, sight.led, sight.w)
    light = None if picture is None else to_light(picture)
    shown = None if light is None else make_thumbnail(light)
    layers = {layer for held, *_ in instrument.latents.find_noise(motion) for layer in held.noise}
    noise = {layer: instrument.generator.layer(layer).noise_const[None].clone() for layer in sorted(layers)}       # as the newest picture has them
    return Kept(ws.clone(), {"made": "kept while it played"}, generator_hash(instrument.generator), noise, shown).simplify()


@torch.no_grad()
def keep_picture(look, picture, source: str = "", digest: str = "") -> Kept:
    """Return the latent that a look (engine.look.Look) leads to from a picture, uint8 [H, W, 3]; cut to the network's shape. digest: of its file."""
    light = prepare(picture, look.size)
    return Kept(look(light).cpu(), {"made": "by the look", "source": source, "picture": digest}, look.generator, picture=make_thumbnail(light))


def make_thumbnail(light) -> torch.Tensor:
    """Return a picture [1, 3, H, W] in -1..1 as a small one, uint8 [h, w, 3]."""
    height, width = light.shape[2:]
    share = min(1.0, THUMBNAIL / max(height, width))
    small = resize(light, (max(1, round(height * share)), max(1, round(width * share))))
    return small[0].permute(1, 2, 0).mul(127.5).add(128).clamp(0, 255).to(torch.uint8)


def to_light(picture) -> torch.Tensor:
    """Return a picture, uint8 [H, W, 3], as [1, 3, H, W] in -1..1."""
    return torch.from_numpy(np.array(picture)).permute(2, 0, 1)[None].float().div_(127.5).sub_(1)
