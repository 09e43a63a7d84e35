"""The mapping network's goal: the world's factors and colours as one vector w, and its regression from z.

The synthesis network is trained on this mapping network's answers, so that whatever the regression misses, the
synthesis network has already got used to. Letters: N batch, Z = z_dim, W = w_dim.
"""
import torch

from engine.world.optimise import turn


def codes(world, z):
    """Return the codes [N, D] of z [N, Z] in a world, D <= W, each column about unit size: every factor, then every colour's red, green, blue."""
    u = world.uniform(z)
    colours = torch.cat([rgb.flatten(1) for rgb in world.palette(world.values(u)).values()], 1)
    return torch.cat([(2 * u - 1) * 1.7, (colours - 0.45) * 3], 1)


def regress(world, mapping, steps, seed, rate=1e-3, batch=512, progress=None):
    """Train the mapping network in place until mapping(z) begins with the codes of z in a world; the columns left over go to zero."""
    matrices = [layer.weight for layer in layers(mapping)]
    biases = [layer.bias for layer in layers(mapping)]
    momenta = [torch.zeros_like(m) for m in matrices]
    adam = torch.optim.Adam(biases, betas=(0.9, 0.99))
    source = torch.Generator().manual_seed(seed)
    for step in range(steps):
        z = torch.randn(batch, matrices[0].shape[1], generator=source)
        target = codes(world, z)
        w = mapping(z)
        loss = (w[:, :target.shape[1]] - target).square().mean() + 0.01 * w[:, target.shape[1]:].square().mean()
        grads = torch.autograd.grad(loss, matrices + biases)
        now = min(1.0, (step + 1) / 100, 1.5 * (1 - step / steps))
        for layer, momentum, grad in zip(layers(mapping), momenta, grads):
            turn(layer.weight, momentum, grad, rate * now * layer.weight.shape[1] ** 0.5 / layer.lr_mul)
        for bias, grad in zip(biases, grads[len(matrices):]):
            bias.grad = grad
        adam.param_groups[0]["lr"] = 2 * rate * now / layers(mapping)[0].lr_mul
        adam.step()
        adam.zero_grad()                                    # or it would count in the first step of what trains next
        if progress is not None and (step % 100 == 0 or step + 1 == steps):
            progress({"stage": "mapping", "step": step + 1, "of": steps, "loss": loss.item()})
    with torch.no_grad():
        mapping.w_avg.copy_(mapping(torch.zeros(1, matrices[0].shape[1]))[0])     # truncation 0 is the world's own centre


def layers(mapping):
    return [getattr(mapping, f"fc{i}") for i in range(mapping.depth)]
