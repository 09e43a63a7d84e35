"""Turn what hands did into what the instrument hears. No I/O, no clock, no tensors."""
from dataclasses import dataclass, field

from live.commands import COMMANDS, fires
from live.events import Call, Change


@dataclass
class Mapping:
    """Bindings, and direct OSC addresses."""
    bindings: dict = field(default_factory=dict)

    def heard(self, events, scene):
        """Events of one frame -> the changes and calls they mean, in order."""
        found = []
        for event in events:
            source, _, address = event.control.partition(" ")
            if source != "osc":
                continue
            if address in scene.parameters:
                found.append(Change(address, event.value))
            elif address in COMMANDS:
                arguments = event.value if isinstance(event.value, tuple) else (event.value,)
                if fires(arguments):
                    found.append(Call(address, arguments))
        return found
