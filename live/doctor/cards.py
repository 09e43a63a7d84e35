"""The graphics cards of this machine as the system knows them, whatever torch can do with them. Needs no torch."""
import platform
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

MAKERS = {"0x10de": "NVIDIA", "0x1002": "AMD"}
PCI = Path("/sys/bus/pci/devices")
DISPLAY_CLASS = "0x03"               # of PCI: display controllers
ASK = ("nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader")
PATIENCE = 10.0                     # seconds for nvidia-smi, which wakes a sleeping card


@dataclass(frozen=True)
class Card:
    """maker: NVIDIA, AMD or Apple. name: as the driver has it, "" where none speaks. driver: its version, "" if there is none."""
    maker: str
    name: str = ""
    driver: str = ""


def find_cards(ask=None, pci: Path = PCI, system: str = sys.platform, processor: str | None = None) -> tuple[Card, ...]:
    """Return the cards there are. ask() -> what nvidia-smi prints, "" without one; the others stand in for this machine in tests."""
    cards = [Card("NVIDIA", *(part.strip() for part in line.rsplit(",", 1))) for line in (ask or _ask)().splitlines() if line.count(",")]
    makers = _list_makers(pci)
    if not cards and "NVIDIA" in makers:
        cards.append(Card("NVIDIA"))
    if "AMD" in makers:
        cards.append(Card("AMD"))
    if system == "darwin" and (processor or platform.machine()) == "arm64":
        cards.append(Card("Apple", "Apple GPU", "macOS"))
    return tuple(cards)


def _ask() -> str:
    if not shutil.which(ASK[0]):
        return ""
    try:
        answer = subprocess.run(ASK, capture_output=True, text=True, timeout=PATIENCE, check=False)
    except (OSError, subprocess.SubprocessError):
        return ""
    return answer.stdout if answer.returncode == 0 else ""


def _list_makers(pci: Path) -> set[str]:
    """Return the makers of the display controllers on the bus."""
    found = set()
    for device in pci.glob("*"):
        try:
            if (device / "class").read_text().startswith(DISPLAY_CLASS):
                found.add(MAKERS.get((device / "vendor").read_text().strip(), ""))
        except OSError:
            continue
    return found - {""}
