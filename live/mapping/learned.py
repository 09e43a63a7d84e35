"""What was learned so far: bindings that lie over the mapping files until they are kept in one, and may be taken back."""
import logging
import re
from collections import deque
from dataclasses import dataclass, field

from live.mapping.binding import Binding
from live.mapping.travel import guess_range

log = logging.getLogger(__name__)

REMEMBERED = 100                    # what can be taken back
SLACK = 0.001                       # of a range: numbers beyond it are rounded, not of a wider one
_SPECIAL = re.compile(r"[.^$*+?{}\[\]|()\\]")


@dataclass
class Learned:
    """layer: the bindings learned so far. before: earlier layers. guessed: (control, argument) whose range is what was seen of it."""
    layer: list = field(default_factory=list)
    before: deque = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    guessed: set = field(default_factory=set)

    def keep(self, binding: Binding):
        """Add a binding, in place of the one that the same control had in the same bank."""
        self.replace([*(b for b in self.layer if key_of(b) != key_of(binding)), binding])

    def keep_osc(self, binding: Binding):
        """Add a binding of an OSC control whose range will show as it moves."""
        self.guessed.add((binding.control, binding.argument))
        self.keep(binding)

    def forget(self, address: str) -> int:
        """Remove what was learned for an address; returns how many bindings that were."""
        kept = [b for b in self.layer if b.to != address]
        gone = len(self.layer) - len(kept)
        if gone:
            self.replace(kept)
        return gone

    def replace(self, layer):
        self.before.append(self.layer)
        self.layer = layer

    def undo(self) -> bool:
        """Go back to the bindings before the last one learned; returns whether there was one."""
        if not self.before:
            return False
        self.layer = self.before.pop()
        return True

    def widen(self, control, argument, way):
        """Return whether a learned OSC control has gone beyond the range it had so far, and widen that range."""
        key = next((key for key in ((control, argument), (control, None)) if key in self.guessed), None) if self.guessed else None
        if key is None:
            return False
        for n, binding in enumerate(self.layer):
            low, high = binding.own_range or (0.0, 1.0)
            if (binding.control, binding.argument) == key and (way.low < low - SLACK * (high - low) or way.high > high + SLACK * (high - low)):
                ends = guess_range(min(low, way.low), max(high, way.high)) or (0.0, 1.0)
                self.layer = [*self.layer[:n], binding.model_copy(update={"own_range": ends}), *self.layer[n + 1:]]
                log.info("learned: %s goes from %g to %g", control, *ends)
                return True
        return False


def key_of(binding):
    """Return what two bindings share of which the later one takes the other's place."""
    return binding.control, binding.device, binding.bank, binding.argument


def escape_device(device: str) -> str:
    """Return the regular expression that this device's name matches, and no other's."""
    return "^" + _SPECIAL.sub(r"\\\g<0>", device) + "$"


def unescape_device(pattern: str) -> str:
    """Return the name of the device whose pattern this is: the inverse of pattern()."""
    return re.sub(r"\\(.)", r"\1", pattern[1:-1])
