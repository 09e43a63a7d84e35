from engine.bends import transform
from engine.parameter import Parameter
from engine.sampling import scroll_maps, unless


@transform(right=Parameter(0.0, 0.0, 1.0, curve="circular", unit="map widths", about="to the right"),
           down=Parameter(0.0, 0.0, 1.0, curve="circular", unit="map heights", about="downwards"),
           moves=True, once=True, neutral={"right": 0.0, "down": 0.0}, shown={"right": 0.25})
def scroll(x, right, down):
    """Shift the maps round and round: what leaves at one edge comes in at the other."""
    height, width = x.shape[2:]
    still = (right % 1 == 0) & (down % 1 == 0)
    return unless(still, x, lambda: scroll_maps(x, right * width, down * height))
