"""The process of the sound drivers: it is killed, aborts and hangs, and the show loses an input by it, and nothing else. JACK where it is."""
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from live.audio import device
from live.audio.device import DeviceInput, Driver, Speaker, list_inputs
from live.audio.ear import Ear
from live.audio.inputs import Lost
from live.show.clock import now
from tests.live.audio import drivers
from tests.live.audio.test_ear import Run

ROOT = Path(__file__).parents[3]
DEADLINE = 240.0


def until(condition, what=""):
    end = now() + DEADLINE
    while not condition():
        assert now() < end, what
        threading.Event().wait(0.02)


def is_there(pid) -> bool:
    """Whether there is such a process, a zombie as well."""
    return Path(f"/proc/{pid}").exists()


@pytest.fixture
def begun(monkeypatch):
    """begun(serve): have drivers run like this from now on; returns the pids of their processes."""
    pids, start = [], device.Child.start

    def note(child, *arguments):
        start(child, *arguments)
        pids.append(child.process.pid)

    monkeypatch.setattr(device, "SILENT", 60.0)          # a busy machine is no driver that hangs
    monkeypatch.setattr(device, "PATIENCE", 120.0)

    def begin(serve):
        monkeypatch.setattr(device.Child, "start", note)
        monkeypatch.setattr(Driver.__init__, "__defaults__", (serve,))
        return pids

    yield begin
    until(lambda: not [pid for pid in pids if is_there(pid)], "a driver lives on")


linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")


@linux
def test_a_driver_that_is_killed_is_an_input_that_comes_again(begun, caplog):
    pids, run = begun(drivers.play), Run(Ear("desk", again=0.02))
    run.until(lambda: run.ear.heard > 5)
    os.kill(pids[0], signal.SIGKILL)
    run.until(lambda: run.ear.reconnects == 1)
    before = run.ear.heard
    run.until(lambda: run.ear.heard > before + 5)
    run.end()
    assert len(pids) == 2
    said = [r.getMessage() for r in caplog.records if r.levelname == "WARNING"]
    assert said == ["audio: sound input Desk has gone: the sound driver has ended with SIGKILL; playing on without"]


@linux
def test_a_driver_that_aborts_is_one_line(begun, caplog):
    pids, run = begun(drivers.abort_when_asked), Run(Ear("desk", again=0.02))
    run.until(lambda: len(pids) == 3)
    run.end()
    assert [r.getMessage() for r in caplog.records] == ["audio: the sound driver has ended with SIGABRT; playing on without"]
    names, problem = list_inputs(drivers.abort_when_asked)
    assert names == [] and problem == "sound inputs can't be listed: the sound driver has ended with SIGABRT"


@linux
@pytest.mark.parametrize("serve, patience, reason", [(drivers.hang, 0.5, "has not answered"), (drivers.hang_later, 120.0, "Desk has gone: its driver hangs")])
def test_a_driver_that_hangs_is_ended(begun, monkeypatch, serve, patience, reason):
    begun(serve)
    monkeypatch.setattr(device, "PATIENCE", patience)
    monkeypatch.setattr(device, "SILENT", 0.2)
    driver = Driver()
    with pytest.raises(Lost, match=reason):
        list(DeviceInput("desk", driver).read_blocks(lambda: False))
    assert not driver._child.running


@linux
def test_a_driver_that_aborts_while_it_closes(begun):
    begun(drivers.abort_when_closed)
    driver = Driver()
    source = DeviceInput("desk", driver)
    samples, at = next(source.read_blocks(lambda: False))
    assert samples.shape == (512, 2) and at <= now()
    source.close()
    assert not driver._child.running


@linux
def test_one_process_serves_one_input_after_the_other(begun, monkeypatch):
    monkeypatch.setattr(device, "CLOSING", 60.0)         # however long this machine takes to let go of one
    pids, driver = begun(drivers.play), Driver()
    for _ in range(3):
        source = DeviceInput("desk", driver)
        next(source.read_blocks(lambda: False))
        source.close()
    driver.close()
    assert len(pids) == 1 and list_inputs(drivers.play) == ([(1, "Desk")], None)


