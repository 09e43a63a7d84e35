"""Datagrams as bytes: what is read from them, and that nothing in them can do harm."""
import struct

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pythonosc.osc_bundle_builder import IMMEDIATELY, OscBundleBuilder
from pythonosc.osc_message import OscMessage, ParseError
from pythonosc.osc_message_builder import OscMessageBuilder

from live.osc.packet import DEPTH, LAYOUTS, read, read_known
from live.osc.receiver import make_codec, make_event
from tests.senders.touchdesigner import bundle, message, string

NAN, INFINITY = float("nan"), float("inf")


def taken(datagram):
    return read(datagram, make_codec(OscMessage, ParseError))


def raw(address, tags, payload=b""):
    return string(address) + string(tags) + payload


def wrap(*elements):
    return b"#bundle\0" + struct.pack(">Q", 1) + b"".join(struct.pack(">i", len(e)) + e for e in elements)


@pytest.mark.parametrize("datagram, arguments", [
    (message("/a", 0.5), (0.5,)),
    (message("/a", 3, tag="i"), (3,)),
    (message("/a", 0.1, tag="d"), (0.1,)),
    (raw("/a", ",h", struct.pack(">q", 1 << 40)), (1 << 40,)),
    (message("/a", *range(512)), tuple(map(float, range(512)))),
    (raw("/a", ",ifd", struct.pack(">ifd", 1, 0.5, 0.1)), (1, 0.5, 0.1)),
    (message("/a", "hold", tag="s"), ("hold",)),
    (raw("/a", ",sf", string("hats") + struct.pack(">f", 0.5)), ("hats", 0.5)),
    (raw("/a", ",T"), (True,)),
    (raw("/a", ",F"), (False,)),
    (raw("/a", ",I"), (True,)),
    (raw("/a", ",N"), ()),
    (raw("/a", ",IfT", struct.pack(">f", 2)), (True, 2.0, True)),
    (raw("/a", ",[ff]f", struct.pack(">fff", 1, 2, 3)), (1.0, 2.0, 3.0)),
    (raw("/a", ",[[s]]", string("x")), ("x",)),
    (raw("/a", ",]T["), (True,)),
    (raw("/a", ","), ()),
    (string("/a"), ()),
    (string("/häts"), ()),
])
def test_types(datagram, arguments):
    """What every argument type becomes."""
    (address, found), = taken(datagram)[0]
    assert found == arguments and [type(a) for a in found] == [type(a) for a in arguments]
    assert address in ("/a", "/häts")


@pytest.mark.parametrize("datagram, fault", [
    (b"", "neither"),
    (b"/", "neither"),
    (b"abcd", "neither"),
    (b"\0" * 64, "neither"),
    (b"/a\0", "neither"),
    (b"/abc", "without its end"),
    (b"#bundle\0", "without a time tag"),
    (b"#bundle\0" + b"\0" * 4, "without a time tag"),
    (b"#bundle\0" + struct.pack(">Qi", 1, -4), "-4 bytes"),                  # 20 bytes that hang python-osc's parser
    (b"#bundle\0" + struct.pack(">Qi", 1, 0), "0 bytes"),
    (b"#bundle\0" + struct.pack(">Qi", 1, 1 << 30), "bytes where 0 are left"),
    (b"#bundle\0" + struct.pack(">Q", 1) + b"\0\0", "0 bytes"),
    (raw("/a", ",f"), "cut short"),
    (raw("/a", ",ff", struct.pack(">f", 1)), "cut short"),
    (raw("/a", ",s", b"hold"), "'/a'"),
    (raw("/a", ",cf", struct.pack(">if", 65, 3)), "'c' is not accepted"),
    (raw("/a", ",b", struct.pack(">i", -1)), "'b'"),
    (raw("/a", ",t", struct.pack(">Q", 1)), "'t'"),
    (raw("/a", ",[f", struct.pack(">f", 1)), "array"),
    (string("/a") + b"ff\0\0" + struct.pack(">f", 1), "no type tags"),
    (string("/a") + b",\xff\0\0", "UTF-8"),
    (b"/\xff\xfe\0,f\0\0" + struct.pack(">f", 1), "UTF-8"),
    (raw("/a", ",s", b"\xff\xff\0\0"), "/a"),
    (raw("/a\nb", ",f", struct.pack(">f", 1)), "address"),
    (message("/" + "a" * 300, 1), "address"),
    (message("/a", NAN), "finite"),
    (message("/a", INFINITY), "finite"),
    (message("/a", 1, NAN, 2), "finite"),
    (raw("/a", ",sf", string("x") + struct.pack(">f", -INFINITY)), "finite"),
])
def test_refused(datagram, fault):
    found, faults = taken(datagram)
    assert found == [] and len(faults) == 1 and fault in faults[0], faults


def test_a_nan_after_good_values_of_the_same_fader():
    assert [taken(message("/nan", v))[0] for v in (1.0, NAN, 2.0)] == [[("/nan", (1.0,))], [], [("/nan", (2.0,))]]


@pytest.mark.parametrize("bad", [
    raw("/bad", ",c", b"\0\0\0A"), raw("/bad", ",f"), message("/bad", NAN), b"rubbish!", b"\xff" * 8,
    b"/bad\xff\0\0\0,f\0\0", b"odd", b"/odd\0\0", wrap(b"x" * 4)])
def test_one_bad_element_costs_only_itself(bad):
    found, faults = taken(wrap(message("/a", 1), bad, message("/b", 2), wrap(message("/c", 3), bad, message("/d", 4))))
    assert found == [("/a", (1.0,)), ("/b", (2.0,)), ("/c", (3.0,)), ("/d", (4.0,))]
    assert len(faults) == 2


