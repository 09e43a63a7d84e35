import json

from live.instrument import addresses
from live.show.commands import COMMANDS


def test_json_agrees_with_the_registry(instrument):
    scene = instrument.scene()
    listed = json.loads(addresses.to_json(scene))
    assert list(listed) == list(scene.parameters)
    for address, row in listed.items():
        p = scene.parameters[address]
        assert (row["low"], row["high"], row["unit"], row["about"]) == (p.low, p.high, p.unit, p.about)


def test_text_and_page_name_everything(instrument):
    scene = instrument.scene()
    for written in (addresses.to_text(scene), addresses.to_page(scene)):
        assert all(address in written for address in (*scene.parameters, *COMMANDS))


def test_every_parameter_says_what_it_does(instrument):
    assert all(p.about for p in instrument.scene().parameters.values())


def test_the_page_in_the_docs_is_up_to_date():
    from pathlib import Path

    from live.instrument import folder as instruments
    from live.instrument import open as opening

    opened = opening.open_instrument(instruments.BUILT_IN, threads=1)
    page = Path(__file__).parents[3] / "docs" / "addresses.md"
    assert page.read_text(encoding="utf-8") == addresses.to_page(opened.scene), "run_live.py --list-parameters --page > docs/addresses.md"
