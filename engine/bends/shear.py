from engine.bends import transform
from engine.parameter import Parameter
from engine.sampling import affine, unless


@transform(across=Parameter(0.0, -2.0, 2.0, about="rows slide to the right, more the higher they are"),
           along=Parameter(0.0, -2.0, 2.0, about="columns slide down, more the further right they are"),
           moves=True, once=True, neutral={"across": 0.0, "along": 0.0}, shown={"across": 0.5})
def shear(x, across, along):
    """Slant the maps; zeros come in from outside."""
    still = (across == 0) & (along == 0)
    return unless(still, x, lambda: affine(x, (1, across, -along, 1)))