def test_bundles_in_bundles():
    def nested(depth):
        packet = message("/a", 1)
        for _ in range(depth):
            packet = wrap(packet)
        return packet
    assert taken(nested(DEPTH)) == ([("/a", (1.0,))], [])
    assert taken(nested(DEPTH + 1)) == ([], [f"bundles more than {DEPTH} deep"])
    assert taken(nested(2500)) == ([], [f"bundles more than {DEPTH} deep"])


def test_300_channels():
    """More than the 8 KiB at which the stock servers cut a bundle; dated an hour ahead."""
    packet = bundle([message(f"/bends/channel{i}/factor", i) for i in range(300)], offset=3600)
    assert len(packet) > 8192
    found, faults = taken(packet)
    assert found == [(f"/bends/channel{i}/factor", (float(i),)) for i in range(300)] and not faults


def test_what_python_osc_builds():
    """An independent sender: all its types, in a nested bundle."""
    built = OscMessageBuilder("/a")
    for value in (1, 0.5, "text", True, False, None, [1, 2.0], 1 << 40):
        built.add_arg(value)
    outer, inner = OscBundleBuilder(IMMEDIATELY), OscBundleBuilder(IMMEDIATELY)
    inner.add_content(built.build())
    outer.add_content(inner.build())
    assert taken(outer.build().dgram) == ([("/a", (1, 0.5, "text", True, False, 1, 2.0, 1 << 40))], [])


@pytest.mark.parametrize("arguments, value, momentary", [
    ((), (), True), ((0.5,), 0.5, False), ((1,), 1, False), ((True,), True, True), (("hold",), "hold", True),
    ((1.0, 2.0), (1.0, 2.0), False), (("hats", 2.0), ("hats", 2.0), True),
])
def test_event(arguments, value, momentary):
    made = make_event("/a", arguments, 3.0)
    assert (made.control, made.value, made.momentary, made.at) == ("osc /a", value, momentary, 3.0)
    assert type(made.value) is type(value)


@given(st.binary(max_size=400))
@example(b"#bundle\0" + b"\xff" * 40)
def test_any_bytes(data):
    check(data)


@given(st.lists(st.binary(max_size=40) | st.sampled_from([message("/a", 1), b"#bundle\0", b",f\0\0", b"/a\0\0"]), max_size=8))
def test_any_elements(elements):
    check(wrap(*elements))


@given(st.text("fidhsbTFNI[]cSrmt", max_size=12), st.binary(max_size=60))
def test_any_arguments(tags, payload):
    check(raw("/a", "," + tags, payload + b"\0" * (-len(payload) % 4)))


def check(datagram):
    """Read without an exception; only clean values come out."""
    for address, arguments in taken(datagram)[0]:
        assert address.startswith("/") and address.isprintable() and isinstance(arguments, tuple)
        for value in arguments:
            assert isinstance(value, (str, bool, int)) or value - value == 0


ELEMENT = st.tuples(st.sampled_from(["/a", "/b/c", "/longer/address", "/häts"]), st.sampled_from("fi"), st.integers(-9, 9))


@given(st.lists(ELEMENT, min_size=2, max_size=8), st.lists(ELEMENT, min_size=2, max_size=8), st.integers(0, 99))
def test_at_a_stroke_is_what_reading_gives(first, second, turn):
    """Bundles like one before, and bundles that only look like it: nothing or exactly what read() gives."""
    taken(wrap(*(message(address, value, tag=tag) for address, tag, value in first)))
    for elements in (first, [(address, tag, value + turn) for address, tag, value in first], second):
        datagram = wrap(*(message(address, value, tag=tag) for address, tag, value in elements))
        found = read_known(datagram)
        if elements is not second:
            assert found is not None
        if found is not None:
            assert [(address, (number,)) for address, number in zip(*found, strict=True)] == taken(datagram)[0]


@pytest.mark.parametrize("changed", [
    wrap(message("/k", 0.5), message("/l", NAN)), wrap(message("/k", INFINITY), message("/l", -INFINITY)),
    wrap(message("/k", 1), message("/m", 0.5)), wrap(message("/k", 1, tag="i"), message("/l", 0.5)),
    wrap(message("/k", 1)) + struct.pack(">i", 8) + message("/l", 0.5), b"#bundlf" + wrap(message("/k", 1), message("/l", 0.5))[7:],
])
def test_what_only_looks_like_a_bundle_before_is_read_with_care(changed):
    taken(wrap(message("/k", 0.5), message("/l", 0.5)))
    assert read_known(wrap(message("/k", 0.25), message("/l", -2.0))) == (("/k", "/l"), (0.25, -2.0))
    assert read_known(changed) is None


@pytest.mark.parametrize("never", [message("/a", 0.5), wrap(), wrap(message("/a", 0.5)), wrap(message("/a", 0.5), message("/b", 1, 2)),
                                   wrap(message("/a", 0.5), wrap(message("/b", 0.5))), wrap(message("/a", 0.5), message("/b", "x", tag="s")), b""])
def test_what_has_no_layout(never):
    taken(never)
    assert read_known(never) is None


def test_layouts_are_not_kept_without_end():
    for size in range(2, LAYOUTS + 20):
        taken(wrap(*(message(f"/many/{n}", 0.5) for n in range(size))))
    from live.osc import packet as osc_packet
    assert len(osc_packet._layouts) <= LAYOUTS
