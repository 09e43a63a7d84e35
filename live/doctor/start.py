"""What a show says at its start of a card that it does not use."""
import logging
import platform

from live.doctor.cards import find_cards
from live.doctor.diagnosis import WRONG, describe_idle_card
from live.doctor.machine import Machine, read_torch

log = logging.getLogger(__name__)


def warn_of_idle_card():
    """Log one line if this machine has a card that the installed torch can't use, with the command that mends it."""
    machine = Machine(f"{platform.system()} {platform.release()}", platform.python_version(), 1, read_torch()[0], cards=find_cards())
    found = describe_idle_card(machine)
    if found and found.state == WRONG:
        log.warning("%s; playing on the processor. To use the card: %s", found.text, found.mend)
