"""Whose turn it is to be written, where a frame has no time for all of a network. Knows names and sizes, no tensors."""
from dataclasses import dataclass, field

SHARE = 10                           # in a fade one part in SHARE of all numbers is written in a frame


@dataclass
class Turns:
    """sizes: {unit: numbers in it}, of what is always written together; order: the units, those written longest ago first."""
    sizes: dict[str, int] = field(default_factory=dict)
    order: list[str] = field(default_factory=list)

    def add(self, unit: str, numbers: int):
        """Count more numbers to a unit."""
        if unit not in self.sizes:
            self.order.append(unit)
        self.sizes[unit] = self.sizes.get(unit, 0) + numbers

    @property
    def whole(self) -> int:
        """Return how many numbers there are in all units."""
        return sum(self.sizes.values())

    def choose(self, changed: set[str], pressing: set[str], room: float | None = None) -> set[str]:
        """Return the units to write now.

        room: numbers that there is time for; what presses comes first. None: all that presses, and of the others as many as make up a SHARE. One at least.
        """
        first = set(pressing) if room is None else set()
        left = self.whole / SHARE - sum(self.sizes.get(unit, 0) for unit in first) if room is None else room
        chosen, waiting = set(first), [unit for unit in self.order if unit in changed - first] + sorted(changed - first - set(self.order))
        for unit in sorted(waiting, key=lambda unit: unit not in pressing):
            if chosen and self.sizes.get(unit, 0) > left:
                break
            chosen.add(unit)
            left -= self.sizes.get(unit, 0)
        self.order = [unit for unit in self.order if unit not in chosen] + [unit for unit in self.order if unit in chosen]
        return chosen
