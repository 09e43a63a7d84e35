"""NVIDIA's PyTorch names (SPEC.md A.5; ada and the StyleGAN2 class of the stylegan3 repository): tensors -> our state dict.

The same for their pickles, for state dicts of them and for tools that took the names over. Must not open files, and must not
look at source text that came with them.
"""
import re

from engine.checkpoints.find import Found, Place
from engine.checkpoints.infer import Contents, contents, expect_filter, fold_lr_mul
from engine.errors import UserError

IGNORED = re.compile(r"(num_batches_tracked|pl_mean|w_std|noise_regularize|.*_scale_buffer)$")      # of training, without effect on pictures


def read(found: Found, place: Place, container: str) -> Contents:
    """Return the network at a place. container: what kind of file it was found in, in words."""
    state = {}
    for part, ours in ((place.synthesis, "synthesis."), (place.mapping, "mapping.")):
        start = place.prefix + part
        for name, tensor in found.tensors.items():
            if not name.startswith(start) or IGNORED.search(name):
                continue
            if name.endswith("resample_filter"):
                expect_filter(name, tensor)
            elif part or re.match(r"b\d+\.", name[len(start):]):
                state[ours + name[len(start):]] = tensor
    settings = _Settings(found, place)
    last = settings.of(f"b{settings.last}.conv1")
    if last.get("activation", "lrelu") != "lrelu":
        raise UserError(f"activation {str(last['activation'])[:20]!r}: expected lrelu")
    state = fold_lr_mul(state, settings.mapping("fc0").get("bias_gain", 0.01))
    kind = settings.of(f"b{settings.last}").get("architecture")
    label = f" ({place.label})" if place.label else ""
    return contents(f"NVIDIA PyTorch {container}{label}", state, last.get("conv_clamp"), kind)


class _Settings:
    """Attributes of the modules that a pickle described; a state dict has none."""

    def __init__(self, found: Found, place: Place):
        self.records, self.place = found.records, place
        blocks = (re.match(r"b(\d{1,5})\.conv1", name[len(place.prefix + place.synthesis):]) for name in found.tensors
                  if name.startswith(place.prefix + place.synthesis))
        self.last = max((int(match[1]) for match in blocks if match), default=4)

    def of(self, name: str) -> dict:
        """Return the attributes of a module of the synthesis network."""
        return self._find(self.place.prefix + self.place.synthesis + name)

    def mapping(self, name: str) -> dict:
        """Return the attributes of a module of the mapping network."""
        return self._find(self.place.prefix + self.place.mapping + name)

    def _find(self, name: str) -> dict:
        record = self.records.get(name)
        return record.state if record is not None and isinstance(record.state, dict) else {}
