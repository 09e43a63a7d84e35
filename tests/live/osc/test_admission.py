"""What a sender may do over OSC: guarded commands, tokens, wildcards."""
import pytest

import live.instrument.open  # noqa: F401  (the commands there are)
from live.osc.admission import FAR_ANSWERS, MESSAGES, PATTERNS, Admission, is_guarded, is_here
from live.osc.receiver import Receiver
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
        receiver.receive(datagram, sender)
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


THREE_HUNDRED = [message(f"/td/chan{n}", 0.5) for n in range(300)]


def test_three_hundred_values_sixty_times_a_second_all_arrive():
    clock = Clock()
    admission = Admission(clock)
    for _ in range(240):
        assert len(heard(admission, HERE, touchdesigner.bundle(THREE_HUNDRED))) == 300
        clock.moment += 1 / 60
    assert admission.left_out == 0


def test_eighteen_thousand_single_messages_a_second_arrive_however_they_gather():
    clock = Clock()
    admission = Admission(clock)
    for seconds in (1.0, 0.1, 0.5, 0.9):
        datagrams = THREE_HUNDRED * int(60 * seconds)
        assert len(heard(admission, HERE, *datagrams)) == len(datagrams)
        clock.moment += seconds
    assert admission.left_out == 0


FLOODS = {
    "a fader": lambda n: [message("/truncation", 0.5)] * 500,
    "commands": lambda n: [message("/seed/random", 1.0)] * 500,
    "words": lambda n: [message("/walk/kind", "hold")] * 500,
    "new addresses": lambda n: [message(f"/u{n}/{k}", 0.5) for k in range(500)],
    "questions": lambda n: [message("//*", "?")] * 20,
    "listeners": lambda n: [message("/Subscribe", 20000.0 + n)],
    "rubbish": lambda n: [b"/a\0\0,x\0\0"] * 500,
    "vectors": lambda n: [touchdesigner.message(f"/v{n}", *[0.5] * 2000)],
}
UNITS = {"a fader": 1, "commands": 3, "words": 3, "new addresses": 11, "questions": 903, "listeners": 100, "rubbish": 3, "vectors": 135}


@pytest.mark.parametrize("kind", FLOODS)
def test_a_flood_costs_no_more_than_there_is_to_spend_and_is_told_once_a_second(kind, caplog):
    clock, answered, joined = Clock(), [], []
    admission = Admission(clock)
    udp = type("Udp", (), {"sendto": lambda self, datagram, to: answered.append(datagram)})()
    echo = type("Echo", (), {"sources": {}, "answer_request": lambda self, *order: joined.append(order), "note_said": lambda self, *said: None, "tell_mistake": None})()
    addresses, events = {f"/many/{n}": 0.5 for n in range(900)}, []
    receiver = Receiver(udp, lambda item: events.extend(item if isinstance(item, list) else [item]), addresses.get, lambda: addresses,
                        Stats(now=clock, admission=admission), echo)
    datagrams = [touchdesigner.bundle(FLOODS[kind](n)) for n in range(2000)]
    for datagram in datagrams:
        receiver.receive(datagram, HERE)
    most = (MESSAGES + 500 * 11) / UNITS[kind]
    assert len(events) + len(joined) <= most and receiver.stats.answered / 900 <= most + 1 and admission.left_out > 0
    told = [r.getMessage() for r in caplog.records if "more than can be played" in r.getMessage()]
    assert len(told) == 1
    clock.moment += 2.0
    receiver.receive(message("/truncation", 0.5), HERE)
    assert events[-1].control == "osc /truncation"                    # the first after it acts


def test_other_machines_are_answered_only_so_much():
    clock = Clock()
    admission = Admission(clock)
    assert sum(admission.may_answer("10.0.0.9", 500) for _ in range(100)) == 2 * FAR_ANSWERS / 500
    assert admission.may_answer("127.0.0.1", 500)
    clock.moment += 1.0
    assert admission.may_answer("10.0.0.9", 500)


@pytest.mark.parametrize("address", ["/SUBSCRIBE", "/Subscribe/", "/unSubscribe", "/TOKEN", "/Token/"])
def test_no_spelling_of_what_concerns_the_port_reaches_the_show(address):
    echo = type("Echo", (), {"sources": {}, "answer_request": lambda self, *order: None, "note_said": lambda self, *said: None, "tell_mistake": None})()
    events = []
    receiver = Receiver(None, events.append, None, None, Stats(admission=Admission(Clock())), echo)
    for _ in range(3):
        receiver.receive(touchdesigner.bundle([message(address, 9000.0), message("/truncation", 0.5)]), THERE)
    assert [event.control for event in events] == ["osc /truncation"] * 3


@pytest.mark.parametrize("data, why", [(message("/walk/kind", "x" * 60000), "bytes of text"), (touchdesigner.message("/v", *[0.5] * 12000), "12000 arguments")])
def test_what_is_longer_than_anything_there_is_gets_refused(data, why, caplog):
    assert heard(Admission(Clock()), HERE, data) == [] and why in caplog.text and len(caplog.records[-1].getMessage()) < 300


def test_what_is_kept_of_messages_is_short():
    stats = Stats(now=Clock())
    stats.note_messages([("/v", tuple([0.5] * 4000)), ("/t", ("x" * 4000,))])
    assert len(stats.newest()["/v"]) == 8 and stats.newest()["/t"] == "x" * 64


def test_questions_are_told_as_questions():
    stats = Stats(now=Clock())
    receiver = Receiver(type("Udp", (), {"sendto": lambda *a: None})(), lambda item: None, {"/a": 0.5}.get, lambda: {"/a": 0}, stats)
    for data in (message("/a", "?"), message("/a", "?"), message("/a", 0.25)):
        receiver.receive(data, HERE)
    assert stats.report()["questions"] == {"/a": 2} and stats.newest() == {"/a": 0.25}


@pytest.mark.parametrize("address", ["/quit", "/QUIT", "/quit/", "/Token", "/SUBSCRIBE", "/w*", "/{a,b}", "//quit"])
def test_what_is_no_fader_is_judged_each_time_it_comes(address):
    """Faders met before take a short way; nothing else does."""
    admission = Admission(Clock())
    echo = type("Echo", (), {"sources": {}, "answer_request": lambda self, *order: None, "note_said": lambda self, *said: None, "tell_mistake": None})()
    events = []
    receiver = Receiver(None, events.append, None, None, Stats(admission=admission), echo)
    for _ in range(4):
        receiver.receive(message(address, 1.0), THERE)
        receiver.receive(message("/truncation", 0.5), THERE)
    heard_there = [event.control for event in events]
    assert heard_there.count("osc /truncation") == 4 and len(heard_there) == (8 if address in ("/w*", "/{a,b}", "//quit") else 4)
    assert receiver.stats.messages >= 4
