"""Training encoders: pairs, a run cut in two is the run in one go, a few steps help, the published recipe, two processes."""
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from engine import encoder as encoders
from engine.encoder import Encoder, train
from engine.encoder.pairs import Own, SeedPairs, draw_published_z, late_skip, loss_size, max_pooled
from engine.encoder.train import Recipe, Trainer, losses, take_weights
from engine.errors import UserError
from engine.world import MASKS
from tests.conftest import tiny
from tests.ports import find_free_port

SHORT = Recipe(steps=6, batch=2, every=2)
WORLD = {"z_dim": 64}                   # as the drawn world's z


def lessons(generator, layer="b8.conv1", width=24, **changes):
    """(untrained encoder, its pairs) for pictures of 32 px."""
    encoder = Encoder.fresh(generator, layer, size=32, width=width)
    return encoder, Own(generator, encoder.plan, 16, **changes)


def held_of(pairs, count=4):
    return replace(pairs, seed=77, strength=0.0, mean=1.0, own=0.0).batch(count, 0)


def equal(a, b):
    return all(torch.equal(x, y) for x, y in zip(a.state_dict().values(), b.state_dict().values()))


@pytest.mark.parametrize("changes", [{}, {"const_size": (2, 6)}, {"kind": "resnet"}, {"c_dim": 3}, {"channels": {4: 7, 8: 5, 16: 3, 32: 1}}])
def test_pairs_are_what_they_say(changes):
    generator = tiny(**changes)
    encoder = Encoder.fresh(generator, "b8.conv1")
    pairs = Own(generator, encoder.plan, 16, strength=0.0, mean=0.0, own=1.0)
    batch = pairs.batch(5, 3)
    assert batch.seen.shape == (5, 3, *encoder.size) and batch.whole.tolist() == [1.0] * 5
    assert torch.equal(batch.ws, batch.own)
    with torch.no_grad():
        made = generator.synthesize(batch.ws, size=16, splice={"b8.conv1": batch.features})
        whole = generator.synthesize(batch.own).clamp(-1, 1)
    assert torch.allclose(made, generator.synthesize(batch.own, size=16))
    assert torch.allclose(batch.target, F.adaptive_avg_pool2d(whole, batch.target.shape[2:]), atol=1e-5)


def test_pairs_are_the_same_for_a_number():
    pairs = lessons(tiny())[1]
    one, two, other = (pairs.batch(4, number) for number in (5, 5, 6))
    for a, b, c in zip(vars(one).values(), vars(two).values(), vars(other).values()):
        assert torch.equal(a, b)
        assert a is one.whole or not torch.equal(a, c)


def test_truncation_and_looks_are_as_asked():
    generator = tiny()
    pairs = lessons(generator, psi=(0.3, 0.3), strength=0.0)[1]
    batch = pairs.batch(64, 0)
    z = torch.randn(64, generator.z_dim, generator=torch.Generator().manual_seed(pairs.seed * 10_000_000))
    assert torch.allclose(batch.own, generator.map(z, psi=0.3), atol=1e-5)
    distance = (batch.ws - generator.w_avg).norm(dim=(1, 2)) / (batch.own - generator.w_avg).norm(dim=(1, 2))
    assert 0.4 < (distance < 1e-6).float().mean() < 0.8
    assert 0.05 < (distance > 1 - 1e-4).float().mean() < 0.4
    assert distance.max() < 1 + 1e-4


def test_drawn_pictures_are_the_worlds():
    generator = tiny(**WORLD)
    pairs = lessons(generator, draw=MASKS.draw, drawn=0.5, strength=0.0)[1]
    batch = pairs.batch(4, 0)
    z = torch.randn(4, 64, generator=torch.Generator().manual_seed(pairs.seed * 10_000_000))
    assert torch.allclose(batch.seen[:2], MASKS.draw(z[:2], 32), atol=1e-5)
    assert torch.allclose(batch.seen[2:], generator.synthesize(batch.own[2:]).clamp(-1, 1), atol=1e-5)


def test_what_was_moved_has_no_true_features():
    encoder, pairs = lessons(tiny())
    batch = pairs.batch(8, 0)
    assert 0 < batch.whole.sum() < 8
    with torch.no_grad():
        features = encoder(batch.seen)
        part = losses(Recipe(pictures=0.0), pairs, batch, features)[1]["features"]
    missed = (features - batch.features).square().mean((1, 2, 3))
    assert torch.allclose(part, missed[batch.whole > 0].mean())


