"""The reader while it is played: it follows a face through the source's pictures and leads the factors with what it reads.

Like the encoder it runs inline, in the frame whose turn it is by the motion's own count (Motion.source), so that a take gives the same
pictures again, and begins anew where that count has gone back. What it reads is smoothed by a one-euro filter (Casiez et al. 2012): still
when the face is still, quick when it is quick. Knows tensors, scenes and pictures as arrays; no cameras and no clock.
"""
import logging
import math

import torch
from torch.nn import functional as F

from engine.encoder_live import HALF_FRAME, VIEW, equal_pictures, prepare, source_amount
from engine.parameter import Parameter
from engine.reader.network import FACTORS_READ, Reader
from engine.source import FACTORS
from engine.world import MASKS
from engine.world.masks.people import Pose

log = logging.getLogger(__name__)

SHARP = 256                         # px that pictures are looked at with, at most
FOUND, LOST = 0.6, 0.35             # how surely somebody is there, to begin and to end following
LETS_GO = 0.4                       # seconds the factors take to be led, and to be let go of
STILL, QUICK, OWN = 1.0, 1.5, 1.0   # of the filter: Hz when still, Hz more for each 1/s, Hz of the speed's own smoothing
USUAL = 0.8                         # size of a head before a camera, in heads of the world
POSES = ("tilt", "shift_x", "shift_y", "scale")
UNREAD = ("pupil", "brow_weight", "nose_width", "lips")      # too small to be read from a camera's picture: the walk keeps them
LED = (*POSES, *(name for name in FACTORS_READ if name not in UNREAD))
COLUMNS = [FACTORS_READ.index(name) for name in LED[len(POSES):]]
SEEN = {f"/source/seen/{name.replace('_', '-')}": Parameter(0.5, about=f"{name.replace('_', ' ')} of the person the source shows; the show turns it")
        for name in LED} | {"/source/seen/there": Parameter(0.0, about="how surely somebody is there; the show turns it")}
READER_ERRORS = (RuntimeError, ArithmeticError, TypeError, ValueError, LookupError)


class OneEuro:
    """The filter of several numbers at once. step(x, dt) -> smoothed x."""

    def __init__(self):
        self.x: torch.Tensor | None = None
        self.speed: torch.Tensor | None = None

    def step(self, x, dt: float, slow: float = 0.0):
        """Return x [K] smoothed, dt seconds after the last one; slow: seconds that it takes besides."""
        if self.x is None or self.speed is None:
            self.x, self.speed = x, torch.zeros_like(x)
            return x
        self.speed = torch.lerp(self.speed, (x - self.x) / max(dt, 1e-3), _share(OWN, dt))
        cut = (STILL + QUICK * self.speed.abs()) / (1 + 6 * slow)
        self.x = self.x + (x - self.x) * (1 / (1 + 1 / (2 * math.pi * cut * max(dt, 1e-3))))
        return self.x


def _share(cut: float, dt: float) -> float:
    return 1 / (1 + 1 / (2 * math.pi * cut * max(dt, 1e-3)))


