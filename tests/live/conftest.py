"""What tests of the show have in common: a busy machine takes long to open and to close things, and is no fault."""
import pytest

from live import outputs
from live.files import writer
from live.osc import query
from live.outputs import sender
from live.surface import server
from live.takes import recording


@pytest.fixture(autouse=True, scope="session")
def patient():
    """Have a show wait for its servers at the beginning, and for the disk and for outputs at the end, as long as a test would."""
    server.OPENING = query.STARTING = 60.0
    writer.CLOSING = recording.CLOSING = outputs.CLOSING = sender.CLOSING = 60.0