def test_published_pairs_follow_the_published_recipe():
    """SPEC.md D.2: numpy's z, features of the same pass, no toRGB below the last, max pooling."""
    generator = tiny()
    encoder = Encoder.fresh(generator, "b16.conv1", "published", size=16)
    pairs = SeedPairs(generator, encoder.plan, 16)
    z = np.random.RandomState(1).randn(6, generator.z_dim)
    assert np.allclose(draw_published_z(generator.z_dim, 2, 2).numpy(), z[4:], atol=1e-6)
    batch = pairs.batch(2, 2)
    with torch.no_grad():
        ws = generator.map(torch.from_numpy(z[4:]).float())
        noise = {"noise": "random", "noise_seed": 4}
        skips = generator.skips(ws, **noise)
        x = generator.synthesize(ws, splice={"b16.conv1": batch.features}, **noise)
    assert torch.allclose(x, skips[32], atol=1e-5)                                    # the features are of that very pass
    assert torch.allclose(batch.seen, F.max_pool2d(late_skip(skips), 2), atol=1e-5)
    block = generator.synthesis.b32
    features = generator.activations(ws, ["b32.conv1"], noise="none")["b32.conv1"]
    quiet = late_skip(generator.skips(ws, noise="none"))
    assert torch.allclose(quiet, block.torgb(features, ws[:, -1]), atol=1e-5)         # only the last toRGB's share
    assert max_pooled(torch.rand(1, 3, 8, 8), (16, 16)).shape == (1, 3, 16, 16)


@pytest.mark.parametrize("kind", ["own", "published"])
def test_a_run_cut_in_two_is_the_run_in_one_go(tmp_path, kind):
    def begun():
        generator = tiny()
        if kind == "own":
            return *lessons(generator), SHORT
        encoder = Encoder.fresh(generator, "b4.conv1", "published-short", size=16)
        return encoder, SeedPairs(generator, encoder.plan, 16), replace(train.SEED_RECIPE, steps=6, batch=2, every=2)

    encoder, pairs, recipe = begun()
    held = held_of(lessons(tiny(), "b4.conv1" if kind == "published" else "b8.conv1")[1])
    held = replace(held, seen=encoders.network.resize(held.seen, encoder.size))
    whole = train.train(tmp_path / "a", encoder, pairs, recipe, held)
    train.train(tmp_path / "b", *begun()[:2], recipe, held, progress=lambda event: event["step"] == 4)
    again = train.train(tmp_path / "b", *begun()[:2], recipe, held)
    assert equal(whole, again)
    table = [(tmp_path / name / "figures.csv").read_text() for name in "ab"]
    assert table[0] == table[1] and table[0].count("\n") == 4


def test_a_few_samples_can_be_learned_by_heart(tmp_path):
    """SPEC.md E.D 5: eight pictures, an error of the features below 1 % of their variance; the picture follows."""
    generator = tiny()
    encoder, pairs = lessons(generator, "b4.conv1", 48, strength=0.0, mean=0.0, own=1.0)
    eight = pairs.batch(8, 0)

    class Same:
        generator, plan, size = pairs.generator, pairs.plan, pairs.size

        def batch(self, count, number):
            return eight

    figures = []
    train.train(tmp_path, encoder, Same(), Recipe(steps=150, batch=8, features=1.0, pictures=0.0, every=150, memory=0.9), eight, figures.append)
    assert figures[-1]["held_features"] < 0.01 * eight.features.var()
    with torch.no_grad():
        true = generator.synthesize(eight.ws, size=16, splice={"b4.conv1": eight.features})
        made = generator.synthesize(eight.ws, size=16, splice={"b4.conv1": train.train(tmp_path, encoder, Same(), Recipe(steps=150))(eight.seen)})
    assert (made - true).abs().mean() < 0.15 * true.std()


def test_a_few_steps_help_pictures_not_learned_from(tmp_path):
    encoder, pairs = lessons(tiny(), strength=0.5)
    heard = []
    train.train(tmp_path, encoder, pairs, Recipe(steps=40, batch=4, every=20, memory=0.9), held_of(pairs, 8), heard.append)
    before = encoders.measure.measure_held_out(lessons(tiny())[0], pairs.generator, held_of(pairs, 8), 16)
    assert heard[-1]["held_picture"] < 0.8 * before["held_picture"]
    assert set(heard[-1]) >= {"step", "loss", "features", "picture", "held_picture", "held_features"}


def test_it_stops_where_nothing_is_gained_and_keeps_the_best(tmp_path):
    encoder, pairs = lessons(tiny())
    held, heard = held_of(pairs), []
    best = train.train(tmp_path, encoder, pairs, replace(SHORT, steps=60, rate=5.0, patience=3), held, heard.append)
    assert heard[-1]["step"] < 60
    figures = encoders.measure.measure_held_out(best, pairs.generator, held, 16)
    assert figures["held_picture"] == pytest.approx(min(event["held_picture"] for event in heard), abs=1e-6)


def test_weights_of_another_generators_encoder_can_be_taken_up(tmp_path):
    generator, other = tiny(), tiny()
    other.layer("b4.conv1").weight.data += 1
    start = lessons(other)[0]
    begun = take_weights(lessons(generator)[0], start)
    assert equal(begun, start) and begun.plan.generator != start.plan.generator
    with pytest.raises(UserError, match="an encoder to begin with"):
        take_weights(lessons(generator, "b16.conv1")[0], start)


