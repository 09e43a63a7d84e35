"""The reader's networks: a small one that looks at one window of a picture, and the two of them that find a head and read it.

Letters: N pictures, S side of a window, F factors read.
"""
import math
from typing import NamedTuple

import torch
from torch import nn
from torch.nn import functional as F

from engine.world.masks.people import MIRRORED, SHARED, Pose

SIZE = 96                                       # pixels a glance looks at
REACH = 0.75                                    # half the side of the window around a head of the world's own size
FACTORS_READ = SHARED
POSE = ("right", "down", "size", "tilt")
SPREAD = math.sqrt(12)                          # of a uniform number, the other way round
SHY = 4.0                                       # a window this much wider or narrower than a head should be is lost


class Read(NamedTuple):
    """What was read: pose in the window's own terms [N, 4], how surely somebody is there [N] 0..1, u [N, F]."""
    pose: torch.Tensor
    there: torch.Tensor
    factors: torch.Tensor


class Glance(nn.Module):
    """Windows [N, 3, SIZE, SIZE] in -1..1 -> numbers [N, 5 + F]: pose, whether somebody is there, factors."""

    def __init__(self, widths=(32, 64, 96, 128)):
        super().__init__()
        layers: list[nn.Module] = [nn.PixelUnshuffle(2), *_convolution(12, widths[0], 1)]
        for narrow, wide in zip(widths, widths[1:]):
            layers += [*_convolution(narrow, wide, 2), Residual(wide)]
        side = SIZE // 2 ** len(widths)
        self.body = nn.Sequential(*layers, nn.Conv2d(widths[-1], 48, 1), nn.ReLU(True), nn.Flatten(),
                                  nn.Linear(48 * side * side, 160), nn.ReLU(True), nn.Linear(160, len(POSE) + 1 + len(FACTORS_READ)))

    def forward(self, windows):
        middle = windows.mean((1, 2, 3), keepdim=True)
        return self.body((windows - middle) / (windows.std((1, 2, 3), keepdim=True) + 0.05))

    def read(self, windows) -> Read:
        """Return the factors that the network's numbers stand for."""
        numbers = self(windows)
        return Read(numbers[:, :4], numbers[:, 4].sigmoid(), (numbers[:, 5:] / SPREAD + 0.5))


class Residual(nn.Module):
    """Two convolutions beside a shortcut."""

    def __init__(self, width):
        super().__init__()
        self.body = nn.Sequential(*_convolution(width, width, 1), nn.Conv2d(width, width, 1, bias=False), nn.BatchNorm2d(width))

    def forward(self, x):
        return F.relu(x + self.body(x))


class Reader(nn.Module):
    """Pictures -> where the head is, and the factors: see `find` and `look`."""

    def __init__(self):
        super().__init__()
        self.far, self.near = Glance(), Glance()
        self.eval()

    def find(self, picture) -> tuple[Pose, torch.Tensor]:
        """Return (pose of the head in the whole picture [1, 3, H, W] in -1..1, how surely it is there [1])."""
        read = self.far.read(F.adaptive_avg_pool2d(picture, SIZE))
        return to_pose(read.pose, _to_whole(picture)), read.there

    def look(self, picture, pose: Pose) -> tuple[Pose, torch.Tensor, torch.Tensor]:
        """Return (pose, how surely [1], u [1, F]) as read in the window around a head thought to be at `pose`."""
        around = find_window(pose)
        read = self.read_twice(cut(picture, around))
        return to_pose(read.pose, around), read.there, read.factors

    def read_twice(self, windows) -> Read:
        """Return the mean of what the near glance reads in windows [N, 3, SIZE, SIZE] and in their mirror images, whose errors differ."""
        both = self.near.read(torch.cat([windows, windows.flip(3)]))
        (pose, pose_back), (there, there_back), (u, u_back) = (value.chunk(2) for value in both)
        back = 0.5 + (u_back - 0.5) * _find_signs(windows, FACTORS_READ, MIRRORED)
        return Read((pose + pose_back * _find_signs(windows, POSE, ("right", "tilt"))) / 2, (there + there_back) / 2, (u + back) / 2)


def _convolution(narrow, wide, stride):
    return nn.Conv2d(narrow, wide, 3, stride, 1, bias=False), nn.BatchNorm2d(wide), nn.ReLU(True)


def _find_signs(windows, names, mirrored):
    """Return -1 for each name whose number changes its sign in a mirror, else 1."""
    return windows.new_tensor([-1.0 if name in mirrored else 1.0 for name in names])


def _to_whole(picture) -> Pose:
    one, zero = picture.new_ones(len(picture)), picture.new_zeros(len(picture))
    return Pose(zero, zero, one, zero)


def find_window(pose: Pose) -> Pose:
    """Return the window around a head: its middle, half its side and its tilt."""
    return Pose(pose.right, pose.down, pose.size * REACH, pose.tilt)


def cut(picture, window: Pose):
    """Return the window [N, 3, SIZE, SIZE] of square pictures [N, 3, H, H]."""
    c, s = torch.cos(window.tilt) * window.size, torch.sin(window.tilt) * window.size
    rows = torch.stack([c, -s, window.right, s, c, window.down], 1).view(-1, 2, 3)
    grid = F.affine_grid(rows.to(picture), [len(rows), 3, SIZE, SIZE], align_corners=False)
    return F.grid_sample(picture, grid, padding_mode="border", align_corners=False)


def to_numbers(pose: Pose, window: Pose) -> torch.Tensor:
    """Return a pose as a glance at a window sees it, [N, 4]: places in half windows, size as a logarithm, tilt; each about unit size."""
    right, down = pose.right - window.right, pose.down - window.down
    c, s = torch.cos(window.tilt), torch.sin(window.tilt)
    right, down = (right * c + down * s) / window.size, (down * c - right * s) / window.size
    return torch.stack([right * 3, down * 3, torch.log(pose.size / window.size) * 3, (pose.tilt - window.tilt) * 5], 1)


def to_pose(numbers, window: Pose) -> Pose:
    """Return the pose in the picture that a glance's numbers at a window mean; the inverse of to_numbers()."""
    right, down = numbers[:, 0] / 3 * window.size, numbers[:, 1] / 3 * window.size
    c, s = torch.cos(window.tilt), torch.sin(window.tilt)
    size = window.size * torch.exp((numbers[:, 2] / 3).clamp(-SHY, SHY))
    return Pose(window.right + right * c - down * s, window.down + right * s + down * c, size, window.tilt + numbers[:, 3] / 5)
