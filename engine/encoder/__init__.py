"""The encoder: a picture -> the feature maps of one synthesis layer, in one pass, so that a camera plays the network.

    encoder = load("presets/masks/encoder.safetensors", generator)
    generator.synthesize(ws, splice={encoder.layer: encoder(pictures)})

network.py is what it is, files.py how it is kept, published.py and keras_bundle.py the published one; the rest is how
it is trained. Knows tensors and generators, no cameras, no clock and no scenes.
"""
from engine.encoder.files import load, save
from engine.encoder.network import Encoder, Plan
from engine.encoder.plan import PRESETS

__all__ = ["PRESETS", "Encoder", "Plan", "load", "save"]
