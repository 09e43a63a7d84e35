"""Takes that are seen and edited: what nothing is asked of stays byte for byte, what is cut plays on as it did."""
import csv
import math
import pathlib
import wave

import pytest

from engine.checkpoints import native
from engine.errors import UserError
from live.cli import take as cli
from live.stage.from_take import make_lanes
from live.takes.curves import put_curve, read_csv, read_curves, write_csv
from live.takes.editing import join, mute, scale, split, thin
from live.takes.lines import TakeLines, write_take
from live.takes.on_beat import count_beats, quantise
from live.takes.performance import play_ticks
from live.takes.take import TakeReader
from run_live import parser_for
from tests.conftest import tiny
from tests.live.memory_rig import Rig

EVENING = pathlib.Path(__file__).parent / "recorded" / "evening.take"


@pytest.fixture(scope="module")
def rig():
    return Rig()


def read(rig, path):
    return TakeReader(path, rig.base, "", rig.bend)


def moments(rig, path):
    return [(str(m.scene.values), m.scene.bends, m.scene.modulators, m.motion) for m in play_ticks(read(rig, path))]


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    """A take of a sine on /truncation, two recalls and a fade, 8 seconds at 120 bpm."""
    tmp_path = tmp_path_factory.mktemp("played")
    rig = Rig(tmp_path)
    rig.send("/preset/store", "look")
    rig.play()
    rig.send("/take/record", "played")
    for n in range(240):
        rig.send("/truncation", 0.5 + 0.4 * math.sin(n / 20))
        if n in (33, 150):
            rig.send("/preset/recall", "look")
        if n == 65:
            rig.send("/blackout", 1.5)
        rig.play()
    rig.close()
    return tmp_path / "played.take"


def test_nothing_asked_is_byte_for_byte(rig, played, tmp_path):
    for source in (EVENING, played):
        name = source.stem
        write_take(tmp_path / f"{name}-copy", TakeLines(source).head, TakeLines(source))
        split(read(rig, source), [0.0, math.inf], [tmp_path / f"{name}-whole"])
        scale(source, tmp_path / f"{name}-one", 1.0)
        mute(source, tmp_path / f"{name}-mute", ["/nothing"])
        thin(source, tmp_path / f"{name}-thin", rig.show.scene, 0.0)
        quantise(source, tmp_path / f"{name}-grid", 1.0, 0.0)
        for out in ("copy", "whole", "one", "mute", "thin", "grid"):
            assert (tmp_path / f"{name}-{out}").read_bytes() == source.read_bytes(), (name, out)


def test_parts_play_as_they_did_and_join_to_the_whole(rig, played, tmp_path):
    for source, places in ((EVENING, [0.0, 1.7, 4.0, math.inf]), (played, [0.0, 2.5, 5.3, math.inf])):
        outs = [tmp_path / f"{source.stem}-{n}.take" for n in range(3)]
        counts = split(read(rig, source), places, outs)
        whole = moments(rig, source)
        assert [row for out in outs for row in moments(rig, out)] == whole and sum(counts) == len(whole)
        join(outs, tmp_path / f"{source.stem}-joined.take")
        assert moments(rig, tmp_path / f"{source.stem}-joined.take") == whole


def test_a_trim_in_a_freeze_keeps_the_held_picture(rig, tmp_path):
    show = Rig(tmp_path)
    show.send("/take/record", "frozen")
    for n in range(60):
        if n == 20:
            show.send("/output/freeze", 1)
        show.send("/truncation", 0.01 * n)
        show.play()
    show.close()
    split(read(rig, tmp_path / "frozen.take"), [1.0, 1.5], [tmp_path / "part.take"])
    part = read(rig, tmp_path / "part.take")
    assert part.shown[0]["/truncation"] == pytest.approx(0.18, abs=0.011) and part.scene["/output/freeze"] == 1.0
    assert part.measure_length()[0] == 15


