import torch

from engine.bends import transform
from engine.parameter import Parameter
from engine.sampling import warp


@transform(segments=Parameter(6, 1, 16, step=1, about="mirrored wedges"),
           angle=Parameter(0.0, 0.0, 360.0, curve="circular", unit="degrees", about="which wedge of the map is repeated"),
           moves=True, once=True)
def kaleidoscope(x, segments, angle):
    """Repeat one wedge of the maps around the centre, every other one mirrored."""
    return warp(x, _repeat, segments, angle, border="reflection")


def _repeat(right, down, segments, angle):
    distance, around = torch.hypot(right, down), torch.atan2(down, right)       # [H, W']
    wedge = torch.pi / segments
    around = (torch.remainder(around + wedge, 2 * wedge) - wedge).abs() - angle * (torch.pi / 180)
    return distance * torch.cos(around), distance * torch.sin(around)
