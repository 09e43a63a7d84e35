"""MIDI Time Code and Show Control from bytes: all rates, jumps, drop-frame, backwards, junk; and through the show."""
import pytest

from live.controls.midi import Clocks
from live.midi.mtc import RATES, TimecodeReader, read_show_control, to_seconds


def quarters(hours, minutes, seconds, frames, kind):
    pieces = [frames & 15, frames >> 4, seconds & 15, seconds >> 4, minutes & 15, minutes >> 4, hours & 15, hours >> 4 | kind << 1]
    return [[0xF1, n << 4 | piece] for n, piece in enumerate(pieces)]


def count(reference, kind):
    """The address of a frame counted from midnight, the slow way: frame by frame numbers that drop-frame leaves out are stepped over."""
    nominal = (24, 25, 30, 30)[kind]
    address, n = [0, 0, 0, 0], 0
    while n < reference:
        address[3] += 1
        for place, size in ((3, nominal), (2, 60), (1, 60)):
            if address[place] == size:
                address[place], address[place - 1] = 0, address[place - 1] + 1
        if kind == 2 and address[3] == 0 and address[2] == 0 and address[1] % 10:
            address[3] = 2
        n += 1
    return address


@pytest.mark.parametrize("kind", range(4))
def test_quarter_frames_of_all_rates_are_two_frames_late_and_corrected(kind):
    for first in (0, 1790, 1798, 1800, 17980, 18000):
        reader = TimecodeReader()
        found = []
        for n in range(first - first % 2, first - first % 2 + 8, 2):
            for k, data in enumerate(quarters(*count(n, kind), kind)):
                if (read := reader.read(data)) is not None:
                    found.append((read, n + k / 4))
        assert len(found) == 4 and all(running and seconds == pytest.approx(at / RATES[kind], abs=1e-9) for (seconds, running), at in found)


def test_a_jump_and_a_start_in_the_middle_need_all_eight_pieces():
    reader = TimecodeReader()
    a, b = quarters(1, 0, 0, 0, 1), quarters(2, 30, 0, 0, 1)
    assert [reader.read(data) for data in a[3:]] == [None] * 5
    assert [reader.read(data) is not None for data in b] == [False] * 7 + [True]
    assert [reader.read(data) for data in a[:5]] == [None] * 5 and [reader.read(data) for data in b[2:]] == [None] * 6


def test_a_full_frame_stands_and_backwards_does_not_run():
    reader = TimecodeReader()
    assert reader.read([0xF0, 0x7F, 0x7F, 1, 1, 1 | 1 << 5, 2, 3, 4, 0xF7]) == (3723 + 4 / 25, False)
    back = [reader.read(data) for data in reversed(quarters(0, 1, 0, 12, 0))]
    assert back[:7] == [None] * 7 and back[7][1] is False and back[7][0] == pytest.approx(60 + 12 / 24 - 1.75 / 24)


@pytest.mark.parametrize("address", [(24, 0, 0, 0, 1), (0, 60, 0, 0, 1), (0, 0, 60, 0, 1), (0, 0, 0, 25, 1), (0, 1, 0, 0, 2), (0, 1, 0, 1, 2)])
def test_times_that_do_not_exist_are_left_out(address):
    assert to_seconds(*address) is None
    reader = TimecodeReader()
    assert all(reader.read(data) is None for data in quarters(*address))


def test_drop_frame_is_true_to_the_clock():
    assert to_seconds(1, 0, 0, 0, 2) == pytest.approx(3600, abs=0.004) and to_seconds(23, 59, 59, 29, 2) == pytest.approx(86400, abs=0.15)


@pytest.mark.parametrize("body, says", [((1, 0x31, 0x32, 0), ("/msc/go", ("12",))), ((1,), ("/msc/go", ())), ((2,), ("/msc/stop", ())), ((3,), ("/msc/resume", ())),
                                        ((4, 0, 0, 0, 0, 0, 0x37), ("/msc/go", ("7",))), ((9,), None), ((), None)])
def test_show_control(body, says):
    assert read_show_control([0xF0, 0x7F, 0x7F, 2, 1, *body, 0xF7]) == says
    assert read_show_control([0xF0, 0x7F, 0x7F, 1, 1, *body, 0xF7]) is None and read_show_control([0xF1, 0]) is None


def test_each_port_counts_its_own_pieces():
    times, asked, beats = [], [], []
    clocks = Clocks(lambda *found: beats.append(found), lambda *found: times.append(found), asked.append)
    for a, b in zip(quarters(1, 0, 0, 0, 3), quarters(5, 0, 0, 0, 0)):
        clocks.receive("system", 1.0, tuple(a), "desk")
        clocks.receive("system", 1.0, tuple(b), "tape")
    assert [(source, round(seconds)) for source, seconds, _, _ in times] == [("MTC of desk", 3600), ("MTC of tape", 18000)]
    clocks.receive("system", 2.0, (0xF0, 0x7F, 1, 2, 1, 1, 0xF7), "desk")
    clocks.receive("system", 2.0, (0xF0, 0x43, 1, 0xF7), "desk")
    clocks.receive("clock", 2.0, 0, "desk")
    assert [order.command for order in asked] == ["/msc/go"] and beats == [("clock", 2.0, 0, "desk")] and len(times) == 2