def test_the_sound_beside_a_take_is_cut_with_it(rig, played, tmp_path):
    source = tmp_path / "sung.take"
    source.write_bytes(played.read_bytes())
    with wave.open(f"{source}.wav", "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(1000)
        sound.writeframes(b"".join(int(n).to_bytes(2, "little") for n in range(8000)))
    split(read(rig, source), [2.0, 3.5], [tmp_path / "part.take"])
    with wave.open(str(tmp_path / "part.take.wav")) as sound:
        assert sound.getnframes() == 1500 and sound.readframes(1) == (2000).to_bytes(2, "little")


def test_scale_keeps_what_was_done(played, tmp_path):
    scale(played, tmp_path / "slow.take", 2.5)
    a, b = list(TakeLines(played)), list(TakeLines(tmp_path / "slow.take"))
    assert [line.items for line in a] == [line.items for line in b]
    assert b[-1].time - b[0].time == pytest.approx(2.5 * (a[-1].time - a[0].time)) and sum(line.dt for line in b) == pytest.approx(2.5 * sum(line.dt for line in a))


def test_mute_leaves_the_first_value_in_scenes_too(rig, played, tmp_path):
    mute(played, tmp_path / "quiet.take", ["/truncation"])
    first = read(rig, played).scene["/truncation"]
    assert {m.scene["/truncation"] for m in play_ticks(read(rig, tmp_path / "quiet.take"))} == {first}
    mute(played, tmp_path / "only.take", ["/truncation"], others=True)
    assert set(read_curves(TakeLines(tmp_path / "only.take"))) == {"/truncation"}


def test_thinned_moves_stay_near_and_end_where_they_did(rig, played, tmp_path):
    near = 0.02
    thin(played, tmp_path / "thin.take", rig.show.scene, near)
    a, b = ([m.scene["/truncation"] for m in play_ticks(read(rig, path))] for path in (played, tmp_path / "thin.take"))
    parameter = rig.show.scene.parameters["/truncation"]
    assert max(abs(parameter.normalized(x) - parameter.normalized(y)) for x, y in zip(a, b)) < near and a[-1] == b[-1]
    changes = lambda path: sum(len(line.items) for line in TakeLines(path))
    assert changes(tmp_path / "thin.take") < 0.8 * changes(played)


def test_moves_begin_on_the_beat(tmp_path):
    show = Rig(tmp_path)
    show.send("/take/record", "loose")
    for n in range(200):                                  # at 15 frames a beat: a run at 2.2 beats, a press at 7.73
        if 33 <= n < 43:
            show.send("/truncation", 0.1 + 0.05 * (n - 33))
        if n == 116:
            show.send("/walk/seed", 7)
        show.play()
    show.close()
    quantise(tmp_path / "loose.take", tmp_path / "tight.take", 1.0)
    take = TakeLines(tmp_path / "tight.take")
    lines = list(take)
    beats = count_beats(take, lines)
    found = {item[0]: [] for line in lines for item in line.items if isinstance(item, list)}
    for beat, line in zip(beats, lines):
        for item in line.items:
            if isinstance(item, list):
                found[item[0]].append((round(beat, 6), item[1]))
    assert found["/truncation"][0][0] == pytest.approx(2.0, abs=0.04) and found["/walk/seed"][0][0] == pytest.approx(8.0, abs=0.04)
    steps = [b - a for (a, _), (b, _) in zip(found["/truncation"], found["/truncation"][1:])]
    assert steps == pytest.approx([1 / 15] * 9, abs=1e-5) and [v for _, v in found["/truncation"]] == pytest.approx([0.1 + 0.05 * n for n in range(10)])


def test_a_curve_goes_out_and_in_without_loss(rig, played, tmp_path):
    for source, address in ((played, "/truncation"), (EVENING, next(a for a in sorted(read_curves(TakeLines(EVENING))) if a in rig.base.parameters))):
        take = TakeLines(source)
        write_csv(take, address, tmp_path / "curve.csv")
        rows = read_csv(tmp_path / "curve.csv", rig.show.scene.parameters[address])
        put_curve(take, address, rows, tmp_path / f"{source.stem}-back.take")
        assert (tmp_path / f"{source.stem}-back.take").read_bytes() == source.read_bytes()


def test_a_drawn_curve_is_played(rig, played, tmp_path):
    (tmp_path / "drawn.csv").write_text("time,value\n0,0.2\n4,1.0\n")
    parameter = rig.show.scene.parameters["/truncation"]
    rows = read_csv(tmp_path / "drawn.csv", parameter)
    put_curve(TakeLines(played), "/truncation", rows, tmp_path / "drawn.take", lambda a, b: lambda t: a + (b - a) * t)
    for moment in play_ticks(read(rig, tmp_path / "drawn.take")):
        assert moment.scene["/truncation"] == pytest.approx(0.2 + 0.8 * min(moment.time / 4, 1.0))


def test_lanes_of_a_take_follow_it(rig, played):
    lanes = make_lanes("made", TakeLines(played), rig.show.scene)
    curve = lanes.make_curves(rig.show.scene)["/truncation"]
    assert len(lanes.points["/truncation"]) < 60 and lanes.unit == "seconds" and not lanes.loop
    parameter = rig.show.scene.parameters["/truncation"]
    wrong = [m.time for m in play_ticks(read(rig, played)) if abs(parameter.normalized(curve.find_value(m.time)) - parameter.normalized(m.scene["/truncation"])) > 1 / 250]
    assert not wrong


@pytest.mark.parametrize("text, says", [("", "no"), ("time,value\n1,x\n", "line 2"), ("-1,0\n", "seconds"), ("2,1\n1,1\n", "later"), ("nan,1\n", "seconds"), ("1\n", "value")])
def test_a_wrong_csv_says_where(rig, tmp_path, text, says):
    (tmp_path / "x.csv").write_text(text)
    with pytest.raises(UserError, match=says):
        read_csv(tmp_path / "x.csv", rig.show.scene.parameters["/truncation"])


def run(*words):
    options = parser_for("take", cli).parse_args([str(word) for word in words])
    cli.run(options)


def test_the_subcommand(played, tmp_path, capsys):
    from PIL import Image

    native.save(tmp_path / "network.safetensors", tiny())
    network = ("--instrument", tmp_path / "network.safetensors")
    run("show", played, "--plot", tmp_path / "plot.png", *network)
    shown = capsys.readouterr().out
    assert "/truncation" in shown and "240 frames" in shown or "239 frames" in shown
    assert len(Image.open(tmp_path / "plot.png").getcolors(1 << 20)) > 4
    run("trim", played, "--from", 1, "--to", 2, "-o", tmp_path / "a.take", *network)
    run("split", played, "--at", 3, "-o", tmp_path / "part", *network)
    run("join", tmp_path / "part-1.take", tmp_path / "part-2.take", "-o", tmp_path / "b.take")
    run("scale", played, "--to", 4, "-o", tmp_path / "c.take")
    run("quantise", played, "--to", "bar", "-o", tmp_path / "d.take")
    run("thin", played, "-o", tmp_path / "e.take", *network)
    run("mute", played, "--address", "/truncation", "-o", tmp_path / "f.take")
    run("curve", played, "--address", "/truncation", "-o", tmp_path / "g.csv")
    run("curve", played, "--address", "/truncation", "--csv", tmp_path / "g.csv", "--lines", "-o", tmp_path / "h.take", *network)
    run("lanes", played, "--unit", "beats", "-o", tmp_path / "lanes" / "played.yaml", *network)
    assert len(list(csv.reader((tmp_path / "g.csv").open()))) > 200


@pytest.mark.parametrize("words, says", [(("trim", "T", "--from", "5", "--to", "2", "-o", "x.take"), "after it"), (("trim", "T", "--from", "500", "-o", "x.take"), "no frame"),
                                         (("scale", "T", "-o", "x.take"), "--by"), (("scale", "T", "--by", "-1", "-o", "x.take"), "above 0"),
                                         (("quantise", "T", "--to", "soon", "-o", "x.take"), "beat"), (("join", "T", "-o", "x.take"), "two takes"),
                                         (("mute", "T", "--address", "/x", "-o", "T"), "itself"), (("curve", "T", "--address", "/nothing", "-o", "x.csv"), "turns"),
                                         (("show", "nowhere.take"), "no such take"), (("split", "T", "--at", "3", "1", "-o", "x"), "rise")])
def test_mistakes_are_one_line(played, tmp_path, words, says):
    network = tmp_path / "network.safetensors"
    native.save(network, tiny())
    named = [str(played) if word == "T" else str(tmp_path / word) if word.endswith((".take", ".csv")) else word for word in words]
    with pytest.raises(UserError, match=says) as refused:
        run(*named, "--instrument", network)
    assert "\n" not in str(refused.value)
