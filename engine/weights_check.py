"""What edits and checkpoints have to be before a show turns its weights to them. Knows generators and edits; no files and no clock."""
import torch

from engine.errors import UserError
from engine.weights_live import STRENGTH

LARGEST_WEIGHT = 1e4                # the largest weight an edit may give: larger finite ones could overflow when they are squared and summed


def check_edit(edit, generator, known=()):
    """Raise a UserError where an edit is for other weights, another shape, or reaches beyond what can be computed with.

    known: content hashes of the weights it may have been solved for.
    """
    edit.check_fit(generator)
    if edit.generator and known and edit.generator not in known:
        raise UserError(f"edit {edit.name}: it was solved for other weights ({edit.generator[:12]}) than these ({next(iter(known))[:12]}); solve it again")
    for strength in (STRENGTH.low, STRENGTH.high):
        reach = max((generator.weights(rule.layer).detach().cpu() + rule.delta(strength)).abs().max().item() for rule in edit.rules)
        if edit.style is not None:
            most = max([1.0, *(share.abs().max().item() for share in edit.style.shares.values())])
            reach = max(reach, most * edit.style.move(generator.w_avg.detach().cpu(), strength).abs().max().item())
        if not reach <= LARGEST_WEIGHT:
            raise UserError(f"edit {edit.name}: at strength {strength:g} a weight becomes {reach:.3g}; expected at most {LARGEST_WEIGHT:g}")


@torch.no_grad()
def check_checkpoint(other, generator):
    """Raise a UserError where another checkpoint can't be mixed with this one, or gives no picture."""
    mine, theirs = ({name: list(t.shape) for name, t in g.state_dict().items()} for g in (generator, other))
    for name in mine | theirs:
        if mine.get(name) != theirs.get(name) or generator.architecture.kind != other.architecture.kind:
            raise UserError(f"of another architecture: {name} is {theirs.get(name, 'not there')}, here {mine.get(name, 'not there')}")
    z = torch.randn(1, other.z_dim, generator=torch.Generator().manual_seed(0)).to(other.device)
    label = torch.eye(1, other.c_dim, device=other.device) if other.c_dim else None
    if not other.synthesize(other.map(z, psi=0.7, c=label)).isfinite().all():
        raise UserError("its picture is not finite")