def test_another_runs_folder_is_refused(tmp_path):
    encoder, pairs = lessons(tiny())
    train.train(tmp_path, encoder, pairs, replace(SHORT, steps=2))
    with pytest.raises(UserError, match="the run there is for another encoder"):
        train.train(tmp_path, *lessons(tiny(), "b16.conv1"), SHORT)
    (tmp_path / "checkpoint.safetensors").write_bytes(b"x" * 30)
    with pytest.raises(UserError, match="not a checkpoint"):
        train.train(tmp_path, encoder, pairs, SHORT)


def test_loss_sizes():
    generator = tiny()
    plan = Encoder.fresh(generator, "b4.conv1").plan
    assert loss_size(generator, plan) == 16 and loss_size(generator, plan, 8) == 8
    assert loss_size(generator, Encoder.fresh(generator, "b16.conv1").plan) == 32
    with pytest.raises(UserError, match="expected one of 4, 8, 16, 32"):
        loss_size(generator, plan, 20)


def test_the_gradient_is_the_pictures(tmp_path):
    """Nothing of the generator is moved by training."""
    generator = tiny()
    before = {name: value.clone() for name, value in generator.state_dict().items()}
    train.train(tmp_path, *lessons(generator), SHORT)
    assert all(torch.equal(before[name], value) for name, value in generator.state_dict().items())


WORKER = """
import sys
from dataclasses import replace
from pathlib import Path
import torch
torch.set_num_threads(1)
from tests.engine.encoder.test_train import SHORT, lessons, held_of
from engine.encoder import save, train
from engine.encoder.together import leave
from tests.conftest import tiny
encoder, pairs = lessons(tiny())
made = train.train(Path(sys.argv[1]), encoder, pairs, replace(SHORT, steps=3, every=3), held_of(pairs))
import os
save(Path(sys.argv[1]) / f"rank{os.environ['RANK']}.safetensors", made, "float32")
leave()
"""


def two_processes(program, *arguments):
    """Run a program twice, as torchrun starts its processes."""
    port = find_free_port()
    shared = os.environ | {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "OMP_NUM_THREADS": "1",
                           "GLOO_SOCKET_IFNAME": "lo", "PYTHONPATH": str(Path(__file__).parents[3])}
    running = [subprocess.Popen([sys.executable, "-c", program, *arguments], env=shared | {"RANK": str(rank)}, stderr=subprocess.PIPE)
               for rank in (0, 1)]
    for process in running:
        assert process.wait(400) == 0, process.stderr.read().decode()[-2000:]
        process.stderr.close()


def test_two_processes_train_as_one_with_twice_the_batch(tmp_path):
    """As torchrun starts them: both end with the same weights, the mean of both gradients was followed."""
    two_processes(WORKER, str(tmp_path))
    zero, one = (encoders.load(tmp_path / f"rank{rank}.safetensors") for rank in (0, 1))
    assert equal(zero, one)
    encoder, pairs = lessons(tiny())
    trainer = Trainer(tmp_path, encoder, Both(pairs), replace(SHORT, steps=3, batch=4))
    for _ in range(3):
        trainer.step()
    for a, b in zip(zero.parameters(), trainer.make_average().parameters()):
        assert torch.allclose(a, b, atol=2e-3)


DOUBTER = """
import os, sys
from dataclasses import replace
from pathlib import Path
import torch
torch.set_num_threads(1)
from tests.engine.encoder.test_train import SHORT, lessons, held_of
from engine.encoder import train
from engine.encoder.together import leave
from tests.conftest import tiny
encoder, pairs = lessons(tiny())
held = held_of(pairs)
if os.environ["RANK"] == "1":
    held = replace(held, target=held.target + 1e30)
train.train(Path(sys.argv[1]), encoder, pairs, replace(SHORT, steps=3, every=1, patience=1), held)
leave()
"""


def test_processes_that_see_other_figures_stop_together(tmp_path):
    """The second one sees no gain after its first look; had it stopped by itself, the first would have waited for it."""
    two_processes(DOUBTER, str(tmp_path))
    assert (tmp_path / "figures.csv").read_text().count("\n") == 4


class Both:
    """The batches of both processes as one; every picture unmoved, so that the mean over them is the mean of the means."""

    def __init__(self, pairs):
        self.generator, self.plan, self.size, self.pairs = pairs.generator, pairs.plan, pairs.size, pairs

    def batch(self, count, number):
        parts = [self.pairs.batch(count // 2, 2 * number + rank) for rank in (0, 1)]
        return type(parts[0])(*(torch.cat(both) for both in zip(*(vars(part).values() for part in parts))))


def test_a_checkpoint_tells_where_it_is(tmp_path):
    from safetensors import safe_open

    encoder, pairs = lessons(tiny())
    train.train(tmp_path, encoder, pairs, replace(SHORT, steps=2))
    with safe_open(tmp_path / "checkpoint.safetensors", "pt") as file:
        assert json.loads(file.metadata()["place"])["steps"] == 2