@linux
def test_speakers_whose_driver_dies_have_gone(begun):
    pids, block = begun(drivers.play), np.zeros((512, 2), np.float32)
    speaker = Speaker(48000)
    for _ in range(5):
        speaker.write(block)
    assert speaker.latency == pytest.approx(0.01 + 2 * 512 / 48000)
    os.kill(pids[0], signal.SIGKILL)
    with pytest.raises(Lost, match="SIGKILL"):
        for _ in range(5):
            speaker.write(block)
    speaker.close()
    begun(drivers.abort_when_asked)
    with pytest.raises(Lost, match="SIGABRT"):
        Speaker(48000)


SHOW = '''
import sys, threading
from live.audio import device
from live.audio.device import DeviceInput, Driver
from tests.live.audio import drivers
if __name__ == "__main__":
    device.PATIENCE = device.SILENT = 240.0
    driver = Driver(drivers.play)
    source = DeviceInput("desk", driver)
    sys.stdout.write(f"{driver._child.process.pid}\\n")
    sys.stdout.flush()
    for _ in source.read_blocks(lambda: False):
        pass
'''


@linux
def test_no_driver_outlives_a_show_that_is_killed(tmp_path):
    program = tmp_path / "show.py"
    program.write_text(SHOW)
    show = subprocess.Popen([sys.executable, str(program)], stdout=subprocess.PIPE, text=True, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)})
    pid = int(show.stdout.readline())
    assert is_there(pid)
    show.kill()
    show.wait()
    until(lambda: not is_there(pid) or Path(f"/proc/{pid}/stat").read_text().split(")")[1].split()[0] == "Z", "it lives on")     # whose parent is to reap it


# -- JACK


class Jack:
    """A JACK server of our own, with the dummy driver."""

    def __init__(self):
        self.name = f"lj-sound-{os.getpid()}"
        self.environment = os.environ | {"JACK_DEFAULT_SERVER": self.name, "JACK_NO_START_SERVER": "1", "OMP_NUM_THREADS": "1"}
        self.start()

    def start(self):
        self.server = subprocess.Popen(["jackd", "-r", "-n", self.name, "-d", "dummy", "-r", "48000", "-p", "512"], stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL)

    def end(self, how=signal.SIGTERM):
        self.server.send_signal(how)
        self.server.wait()


@pytest.fixture
def jack():
    pytest.importorskip("sounddevice")
    if shutil.which("jackd") is None:
        pytest.skip("jackd is not installed")
    server = Jack()
    yield server
    server.end()


def test_a_show_plays_on_while_jack_is_killed_and_comes_again(jack, tmp_path):
    log, report = tmp_path / "log", tmp_path / "report.json"
    with log.open("w") as output:
        show = subprocess.Popen([sys.executable, "run_live.py", "play", "--output", "null", "--size", "32", "--fps", "20", "--threads", "1", "--surface-port", "0",
                                 "--osc-port", "0", "--audio", "sys", "--report", str(report)], cwd=ROOT, stdout=output, stderr=output, env=jack.environment)
    says = lambda text, times=1: show.poll() is not None or log.read_text().count(text) >= times
    try:
        until(lambda: says("hearing system"), log)       # looked for again where the server takes longer than the show
        jack.end(signal.SIGKILL)
        until(lambda: says("has gone; playing on without"), log)
        jack.start()
        until(lambda: says("hearing system", 2), log)
    finally:
        show.send_signal(signal.SIGINT)
        status = show.wait(DEADLINE)
    found = json.loads(report.read_text())
    assert status == 0 and found["audio"]["reconnects"] >= 1 and found["audio"]["blocks"] > 0 and found["frames"] > 20, log.read_text()
