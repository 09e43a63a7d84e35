"""How well a generator plays its world: figures on z it was never trained on, against the pictures the world draws.

Knows generators and worlds, nothing of files. Letters: N batch, P parts, H, W pixels.
"""
import torch

from engine.world.latent import Z_DIM, normalise

SEED = 20_260_001                   # of the unseen z: training draws its own from seeds far away from it
BARS = {"psnr_256_db": 25.0, "worst_colour_error": 0.15, "edge_energy_1024": 0.7, "largest_jump": 3.0, "gmac_1024": 1.5}


def unseen(count, seed=SEED):
    """Return z [count, 64] that training never saw."""
    return torch.randn(count, Z_DIM, generator=torch.Generator().manual_seed(seed))


@torch.no_grad()
def measure(world, generator, count=1000, large=48, steps=500, size=256, progress=None):
    """Return a dict of every figure of merit. large: how many pictures at full size; steps: frames of the walk."""
    figures = {"pictures": count, "size": size, **pairs(world, generator, unseen(count), size, progress)}
    if large:
        figures |= full_size(world, generator, unseen(large))
    if steps:
        figures |= walk(world, generator, steps, size)
    figures |= centre(world, generator, size)
    figures["gmac_1024"] = macs(generator) / 1e9
    figures["parameters"] = sum(p.numel() for p in generator.parameters())
    return figures


def pairs(world, generator, z, size, progress=None, batch=8):
    """Return the PSNR (data range 2: of the mean squared error, and the mean over pictures) and the mean colour error of each part.

    A part's colour error: mean over its pixels, by how much of them it covers, of |difference| averaged over R, G, B.
    """
    errors = []
    missed: dict[str, float] = {}
    covered: dict[str, float] = {}
    for i in range(0, len(z), batch):
        here = z[i:i + batch]
        canvas = world.whole(here, size)
        difference = generator.synthesize(generator.map(here), size=size) - (canvas.picture * 2 - 1)
        errors.append(difference.square().mean((1, 2, 3)))
        for name, mask in canvas.visible().items():
            missed[name] = missed.get(name, 0.0) + (difference.abs().mean(1) * mask).sum().item()
            covered[name] = covered.get(name, 0.0) + mask.sum().item()
        if progress is not None:
            progress({"measured": min(i + batch, len(z)), "of": len(z)})
    squares = torch.cat(errors)
    colours = {name: missed[name] / covered[name] for name in missed}
    return {f"psnr_{size}_db": decibels(squares.mean()), "psnr_mean_of_pictures_db": decibels(squares).mean().item(),
            "colour_error": colours, "worst_colour_error": max(colours.values())}


def decibels(square):
    """Return the PSNR for a mean squared error of pictures in -1..1."""
    db = 10 * torch.log10(4 / square)
    return db.item() if db.ndim == 0 else db


def edge_energy(picture):
    """Return the mean squared difference between neighbouring pixels of a picture [N, 3, H, W]."""
    across, down = picture.diff(dim=3), picture.diff(dim=2)
    return (across.square().mean() + down.square().mean()).item()


def full_size(world, generator, z):
    """Return the edge energy at the generator's full size as a share of the world's own, and PSNR there."""
    ours = drawn_energy = square = 0.0
    for one in z.split(1):
        drawn, made = world.draw(one, generator.resolution), generator.synthesize(generator.map(one))
        ours, drawn_energy = ours + edge_energy(made), drawn_energy + edge_energy(drawn)
        square += (made - drawn).square().mean() / len(z)
    return {f"edge_energy_{generator.resolution}": ours / drawn_energy, f"psnr_{generator.resolution}_db": decibels(square)}


def walk(world, generator, steps, size, legs=5):
    """Return the largest frame difference over the mean one along a closed walk between random z: ours and the world's own."""
    keys = normalise(unseen(legs, SEED + 1))
    places = torch.arange(steps) * (legs / steps)
    index, t = places.floor().long(), (places % 1)[:, None]
    z = torch.lerp(keys[index], keys[(index + 1) % legs], t)
    jumps: list[list[torch.Tensor]] = [[], []]                      # of the generator, of the world
    before: list[torch.Tensor] = []
    for here in z.split(10):
        now = [generator.synthesize(generator.map(here), size=size), world.draw(here, size)]
        if before:
            now = [torch.cat([last[-1:], pictures]) for last, pictures in zip(before, now)]
        for found, pictures in zip(jumps, now):
            found.append(pictures.diff(dim=0).abs().mean((1, 2, 3)))
        before = now
    made, drawn = map(torch.cat, jumps)
    return {"largest_jump": (made.max() / made.mean()).item(), "largest_jump_of_the_world": (drawn.max() / drawn.mean()).item()}


def centre(world, generator, size):
    """Return the error at truncation 0 against the world's own centre; and at psi 1.2, how much of it leaves the range of colours."""
    z = unseen(16)
    middle = generator.synthesize(generator.map(z[:1], psi=0.0), size=size)
    beyond = generator.synthesize(generator.map(z, psi=1.2), size=size)
    return {"centre_psnr_db": decibels((middle - world.draw(torch.zeros(1, Z_DIM), size)).square().mean()),
            "psi_1.2_out_of_range": (beyond.abs() > 1.1).float().mean().item()}


def macs(generator):
    """Return the multiply-adds of one full-size frame: convolutions, toRGB, mapping network.

    Up-sampling convolutions count as transposed ones and their filter as two passes of four taps, as it is an outer product.
    """
    a = generator.architecture
    total = sum(p.numel() for n, p in generator.mapping.named_parameters() if n.endswith("weight"))
    for r in a.resolutions:
        block = generator.block(r)
        total += block.conv1.weight.numel() * r * r + block.torgb.weight.numel() * r * r
        if r > 4:
            total += block.conv0.weight.numel() * r * r // 4 + block.conv0.weight.shape[0] * 8 * r * r
    return total
