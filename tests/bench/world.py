"""How well an instrument plays the world it was taught, on 1,000 unseen z, against the bars it must reach."""
from engine import checkpoints, world
from engine.errors import UserError
from engine.world import measure
from engine.world.latent import Z_DIM
from live.instrument import folder as instruments


def bench(options):
    """Every figure of merit and whether the bars are met. `seconds` below 60 measures on 100 z instead of 1,000."""
    folder = instruments.find(options["instrument"])
    generator = checkpoints.load(folder.generator)
    if (generator.z_dim, generator.resolution) != (Z_DIM, 1024):
        raise UserError(f"bench world: {options['instrument']}: the bars are for 1024 px and z of {Z_DIM} numbers, as train-world makes them; "
                        f"found {generator.resolution} px, z of {generator.z_dim}")
    count = 100 if options.get("seconds") and options["seconds"] < 60 else 1000
    figures = measure.measure(world.find(folder.world or "masks"), generator, count=count, large=48 if count == 1000 else 4)
    return figures | {"bars": measure.BARS, "met": met(figures)}


def met(figures):
    """{bar: reached}: largest_jump, worst_colour_error and gmac_1024 from below, the others from above."""
    below = ("largest_jump", "worst_colour_error", "gmac_1024")
    return {bar: figures[bar] <= value if bar in below else figures[bar] >= value for bar, value in measure.BARS.items()}
