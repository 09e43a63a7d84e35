"""The optimiser: Muon for matrices and convolutions, Adam for what is left, and a running average of the weights.

Everything it keeps is in two flat dicts of tensors, so that a checkpoint is a safetensors file and nothing is unpickled.
"""
import torch

BETAS, EPSILON = (0.9, 0.99), 1e-8          # of Adam


class Optimiser:
    """parameters: {name: tensor}; those of two axes or more are turned (Muon), the others go to Adam."""

    def __init__(self, parameters, scale, turning=True, betas=BETAS, epsilon=EPSILON):
        """scale(name) -> how large a weight of that name is meant to be: rates are relative to it. turning: False = all by Adam."""
        self.parameters, self.scale, self.turning, self.betas, self.epsilon = parameters, scale, turning, betas, epsilon
        self.state = {}                                  # "name/momentum", "name/square", "name/count"
        self.average = {name: p.detach().clone() for name, p in parameters.items()}

    @torch.no_grad()
    def step(self, rate, decay):
        """Take one step at `rate` (root mean square, relative); the average keeps `decay` of itself."""
        for name, p in self.parameters.items():
            if p.grad is None:
                continue
            if self.turning and p.ndim > 1 and "const" not in name and "torgb.weight" not in name:
                momentum = self._find_state(f"{name}/momentum", torch.zeros_like(p))
                turn(p, momentum, p.grad, rate * self.scale(name))
            else:
                self._adam(name, p, rate * self.scale(name))
            p.grad = None
        for name, p in self.parameters.items():
            self.average[name].lerp_(p, 1 - decay)

    def _find_state(self, key, fresh):
        return self.state.setdefault(key, fresh)

    def _adam(self, name, p, rate):
        first = self._find_state(f"{name}/momentum", torch.zeros_like(p))
        second = self._find_state(f"{name}/square", torch.zeros_like(p))
        count = self._find_state(f"{name}/count", torch.zeros(1))
        count += 1
        slow, slower = self.betas
        first.lerp_(p.grad, 1 - slow)
        second.lerp_(p.grad.square(), 1 - slower)
        mean = first / (1 - slow ** count.item())
        spread = (second / (1 - slower ** count.item())).sqrt()
        p.sub_(mean / (spread + self.epsilon), alpha=rate)


@torch.no_grad()
def turn(weight, momentum, grad, rate, beta=0.95):
    """Take one Muon step: momentum, made orthogonal by five Newton-Schulz rounds, at a root mean square of `rate`.

    Moves every direction of a matrix alike, where Adam follows the loudest.
    """
    momentum.lerp_(grad, 1 - beta)
    x = grad.lerp(momentum, beta).flatten(1)                             # [O, I]
    tall = x.shape[0] > x.shape[1]
    x = x.T if tall else x
    x = x / (x.norm() + 1e-12)
    gram = x @ x.T                                                       # the rounds need x only through this small square
    total = torch.eye(len(gram), device=x.device)
    for _ in range(5):
        once = -4.7750 * gram + 2.0315 * gram @ gram
        once.diagonal().add_(3.4445)
        total, gram = once @ total, once @ gram @ once
    x = total @ x
    x = x.T if tall else x
    weight.sub_(x.reshape(weight.shape), alpha=rate * max(x.shape) ** 0.5)
