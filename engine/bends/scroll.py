from engine.bends import transform
from engine.parameter import Parameter
from engine.sampling import places, unless, wrapped


@transform(right=Parameter(0.0, 0.0, 1.0, curve="circular", unit="map widths", about="to the right"),
           down=Parameter(0.0, 0.0, 1.0, curve="circular", unit="map heights", about="downwards"))
def scroll(x, right, down):
    """Shift the maps round and round: what leaves at one edge comes in at the other."""
    height, width = x.shape[2:]
    across, along = places(height, width, x.device)
    still = (right % 1 == 0) & (down % 1 == 0)
    return unless(still, x, lambda: wrapped(x, across - right * width, along - down * height))
