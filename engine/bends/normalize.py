from engine.bends import transform
from engine.parameter import Parameter

LEAST = 1e-3                        # a flatter map than this is left nearly flat


@transform(mean=Parameter(0.0, -4.0, 4.0, about="of every map afterwards"),
           spread=Parameter(1.0, 0.0, 8.0, about="standard deviation of every map afterwards"))
def normalize(x, mean, spread):
    """Make all maps equally strong, loud ones and faint ones."""
    y = x.float()
    y = y - y.mean((2, 3), keepdim=True)
    y = y / (y.square().mean((2, 3), keepdim=True).sqrt() + LEAST)
    return (y * spread + mean).to(x.dtype)
