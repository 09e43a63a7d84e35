"""Directions while they are played: each is a fader, in standard deviations, added to the ws after truncation.

Knows scenes and tensors; no files and no clock. Letters: K directions, n = num_ws, W = w_dim.
"""
import torch

from engine.device import upload
from engine.directions import Directions
from engine.parameter import Parameter

REACH = 3.0                          # standard deviations that a fader goes each way


class LiveDirections:
    """directions: engine.directions.Directions that fit the generator. parameters: their faders, {address: Parameter}."""

    def __init__(self, generator, directions: Directions):
        self.directions, self.num_ws, self.device = directions.fit(generator) if len(directions) else directions, generator.num_ws, generator.device
        self.parameters: dict[str, Parameter] = {}
        found = self.directions
        for name, span, about in zip(found.names, found.ranges, found.about):
            self.parameters |= _declare(name, span or (0, self.num_ws), about, self.num_ws)
        self._addresses = [tuple(f"/directions/{name}/{part}" for part in ("amount", "hold", "from", "to")) for name in found.names]
        self._rows = found.vectors.to(self.device)
        self._unit = found.unit.tolist()
        mean = found.mean if found.mean is not None else generator.w_avg
        self._mean = mean.to(self.device, torch.float32)

    def move(self, ws, scene):
        """Return ws [1, n, W] moved as the scene's faders say; the same ws where all are at rest."""
        get, parameters = scene.values.get, self.parameters
        active = []
        for k, (amount, hold, start, end) in enumerate(self._addresses):
            asked, held = get(amount, 0.0), get(hold, 0.0)
            if asked or held:
                span = [int(get(address, parameters[address].default)) for address in (start, end)]
                active.append((k, asked, held, *span))
        if not active:
            return ws
        rows = self._rows[[k for k, *_ in active]]                               # [k, W] or [k, n, W]
        shares = torch.zeros(2, len(active), self.num_ws)
        for row, (k, asked, held, start, end) in enumerate(active):
            shares[0, row, start:end] = asked * self._unit[k]
            shares[1, row, start:end] = held
        shares = upload(shares, self.device)
        steps = shares[0]
        if any(held for _, _, held, *_ in active):
            steps = steps - shares[1] * _project(ws[0] - self._mean, rows)
        moved = torch.einsum("kn,kw->nw" if rows.ndim == 2 else "kn,knw->nw", steps, rows)
        return ws + moved[None]


def _project(ws, rows):
    """Return how far ws [n, W] lie along rows [k, W] or [k, n, W]: [k, n]."""
    return rows @ ws.T if rows.ndim == 2 else torch.einsum("knw,nw->kn", rows, ws)


def _declare(name, span, about, num_ws) -> dict[str, Parameter]:
    whole = f"{about}: " if about else ""
    return {
        f"/directions/{name}/amount": Parameter(0.0, -REACH, REACH, unit="sd", about=f"{whole}how far along, in standard deviations of what seeds show"),
        f"/directions/{name}/hold": Parameter(0.0, about=f"how far {name} is brought to its amount whoever it is: at 1 the walk's own is let go of"),
        f"/directions/{name}/from": Parameter(span[0], 0, num_ws, step=1, about=f"the first of the ws that {name} moves"),
        f"/directions/{name}/to": Parameter(span[1], 0, num_ws, step=1, about="the first that it leaves alone again"),
    }
