"""Pictures that move beside the show: the cued look drawn by the studio, and what the source sees; and that nobody's costs nothing."""
import asyncio
import io
import types

import numpy as np
import pytest
from PIL import Image

from engine.checkpoints import native
from live.instrument.studio import Workshop
from live.surface.moving import Moving
from tests.conftest import tiny
from tests.live.surface.rig import Page


def ask(moving, what="cued", **query):
    """Fetch one as a page would: (status, picture or None)."""
    answer = asyncio.run(getattr(moving, f"answer_{what}")(types.SimpleNamespace(query_params=query)))
    return answer.status_code, np.asarray(Image.open(io.BytesIO(answer.body))) if answer.status_code == 200 else None


@pytest.fixture
def page(tmp_path):
    found = Page(tmp_path)
    found.rig.send("/walk/kind", "wander")
    found.rig.send("/preset/store", "first")
    found.play(3)
    yield found
    found.close()


class Drawing:
    """A studio that answers at once, and keeps what it was asked."""

    def __init__(self, folder):
        native.save(folder / "generator.safetensors", tiny())
        (folder / "instrument.yaml").write_text("schema: 1\nname: tiny\ngenerator: generator.safetensors\n")
        self.workshop, self.jobs = Workshop(folder), []

    async def run(self, job):
        self.jobs.append(job)
        await asyncio.sleep(0.01)
        return {"ok": True, **self.workshop.do(job)}


def test_the_cued_look_is_drawn_as_it_goes_on(page, tmp_path):
    drawing = Drawing(tmp_path)
    library = page.show.recall.library
    library.refresh()
    moving = Moving(page.show, types.SimpleNamespace(library=library, hash_preset=lambda name: "0" * 16 if name == "first" else None), drawing, lambda name: True)
    assert ask(moving)[0] == 404 and ask(moving, name="nobody")[0] == 404 and ask(moving, name="../x")[0] == 404 and not drawing.jobs
    page.show.recall.cued = "first"
    pictures = []
    for step in (0.0, 0.7, 0.7):
        which, since, task = moving._cued
        moving._cued = which, since - step, task         # so long ago
        pictures.append(ask(moving)[1])
    assert [job["name"] for job in drawing.jobs] == ["first"] * 3 and drawing.jobs[0]["seconds"] == 0.0 and drawing.jobs[2]["seconds"] >= 0.7
    assert np.abs(pictures[0].astype(int) - pictures[2]).mean() > 0.5      # it moves
    assert page.show.scene["/quality/size"] == page.show.first["/quality/size"]


def test_many_pages_share_one_picture(page, tmp_path):
    drawing = Drawing(tmp_path)
    page.show.recall.library.refresh()
    moving = Moving(page.show, types.SimpleNamespace(library=page.show.recall.library, hash_preset=lambda name: "1" * 16), drawing, lambda name: True)

    async def crowd():
        return await asyncio.gather(*(moving.answer_cued(types.SimpleNamespace(query_params={"name": "first"})) for _ in range(8)))
    assert {answer.status_code for answer in asyncio.run(crowd())} == {200} and len(drawing.jobs) == 1


def test_what_the_source_sees(page):
    moving = page.server.hub.state.more["source"].__self__
    assert ask(moving, "source")[0] == 404 and moving.read_source_state() == {}
    pixels = np.full((64, 96, 3), (200, 40, 40), np.uint8)
    page.show.source = types.SimpleNamespace(picture=lambda scene: pixels, note_frame=lambda: None,
                                             feed=types.SimpleNamespace(text="camera=0", state="live", reason=""))
    status, seen = ask(moving, "source")
    assert status == 200 and seen.shape == (64, 96, 3) and np.abs(seen.astype(int) - pixels).max() < 12
    assert page.server.hub.state.read()["source"] == {"name": "camera=0", "state": "live", "reason": ""}
    page.show.source = None
