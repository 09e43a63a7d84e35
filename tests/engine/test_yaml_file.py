"""The reader of YAML: what people mean, what files may cost, and one line for everything else."""
import random
import resource

import pytest

from engine.errors import UserError
from engine.yaml_file import CLUSTERS, SETTINGS, Budget, dump_yaml, load_yaml, parse_yaml

MEANT = [
    ("1e-3", 0.001), ("1E5", 1e5), ("-2.5e+1", -25.0), (".5", 0.5), ("5.", 5.0), ("1_000", 1000), ("1_000.5", 1000.5), ("0x1F", 31), ("0o17", 15), ("017", 17), ("-7", -7), ("+7", 7),
    (".inf", float("inf")), ("-.inf", -float("inf")), ("12:30", "12:30"), ("2024-13-01", "2024-13-01"), ("2024-01-01", "2024-01-01"), ("1,5", "1,5"), ("5%", "5%"), ("e5", "e5"), ("-", None), ("1.2.3", "1.2.3"),
    ("on", True), ("off", False), ("yes", True), ("no", False), ("null", None), ("~", None), ("", None), ("'1e-3'", "1e-3"), ("~/clip.mp4", "~/clip.mp4"), ("C:/nets/a.pkl", "C:/nets/a.pkl"), (r"C:\nets\a.pkl", r"C:\nets\a.pkl"),
]


@pytest.mark.parametrize("text, value", MEANT)
def test_values_are_what_people_mean(text, value):
    found = parse_yaml(f"x: {text}", "f")["x"] if text != "-" else parse_yaml("x:", "f")["x"]
    assert found == value and type(found) is type(value)


@pytest.mark.parametrize("coding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_texts_of_all_editors_are_read(tmp_path, coding, end):
    mark = {"utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff"}.get(coding, b"")
    path = tmp_path / "a.yaml"
    path.write_bytes(mark + f"name: Größe{end}list: [1, 2]{end}".encode(coding))
    assert load_yaml(path) == {"name": "Größe", "list": [1, 2]}


@pytest.mark.parametrize("text, words", [
    ('path: "C:\\Users\\vj\\mine.pkl"', ["single quotes", "C:/nets"]), ('path: "C:\\nets\\mine.pkl\\q"', ["single quotes"]), ("a:\n\t- 1", ["spaces"]), ("a: b: c", ["quotes"]),
    ("a: 1\na: 2", ["a is given twice"]), ("[1, 2]: 3", ["a list cannot be a key"]), ("a: !!int x", ["whole number"]), ("a: !!python/name:os.system", ["constructor"]), ("a: *b", ["not valid YAML"]),
    ("a: &a [*a]", ["within itself"]), ("a: 1" + "0" * 5000, ["5001 digits"]), ("a: 0x" + "f" * 5000, ["digits"]), ("a: \x00", ["control characters"]), ("a: [1", ["line", "not valid YAML"]),
    ("a: !!float x", ["number"]), ("? {a: 1}\n: 2", ["a list cannot be a key"]),
])
def test_mistakes_are_one_line_that_says_what_to_write(text, words):
    with pytest.raises(UserError) as error:
        parse_yaml(text, "m.yaml")
    said = str(error.value)
    assert said.startswith("m.yaml") and "\n" not in said and len(said) < 400 and all(word in said for word in words), said


def laugh(levels, width=10):
    text = "&a0 [" + ",".join(["x"] * width) + "]"
    for level in range(1, levels):
        text = f"&a{level} [{text}" + f",*a{level - 1}" * (width - 1) + "]"
    return text


@pytest.mark.parametrize("text", [laugh(9), f"a: {{b: {laugh(8)}}}", "{" + ",".join(f"k{n}: 1" for n in range(210_000)) + "}", "[" * 5000 + "]" * 5000, "[" * 100_000,
                                  "a: " * 40 + "1", "- " * 100_000, "&a {x: 1, <<: *a}", "\n".join(f"k{n}: &k{n} [{'*k%d' % (n - 1) if n else 1}, {'*k%d' % (n - 1) if n else 1}]" for n in range(60))], ids=lambda text: text[:12])
def test_what_costs_too_much_is_refused_before_it_is_made(text):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(UserError):
        parse_yaml(text, "m.yaml")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000


def test_a_few_aliases_are_fine_and_count_as_often_as_they_are_used():
    assert parse_yaml("a: &a [1, 2]\nb: *a\nc: *a", "f") == {"a": [1, 2], "b": [1, 2], "c": [1, 2]}
    with pytest.raises(UserError, match="more than 10 entries"):
        parse_yaml("a: &a [1, 2, 3]\nb: *a\nc: *a", "f", Budget(entries=10))


def test_files_too_large_are_not_read_whole(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_bytes(b"#" * (SETTINGS.bytes + 1))
    with pytest.raises(UserError, match="larger than 1 MB"):
        load_yaml(path, SETTINGS)
    assert load_yaml(path) is None and CLUSTERS.bytes > SETTINGS.bytes


def test_what_is_no_file_is_told(tmp_path):
    (tmp_path / "b.yaml").write_text("x: 1")
    with pytest.raises(UserError, match="no such file; there: b.yaml"):
        load_yaml(tmp_path / "a.yaml")
    for path in (tmp_path, "a\0b.yaml"):
        with pytest.raises(UserError, match="cannot be read"):
            load_yaml(path)


def test_plain_data_comes_back_as_it_was_written():
    data = {"a": [1, 2.5, -1e-7, 1e300, "1e-3", "on", "12:30", "", None, True], "b": {"c": "~", "d": "0x1F", "e": "Größe"}}
    assert parse_yaml(dump_yaml(data), "f") == data


def test_damaged_texts_are_read_or_refused():
    chance = random.Random(4)
    good = "schema: 1\nname: Größe\nlist: [1, 2.5, {a: &x [1, 2], b: *x}]\ntext: |\n  more\n  lines\nquoted: \"a\\nb\"\n"
    for _ in range(1500):
        letters = list(good)
        for _ in range(chance.randint(1, 4)):
            at = chance.randrange(len(letters))
            letters[at:at + chance.randint(0, 3)] = chance.choice(["", "[", "{", "&a ", "*x", "!!", "\t", "\x00", ": ", "'", '"', "\n", "- ", "?", "|", "%", "@"])
        try:
            parse_yaml("".join(letters), "f")
        except UserError as error:
            assert "\n" not in str(error)
