"""Projecting a film: one descent that goes on while the picture it looks for changes, so that few steps a frame are enough. Source: SPEC2.md P.6."""
from collections.abc import Iterable, Iterator

import torch

from engine.projection.find import STEPS, Projected, Projector

FILM_STEPS, RATE = 5, 0.06           # a frame; at its first step, falling to nothing by the next frame
CUT = 0.85                           # a start from nothing that is nearer than this share of where the film has come to: another scene has begun


def project_film(projector: Projector, pictures: Iterable, first: int = STEPS, steps: int = FILM_STEPS, smoothing: float = 0.5) -> Iterator[Projected]:
    """Yield what comes nearest to each picture [3, H, W'] of a film, in w; each begins where the one before ended, or anew after a cut, with `first` steps.

    smoothing: 0..1, how much of the picture before stays in what is yielded.
    """
    chase: Chase | None = None
    shown = torch.empty(0)
    for picture in pictures:
        targets = projector.prepare(picture[None])
        start = projector.find_start(targets)
        if chase is None or chase.has_lost(targets, start):
            chase = Chase(projector, projector.refine(start, targets, first))
            shown = chase.ws.detach().clone()
        else:
            start = chase.ws.detach().clone()
            shown = torch.lerp(chase.go_on(targets, steps), shown, 0.5 * smoothing)
        yield projector.describe(shown, start, targets)


class Chase:
    """A descent that is never begun anew: what Adam has learnt of one frame's slopes holds for the next.

    Begun anew for each frame it lost 1.6 dB in a dozen frames of a walk of the drawn world; so it loses 0.2.
    """

    def __init__(self, projector: Projector, ws):
        """ws [1, 1, W]: where it begins."""
        self.projector, self.ws = projector, ws.detach().clone().requires_grad_(True)
        self.adam = torch.optim.Adam([self.ws])

    def go_on(self, targets, steps: int):
        """Return ws after so many steps towards targets."""
        for step in range(steps):
            self.adam.param_groups[0]["lr"] = RATE * (1 - step / steps)
            loss = self._measure(self.ws, targets).sum() + self.projector.measure_strain(self.ws, {})
            self.adam.zero_grad()
            loss.backward()
            self.adam.step()
        return self.ws.detach().clone()

    @torch.no_grad()
    def has_lost(self, targets, start) -> bool:
        """Return whether another place to start at [1, 1, W] is so much nearer that the scene must have changed."""
        return bool(self._measure(start, targets)[0] < CUT * self._measure(self.ws, targets)[0])

    def _measure(self, ws, targets):
        return self.projector.loss(self.projector.draw(ws), targets)
