"""How like two sets of pictures are, as sets, without another network: sliced Wasserstein distance of small patches at several sizes.

As in Karras et al. 2018, but patches of both are measured by the spread of the wanted ones, so that another palette counts as well. Figures compare
networks with the same pictures, and say nothing by themselves. Letters: N pictures, P patches, F numbers of each.
"""
import torch
from torch.nn import functional as F

from engine.directions.statistics import sample_w
from engine.encoder.network import resize
from engine.errors import UserError
from engine.world.measure import pairs, unseen

SIZE, COARSEST = 64, 16              # px of the largest and the smallest pictures that patches are taken from
PATCH, EACH = 7, 48                  # px across; patches of a picture at each size
SLICES = 256                         # directions that patches are looked at from
BATCH = 8


class Likeness:
    """pictures: those wanted, [N, 3, S, S'] in -1..1. seed: of patches, directions, and of the pictures compared with them."""

    def __init__(self, pictures, seed: int = 0):
        self.seed, self.count = seed, len(pictures)
        self._wanted = [_standardise(patches) for patches in self._take(pictures)]

    @torch.no_grad()
    def measure(self, pictures) -> float:
        """Return how far pictures, as many of the same shape, are from the wanted ones; 0 = no difference is seen."""
        source, far = torch.Generator().manual_seed(self.seed + 1), []
        for (wanted, mean, spread), found in zip(self._wanted, self._take(pictures)):
            ways = F.normalize(torch.randn(wanted.shape[1], SLICES, generator=source), dim=0)
            far.append(((wanted @ ways).sort(0).values - ((found - mean) / spread @ ways).sort(0).values).abs().mean())
        return float(torch.stack(far).mean())

    @torch.no_grad()
    def measure_network(self, generator) -> float:
        """Return how far a network's pictures are from the wanted ones: of the same seeds in every network."""
        size = _choose_size(generator)
        ws = sample_w(generator, self.count, self.seed)[1][:, None].expand(-1, generator.num_ws, -1)
        return self.measure(torch.cat([generator.synthesize(some, size=size).clamp(-1, 1).cpu() for some in ws.split(BATCH)]))

    def _take(self, pictures) -> list:
        """Return patches [P, F] of pictures [N, 3, S, S'] at each size: of what the next smaller one lacks, and of the smallest whole."""
        source, found, finer = torch.Generator().manual_seed(self.seed), [], pictures
        while min(finer.shape[2:]) >= 2 * COARSEST:
            coarser = F.avg_pool2d(finer, 2)
            found.append(_cut(finer - resize(coarser, finer.shape[2:]), source))
            finer = coarser
        return [*found, _cut(finer, source)]


def measure_by_pictures(pictures, generator):
    """Return measure(network) -> minus how far its pictures are from these, uint8 [H, W', 3] of any shapes. generator: of the networks' shape."""
    size = generator.architecture.pixels(_choose_size(generator))
    small = [resize(torch.tensor(one).permute(2, 0, 1)[None] / 127.5 - 1, size) for one in pictures]
    wanted = Likeness(torch.cat(small))
    return lambda network: -wanted.measure_network(network)


def measure_by_world(world, generator, count: int):
    """Return measure(network) -> the mean PSNR in dB of so many pictures against those that the world draws of the same z."""
    z, size = unseen(count), _choose_size(generator)
    if generator.z_dim != z.shape[1]:
        raise UserError(f"{world.name}: a network taught that world has a z of {z.shape[1]} numbers, this one of {generator.z_dim}")
    return lambda network: torch.no_grad()(pairs)(world, network, z.to(network.device), size)["psnr_mean_of_pictures_db"]


def _choose_size(generator) -> int:
    return min(generator.architecture.resolutions, key=lambda r: (abs(r - SIZE), r))


def _cut(pictures, source):
    """Return EACH patches of each of pictures [N, 3, H, W'], from places that the source chooses, [N * EACH, F]."""
    side = min(PATCH, *pictures.shape[2:])
    windows = pictures.unfold(2, side, 1).unfold(3, side, 1)                          # [N, 3, h, w', side, side]
    rows, columns = (torch.randint(n, (len(pictures), EACH), generator=source) for n in windows.shape[2:4])
    return windows[torch.arange(len(pictures))[:, None], :, rows, columns].flatten(0, 1).flatten(1)


def _standardise(patches):
    """Return (patches with mean 0 and spread 1, what was their mean, their spread: one number a colour's place has in all)."""
    mean, spread = patches.mean(0), patches.std(0) + 1e-4
    return (patches - mean) / spread, mean, spread
