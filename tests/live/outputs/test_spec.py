"""What is asked of outputs: the flag's list and the file, and every mistake in them."""
import pytest

from engine.errors import UserError
from live.outputs import OUTPUTS
from live.outputs.framing import Framing
from live.outputs.service import check_outputs
from live.outputs.spec import OutputSpec, parse_outputs, read_outputs


class Net:
    called = "Latent Jockey"


KINDS = {"window": object, "null": object, "files": object, "net": Net}


def test_a_list_names_each_output_and_gives_windows_one_display_after_the_other():
    specs = parse_outputs("window, files=a=b,window ,null", KINDS, display=1, fullscreen=True)
    assert [(spec.name, spec.kind, spec.target, spec.display, spec.fullscreen) for spec in specs] == [
        ("window", "window", "", 1, True), ("files", "files", "a=b", 0, False), ("window-2", "window", "", 2, True), ("null", "null", "", 0, False)]


@pytest.mark.parametrize("text", ["ndi", "", "window,,null", "Window"])
def test_unknown_kinds_say_which_there_are(text):
    with pytest.raises(UserError, match="there are: files, net, null, window"):
        parse_outputs(text, KINDS)


def test_a_file_says_more():
    data = {"schema": 1, "outputs": [
        {"name": "wall", "kind": "window", "display": 1, "fill": "mirror", "pin": [[0, 0], [1, 0.1], [1, 1], [0, 1]], "colour": {"gamma": 1.5}},
        {"kind": "window", "size": [640, 480], "fps": 15, "mask": "edge.png"}, {"kind": "window"}]}
    wall, desk, third = read_outputs(data, KINDS)
    assert wall.framing == Framing(fill="mirror", pin=(0, 0, 1, 0.1, 1, 1, 0, 1), gamma=1.5) and wall.display == 1
    assert (desk.name, desk.size, desk.fps, desk.mask, third.name) == ("window", (640, 480), 15, "edge.png", "window-2")


@pytest.mark.parametrize("entry, words", [
    ({"kind": "wall"}, "kind: expected one of files, net, null, window"), ({}, "kind: expected"), (5, "expected settings"), ({"kind": "window", "fill": "zoomed"}, "fill: expected one of"),
    ({"kind": "window", "colour": {"gama": 1}}, "no setting 'gama'"), ({"kind": "window", "size": [0, 5]}, "size: expected"), ({"kind": "window", "size": "big"}, "size: expected"),
    ({"kind": "window", "fps": 0}, "fps: expected"), ({"kind": "window", "display": -1}, "display: expected"), ({"kind": "window", "name": "a/b"}, "name"), ({"kind": "window", "pin": [1] * 9}, "pin: "),
    ({"kind": "window", "size": True}, "size: expected"), ({"kind": "window", "size": 0}, "size: expected"), ({"kind": "window", "fps": True}, "fps: expected"), ({"kind": "window", "fps": "fast"}, "fps: expected"),
    ({"kind": "window", "bitrate": -1}, "bitrate: expected"), ({"kind": "window", "target": [1]}, "target: expected a name"), ({"kind": "window", "preview": True}, "preview: of net only"), ({"kind": "net", "preview": [1]}, "preview: expected"),
    ({"kind": "window", "wide": True}, "no setting 'wide'"), ({"kind": "window", "zoom": "nan"}, "zoom: "),
])
def test_mistakes_name_the_entry_and_what_is_allowed(entry, words):
    with pytest.raises(UserError) as error:
        read_outputs({"schema": 1, "outputs": [{"kind": "null"}, entry]}, KINDS)
    assert str(error.value).startswith("output 2: ") and words in str(error.value)


@pytest.mark.parametrize("data", [None, [], {"outputs": []}, {"outputs": "window"}, {"schema": 2, "outputs": [{"kind": "null"}]}, {"outputs": [{"kind": "null"}], "more": 1}])
def test_what_is_no_list_of_outputs_is_refused(data):
    with pytest.raises(UserError, match="outputs"):
        read_outputs(data, KINDS)


def test_two_of_one_name_are_refused():
    with pytest.raises(UserError, match="two outputs called 'a'"):
        read_outputs({"outputs": [{"kind": "null", "name": "a"}, {"kind": "null", "name": "a"}]}, KINDS)


def test_a_preview_is_a_small_output_beside_the_full_one():
    full, small, other, tiny = read_outputs({"outputs": [{"kind": "net", "target": "Stage", "size": [1920, 1080], "fill": "mirror", "preview": True}, {"kind": "net", "name": "b", "fps": 5, "preview": [64, 36]}]}, KINDS)
    assert (small.name, small.kind, small.target, small.size, small.fps, small.framing) == ("net-preview", "net", "Stage preview", 320, 15.0, full.framing)
    assert (other.find_sender_name("Latent Jockey"), tiny.target, tiny.size, tiny.fps) == ("Latent Jockey b", "Latent Jockey b preview", (64, 36), 5)


@pytest.mark.parametrize("specs, words", [
    ([OutputSpec("a", "ndi", "Stage"), OutputSpec("b", "ndi", "Stage")], "output b: a is ndi=Stage already; give them different names"),
    ([OutputSpec("a", "ndi", bitrate=500)], "output a: ndi takes no bitrate"),
    ([OutputSpec("a", "stream", "nowhere")], "output a: stream=nowhere: expected a server's address"),
    ([OutputSpec("a", "memory", "no good")], "output a: memory='no good': expected up to 29 letters"),
])
def test_what_can_be_told_to_be_wrong_is_told_before_the_show(specs, words):
    with pytest.raises(UserError) as error:
        check_outputs(specs)
    assert str(error.value).startswith(words)


def test_several_of_one_kind_have_names_of_their_own():
    specs = check_outputs(parse_outputs("ndi,ndi,ndi=Stage,memory,memory,spout,camera,camera=/dev/video9,window,window", OUTPUTS))
    assert [spec.find_sender_name(getattr(OUTPUTS[spec.kind], "called", "")) for spec in specs][:5] == ["Latent Jockey", "Latent Jockey ndi-2", "Stage", "latent-jockey", "latent-jockey-memory-2"]