class LiveReader:
    """One instrument's reader. ran: how often it has looked. version: changes whenever what it leads does."""

    def __init__(self, reader: Reader, device="cpu"):
        self.reader, self.device = reader, device
        self.ran = self.version = 0
        self.broken = False
        self.forget()

    def forget(self):
        """Forget the face it followed."""
        self._pose: Pose | None = None
        self._filter = OneEuro()
        self._at: float | None = None
        self._last: float | None = None
        self._seen: tuple | None = None
        self._start: torch.Tensor | None = None
        self._to: torch.Tensor | None = None
        self._gone, self._sure, self._now_sure = 1.0, 0.0, 0.0

    def lead(self, scene, motion, picture) -> tuple[tuple, tuple]:
        """Return (u, share) of each of the world's factors in this frame; ((), ()) where the source leads none. One call a frame."""
        amount = source_amount(scene, motion)
        if amount <= 0 or scene["/source/into"] not in FACTORS:
            self.forget()
            self.broken = False
            return (), ()
        gone = 0.0 if self._at is None else motion.source - self._at
        if gone < 0:
            self.forget()
            gone = 0.0
        self._at = motion.source
        if picture is not None and not self.broken:
            self._look_if_due(scene, motion.source, gone, picture)
        self._glide(gone, gone / scene["/source/rate"])
        if self._to is None or self._now_sure <= 0:
            return (), ()
        return self._find_led(scene, amount * self._now_sure)

    def list_values(self) -> dict[str, float]:
        """Return what is read now, {address: value}."""
        there = {"/source/seen/there": round(self._now_sure, 3)}
        u = self._find_now()
        return there if u is None else there | {address: round(float(v), 3) for address, v in zip(SEEN, u)}

    def _look_if_due(self, scene, at, gone, picture):
        if self._last is not None and at - self._last + HALF_FRAME * gone < 1.0:
            return
        if scene["/source/freeze"] and self._seen is not None:
            picture = self._seen[0]
        view = tuple(scene[f"/source/{name}"] for name in VIEW)
        if self._seen is not None and self._seen[1] == view and equal_pictures(self._seen[0], picture):
            return
        dt = 0.0 if self._last is None else (at - self._last) / scene["/source/rate"]
        self._seen, self._last = (picture, view), at
        self.ran += 1
        try:
            light = prepare(picture, (SHARP, SHARP), **dict(zip(VIEW, view)))
            u = self._read(F.adaptive_avg_pool2d(light.to(self.device), min(SHARP, *light.shape[2:])))
        except READER_ERRORS as error:
            self.broken = True
            log.error("reader: %s: %s; the walk plays on without it until /source/mix has been at 0", type(error).__name__, error)
            return
        if u is not None:
            self._start = self._find_now()
            self._to, self._gone = self._filter.step(u, dt, scene["/source/smoothing"]), 0.0

    def _read(self, picture):
        """Return u of LED as read off the face that is followed; None where there is none."""
        if self._pose is None:
            pose, there = self.reader.find(picture)
            if float(there) < FOUND:
                self._sure = 0.0
                return None
            self._pose = self.reader.look(picture, pose)[0]
            self._filter = OneEuro()
        pose, there, factors = self.reader.look(picture, self._pose)
        self._sure = min(1.0, max(0.0, (float(there) - LOST) / (FOUND - LOST)))
        if float(there) < LOST or not all(bool(v.isfinite().all()) for v in pose) or not 0.05 < float(pose.size) < 4:
            self._pose, self._sure = None, 0.0
            return None
        self._pose = pose
        return torch.cat([as_factors(pose), factors[0, COLUMNS].cpu()])

    def _glide(self, gone, seconds):
        self._gone = min(1.0, self._gone + gone)
        before = self._now_sure
        step = seconds / LETS_GO
        self._now_sure = max(min(self._sure, before + step), before - step)
        if self._gone < 1.0 or before != self._now_sure:
            self.version += 1

    def _find_now(self):
        """Return u of LED on its way from the reading before to the last one, None before there was any."""
        if self._to is None or self._start is None:
            return self._to
        return torch.lerp(self._start, self._to, self._gone)

    def _find_led(self, scene, amount):
        strong = 0.5 + (self._find_now() - 0.5) * scene["/source/expression"]
        u, share = [0.5] * len(MASKS.names), [0.0] * len(MASKS.names)
        for name, value in zip(LED, strong.tolist()):
            u[MASKS.names.index(name)] = min(max(value, 0.01), 0.99)
            share[MASKS.names.index(name)] = amount
        return tuple(u), tuple(share)


def as_factors(pose: Pose):
    """Return a head's pose as u of POSES, [4]: heads before a camera go further than masks, so it bends towards the ends."""
    spans = (pose.tilt / 0.22, pose.right / 0.4, pose.down / 0.35, torch.log(pose.size / USUAL) * 2)
    return torch.stack([0.5 + 0.5 * torch.tanh(v[0].cpu()) for v in spans])
