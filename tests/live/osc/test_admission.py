"""What a sender may do over OSC: guarded commands, tokens, wildcards."""
import pytest
from live.osc.receiver import Receiver

import live.instrument.open  # noqa: F401  (the commands there are)
from live.osc.admission import PATTERNS, Admission, is_guarded, is_here
from live.osc.stats import Stats
from live.show.commands import COMMANDS
from tests.senders import touchdesigner


def message(address, *values):
    return touchdesigner.message(address, *values, tag="s" if isinstance(values[0], str) else "f")


THERE, HERE = ("192.168.1.9", 5000), ("127.0.0.1", 5000)
GUARDED = sorted(address for address, command in COMMANDS.items() if command.guarded)


class Clock:
    moment = 0.0

    def __call__(self):
        return self.moment


def heard(admission, sender, *datagrams):
    """The controls of the events that these datagrams of a sender become."""
    events = []
    receiver = Receiver(None, lambda item: events.extend(item if isinstance(item, list) else [item]), None, None, Stats(admission=admission))
    for datagram in datagrams:
        receiver.heard(datagram, sender)
    return [event.control for event in events]


def test_what_ends_deletes_or_writes_is_guarded():
    assert {"/quit", "/preset/delete", "/weights/delete", "/mapping/save", "/osc/learn", "/midi/learn"} <= set(GUARDED)
    assert not is_guarded("/truncation") and not is_guarded("/preset/recall")


@pytest.mark.parametrize("address", GUARDED)
def test_a_guarded_command_is_for_this_machine(address):
    for spelled in (address, address.upper(), address + "/"):
        assert heard(Admission(Clock()), THERE, message(spelled, 1.0)) == []
    assert heard(Admission(Clock()), HERE, message(address, 1.0)) == [f"osc {address}"]
    assert heard(Admission(Clock()), ("::1", 5000, 0, 0), message(address, 1.0)) == [f"osc {address}"]


def test_a_bundle_of_a_stranger_loses_only_what_it_may_not():
    data = touchdesigner.bundle([message("/truncation", 0.5), message("/quit", 1.0), message("/walk/speed", 0.25)])
    admission = Admission(Clock())
    for _ in range(3):                                   # the third is read by the layout that was learned
        assert heard(admission, THERE, data) == ["osc /truncation", "osc /walk/speed"]
    assert admission.refused == 3


def test_the_token_opens_the_door_for_its_sender_only():
    admission = Admission(Clock(), token="sesame")
    assert heard(admission, THERE, message("/token", "wrong"), message("/quit", 1.0)) == []
    assert heard(admission, THERE, message("/token", "sesame"), message("/quit", 1.0)) == ["osc /quit"]
    assert heard(admission, ("192.168.1.10", 1), message("/quit", 1.0)) == []


def test_guessing_a_token_stops_being_looked_at():
    clock = Clock()
    admission = Admission(clock, token="sesame")
    guesses = [message("/token", f"guess{n}") for n in range(5)]
    assert heard(admission, THERE, *guesses, message("/token", "sesame"), message("/quit", 1.0)) == []
    clock.moment += 61
    assert heard(admission, THERE, message("/token", "sesame"), message("/quit", 1.0)) == ["osc /quit"]


def test_without_a_token_no_word_opens_it():
    assert heard(Admission(Clock()), THERE, message("/token", ""), message("/quit", 1.0)) == []


def test_new_wildcards_have_a_budget_and_old_ones_none():
    clock = Clock()
    admission = Admission(clock)
    new = [message(f"/trunc*{n}", 0.5) for n in range(PATTERNS + 100)]
    assert len(heard(admission, HERE, *new)) == PATTERNS and admission.left_out == 100
    assert len(heard(admission, HERE, *[new[0]] * 500)) == 500
    assert len(heard(admission, HERE, *[message("/truncation", 0.5)] * 500)) == 500
    clock.moment += 1.0
    assert heard(admission, HERE, message("/w*", 1.0)) == ["osc /w*"]


@pytest.mark.parametrize("host, here", [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("::ffff:127.0.0.1", True), ("fe80::1%eth0", False),
                                        ("192.168.0.1", False), ("127.evil.example", False), ("::ffff:10.0.0.1", False)])
def test_this_machine_is_told_from_others(host, here):
    assert is_here(host) == here
