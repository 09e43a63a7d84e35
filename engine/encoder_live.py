"""The encoder while it is played: when it runs, what it is shown, and how its feature maps glide from one answer to the next.

The encoder runs inline, in the frame whose turn it is by the motion's own count (Motion.source), not in a thread: which
frame a thread's answer is ready in is chance, so no take would give the same picture twice; and with two cores it would
only take turns with the network. The turns in between cost one interpolation. Like a bend with feedback it keeps
something from frame to frame, so a take plays the frames in order; begin anew with forget(), or a motion whose count
has gone back. Knows tensors, scenes and pictures as arrays; no cameras and no clock.
"""
import logging

import numpy as np
import torch
from torch.nn import functional as F

from engine.device import upload
from engine.easing import smoothstep
from engine.encoder.cells import Cells
from engine.errors import UserError
from engine.fast import Blend
from engine.look.network import hash_encoder
from engine.motion import GROUPS, SPANS
from engine.source import FEATURES, LOOK

log = logging.getLogger(__name__)

ARRIVED = 1.0 - 1e-6              # share of the way that counts as all of it: three thirds may add up to a little less than 1
HALF_FRAME = 0.5                    # of a frame: an encoding that is due within it runs now, not a frame late
TOGETHER, EARLY = ("all", "both"), 0.6      # ways that add up show most of what they do early: there the fader begins more slowly, and is even to the eye
HELD = 0.25                         # how much what was brought back last holds on to its cells
ALIKE = 0.4                      # of cells of one picture, how much they are preferred to others, at most
VIEW = ("crop", "zoom", "x", "y", "mirror", "gain")
ENCODER_ERRORS = (RuntimeError, ArithmeticError, TypeError, ValueError, LookupError)     # what an encoder's bug may raise


class LiveEncoder:
    """One instrument's encoder. encoded: how often it has run. version: changes whenever the feature maps do."""
    into, called, shown = FEATURES, "encoder", "feature maps"

    def __init__(self, encoder, device="cpu"):
        self.encoder, self.device = encoder, device
        maps = getattr(encoder, "cells", None)
        self.cells = None if maps is None else Cells(maps)
        self.encoded = self.version = 0
        self.broken = False
        self.forget()

    def forget(self):
        """Forget all that was encoded, as at the beginning."""
        self._from: torch.Tensor | None = None          # feature maps [1, O, h, w]: gliding from,
        self._to: torch.Tensor | None = None            # to,
        self._now: torch.Tensor | None = None           # and where it is
        self._gone, self._at, self._ran = 1.0, None, None
        self._seen: tuple | None = None                 # (the picture, the view of it, /source/cells and vivid) that was encoded last
        self._doubt: torch.Tensor | None = None         # on a GPU: whether what was encoded last had numbers that are not finite

    def fingerprint(self) -> str:
        """Return a hash of the encoder's numbers, 16 hex digits, that tells it from others."""
        return hash_encoder(self.encoder)

    def warm_up(self):
        """Run the encoder once for nobody: what is made on first use is made before the show."""
        with torch.no_grad():
            features = self.encoder(torch.zeros(1, 3, *self.encoder.size, device=self.device))
            if self.cells is not None:
                self.cells.bring_back(features)
        self.forget()

    def encode(self, scene, motion, picture) -> dict:
        """Return this frame's {layer: Blend} for `splice`; {} where the source has no part in it. One call a frame.

        picture: uint8 [H, W, 3], or None while there is none.
        """
        features = self.follow(scene, motion, picture)
        return {} if features is None else {self.encoder.layer: Blend(features, source_amount(scene, motion))}

    def follow(self, scene, motion, picture):
        """Return the features of the source's pictures for this frame, gliding from one picture to the next; None where the source has no part in it."""
        if source_amount(scene, motion) <= 0 or scene["/source/into"] not in self.into:
            self.forget()
            self.broken = False
            return None
        if self.broken:
            return None
        gone = 0.0 if self._at is None else motion.source - self._at
        if gone < 0:
            self.forget()
            gone = 0.0
        self._at = motion.source
        if picture is not None:
            self._encode_if_due(scene, motion.source, gone, picture)
        if self._to is None:
            return None
        return self._glide(self._to, gone / max(1.0, scene["/source/smoothing"] * scene["/source/rate"]))

    def _encode_if_due(self, scene, at, gone, picture):
        """Encode the picture if it is the encoder's turn and the picture, or the view of it, differs from the last one."""
        if self._ran is not None and at - self._ran + HALF_FRAME * gone < 1.0:
            return
        if scene["/source/freeze"] and self._seen is not None:
            picture = self._seen[0]                     # held, but it may be looked at anew: zoom, crop, mirror
        view, amounts = tuple(scene[f"/source/{name}"] for name in VIEW), (scene["/source/cells"], scene["/source/vivid"])
        if self._seen is not None and self._seen[1:] == (view, amounts) and equal_pictures(self._seen[0], picture):
            return
        features = self._encode_picture(picture, view)
        self._seen, self._ran = (picture, view, amounts), at
        if features is None:
            return
        features = self._bring_back(features, *amounts)
        self._from, self._to, self._gone = (features if self._now is None else self._now), features, 0.0

    def _encode_picture(self, picture, view):
        """Return the feature maps [1, O, h, w] of a picture; None, and a line in the log, where they are of no use."""
        self.encoded += 1
        try:
            features = self.encoder(upload(prepare(picture, self.encoder.size, **dict(zip(VIEW, view))), self.device))
        except ENCODER_ERRORS as error:
            self.broken = True
            log.error("%s: %s: %s; the walk plays on without it until /source/mix has been at 0", self.called, type(error).__name__, error)
            return None
        if features.device.type != "cuda":
            return features if self._are_finite(features.isfinite().all()) else None
        told, self._doubt = self._doubt, torch.zeros((), dtype=torch.bool, pin_memory=True)
        self._doubt.copy_(~features.isfinite().all(), non_blocking=True)            # looked at the next time: it is there by then, and nothing waits
        self._are_finite(told is None or not bool(told))
        before = self._now if self._now is not None else torch.zeros((), device=features.device)
        return torch.where(features.isfinite(), features, before)

    def _bring_back(self, features, amount, vivid):
        """Return features brought back to what the network knows, as far as /source/cells and /source/vivid say."""
        if self.cells is None or vivid <= 0:
            return self._find_cells(features, amount)
        return self.cells.match(self._find_cells(self.cells.match(features, vivid), amount), vivid)

    def _find_cells(self, features, amount):
        """Return features made of the network's own cells, as far as /source/cells says."""
        if self.cells is None or amount <= 0:
            return features
        asked = features if self._to is None else torch.lerp(features, self._to, HELD)
        found = self.cells.bring_back(asked, ALIKE * max(0.0, 2 * amount - 1))
        return torch.lerp(features, found, min(1.0, 2 * amount))

    def _are_finite(self, finite) -> bool:
        """Return whether they are; if not, it is told."""
        if not finite:
            log.warning("%s: %s that are not finite; those before them stay", self.called, self.shown)
        return bool(finite)

    def _glide(self, to, step):
        """Return the feature maps a step further to those encoded last; 1 is all the way. Once there, nothing moves any more."""
        if self._gone >= ARRIVED and self._now is to:
            return to
        self._gone += step
        start = self._from
        now = to if self._gone >= ARRIVED or start is None or start is to else torch.lerp(start, to, self._gone)
        if now is not self._now:
            self._now = now
            self.version += 1
        return now


