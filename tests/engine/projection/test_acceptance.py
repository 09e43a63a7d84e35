"""What projection must reach on the built-in network (SPEC2 P.9, 2 to 5): its own pictures, drawn ones, the look, a film. What takes minutes is marked slow."""
import statistics

import pytest
import torch

from engine import checkpoints, encoder, look
from engine.directions.find import find_patterns
from engine.directions.statistics import measure_spread, sample_w
from engine.projection import find
from engine.projection.film import project_film
from engine.projection.find import Projector, join_projected
from engine.projection.losses import measure_psnr
from engine.world import MASKS

FOLDER = "presets/masks"
STEP = 0.35                          # of a factor's range, by which it is moved


@pytest.fixture(scope="module")
def masks():
    return Projector(checkpoints.load(f"{FOLDER}/generator.safetensors").eval().requires_grad_(False))


def draw(projector, w):
    with torch.no_grad():
        return projector.draw(w[:, None]).clamp(-1, 1)


@pytest.mark.slow
def test_own_pictures(masks):
    pictures = draw(masks, sample_w(masks.generator, 8, 1)[1])
    whole, short = masks.project(pictures, 150), masks.project(pictures, 40)
    assert statistics.median(whole.psnr) >= 45 and min(whole.psnr) >= 30 and statistics.median(short.psnr) >= 30, (whole.psnr, short.psnr)
    assert torch.equal(masks.project(pictures, 40).ws, short.ws)


@pytest.mark.slow
def test_drawn_pictures(masks, monkeypatch):
    """As near in w as the network's own picture for the true z; nearer by a w for each layer, which stay near each other for little, and move as the world does."""
    z, w = sample_w(masks.generator, 12, 77)
    targets = MASKS.draw(z, 64)
    true = measure_psnr(draw(masks, w), targets)
    single = masks.project(targets, 150)
    assert statistics.median(single.psnr) >= true.median()
    found = {}
    for spread in (find.SPREAD, 0.0):
        monkeypatch.setattr(find, "SPREAD", spread)
        found[spread] = masks.project(targets, 150, "w+")
    held, free = found.values()
    assert statistics.median(held.psnr) >= statistics.median(single.psnr) + 0.8
    assert statistics.median(held.psnr) >= statistics.median(free.psnr) - 0.3, (held.psnr, free.psnr)
    apart = lambda ws: (ws - ws.mean(1, keepdim=True)).square().mean()
    assert apart(held.ws) < 0.7 * apart(free.ws), (apart(held.ws), apart(free.ws))
    assert follow_the_world(masks, held.ws, z) >= follow_the_world(masks, single.ws, z)


@torch.no_grad()
def follow_the_world(projector, ws, z):
    """The mean cosine, over all factors, between how pictures of ws change along a factor's direction and how drawn ones of z do when it is moved."""
    generator, u = projector.generator, MASKS.uniform(z)
    many, w = sample_w(generator, 20_000, 3)
    known, w = MASKS.uniform(many).double(), w.double()
    patterns, _ = find_patterns(w, known, measure_spread(generator, 20_000))
    reads = torch.linalg.lstsq(w - w.mean(0), known - known.mean(0)).solution
    before, drawn, cosines = projector.draw(ws), draw_factors(u), []
    for k in range(u.shape[1]):
        up = torch.where(u[:, k] < 0.5, STEP, -STEP)
        moved = u.clone()
        moved[:, k] += up
        along = (up[:, None, None] / (patterns[k] @ reads[:, k]) * patterns[k]).float()
        made, truth = projector.draw(ws + along) - before, draw_factors(moved) - drawn
        cosines.append(torch.nn.functional.cosine_similarity(made.flatten(1), truth.flatten(1)).mean().item())
    return statistics.mean(cosines)


def draw_factors(u):
    corner = torch.full((len(u),), -1.0)
    return MASKS.view(u, corner, corner, 2 / 64, 64, 64).picture * 2 - 1


def test_steps_from_the_look(masks):
    """What 20 steps make of what the look finds at once (test_look.py holds the look itself to its figures)."""
    generator = masks.generator
    seen = look.load(f"{FOLDER}/look.safetensors", generator, encoder.load(f"{FOLDER}/encoder.safetensors", generator))
    pictures = draw(masks, sample_w(generator, 8, 5)[1])
    led = seen(pictures)
    psnr = measure_psnr(masks.draw(masks.refine(led, pictures, 20, shaken=False)).detach(), pictures)
    assert psnr.median() >= 31 and psnr.min() > measure_psnr(masks.draw(led), pictures).max()


@pytest.fixture(scope="module")
def walk(masks):
    """A walk of 12 pictures that the world draws, and the true w of each."""
    generator = masks.generator
    z = torch.lerp(*sample_w(generator, 2, 21)[0][:, None], torch.linspace(0, 0.3, 12)[:, None])
    with torch.no_grad():
        return MASKS.draw(z, 64), generator.map(z)[:, 0]


def test_a_film_in_five_steps_a_frame(masks, walk):
    pictures, w = walk
    quick, slow = (join_projected(list(project_film(masks, pictures, 60, steps))) for steps in (5, 20))
    assert all(few >= many - 1.5 for few, many in zip(quick.psnr, slow.psnr)), (quick.psnr, slow.psnr)
    assert quick.ws[:, 0].diff(dim=0).norm(dim=1).mean() <= 1.8 * w.diff(dim=0).norm(dim=1).mean()


def test_a_cut_in_a_film_is_a_new_beginning(masks, walk):
    pictures, _ = walk
    other = MASKS.draw(sample_w(masks.generator, 1, 90)[0], 64)
    found = join_projected(list(project_film(masks, torch.cat([pictures[:2], other, other]), 40, 2)))
    alone = masks.project(other, 40)
    assert min(found.psnr[2:]) >= alone.psnr[0] - 0.5 and found.psnr[1] >= found.psnr[0] - 1.5