class LiveLook(LiveEncoder):
    """One instrument's look (engine.look.Look), which leads the walk to what the source shows."""
    into, called, shown = LOOK, "look", "latents"

    def lead(self, scene, motion, picture):
        """Return (ws [1, 1 or n, W] that the source leads to, how much 0..1) in this frame; None where it leads nowhere. One call a frame."""
        ws = self.follow(scene, motion, picture)
        return None if ws is None else (ws, source_amount(scene, motion))


def source_amount(scene, motion) -> float:
    """Return how much of the picture is the source's: its mix, while there is a signal."""
    signal = scene["/source/signal"] if motion.signal is None else motion.signal
    mix = scene["/source/mix"]
    if scene["/source/into"] in TOGETHER:
        mix *= EARLY + (1 - EARLY) * mix
    return mix * smoothstep(signal)


def source_styles(scene) -> tuple:
    """Return how much of the walk's look each group of layers keeps, 0..1."""
    return tuple(scene[f"/source/style/{group}"] for group in GROUPS)


def pull_styles(ws, w_avg, styles, amount: float):
    """Return ws [1, num_ws, W] with each group of layers as near to the average as the source's styles ask for."""
    for group, style in zip(GROUPS, styles):
        share = amount * (1.0 - style)
        if share > 0:
            start, end = SPANS[group]
            ws = ws.clone()
            ws[:, start:end] = torch.lerp(ws[:, start:end], w_avg, share)
    return ws


def equal_pictures(a, b) -> bool:
    """Return whether two pictures are equal."""
    return a is b or a.shape == b.shape and np.array_equal(a, b)


def prepare(picture, size, crop="fill", zoom=1.0, x=0.0, y=0.0, mirror=0.0, gain=1.0):
    """Return a picture, uint8 [H, W, 3], as the encoder is shown it: [1, 3, *] in -1..1, of the proportions of `size` (height, width)."""
    if getattr(picture, "dtype", None) != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3 or 0 in picture.shape:
        raise UserError(f"source: expected uint8 [H, W, 3], got {getattr(picture, 'dtype', type(picture).__name__)} {list(np.shape(picture))}")
    seen = np.ascontiguousarray(picture[window(picture.shape, size, crop, zoom, x, y)])
    light = torch.from_numpy(seen).permute(2, 0, 1)[None].float().mul_(gain / 127.5).sub_(1).clamp_(-1, 1)
    if crop == "fit":
        light = F.pad(light, _padding(light.shape[2:], size), value=-1.0)
    return light.flip(3) if mirror else light


def window(shape, size, crop, zoom, x, y) -> tuple[slice, slice]:
    """Return the slices of a picture's rows and columns that the encoder looks at."""
    height, width = shape[:2]
    high, wide = height / zoom, width / zoom
    if crop == "fill":
        unit = min(high / size[0], wide / size[1])
        high, wide = size[0] * unit, size[1] * unit
    return _span(height, high, y), _span(width, wide, x)


def _span(length, wanted, at) -> slice:
    wanted = min(length, max(1, round(wanted)))
    start = round((length - wanted) * (at + 1) / 2)
    return slice(start, start + wanted)


def _padding(shape, size) -> list[int]:
    """Return how many pixels to put left, right, above and below for the proportions of `size`."""
    height, width = shape
    wide, high = max(width, round(height * size[1] / size[0])), max(height, round(width * size[0] / size[1]))
    left, above = (wide - width) // 2, (high - height) // 2
    return [left, wide - width - left, above, high - height - above]
