"""Clusters: planted groups are found by both methods, files are read and refused, sheets show something."""
import logging
import pathlib
from dataclasses import replace

import numpy as np
import pytest
import torch

from engine import clusters
from engine.clustering import kmeans
from engine.clustering.classifier import Classifier, MapClassifier, depth, embeddings, load_classifier
from engine.clustering.correlation import Correlation, correlations, sample_ws
from engine.clustering.sheet import heat_map, sheet, strip
from engine.clusters import Clusters, find_published_k, layer_name
from engine.errors import UserError
from tests.conftest import tiny

LAYER, GROUPS = "b16.conv1", 3
TWO = Clusters({"b16.conv1": {"0": (1, 4), "eyes": (0, 2, 3)}, "b8.conv0": {"0": (5,)}}, "abc", {"seed": 1})


def planted(channels=18, noise=0.15):
    """A network whose channels at LAYER do one of three things, in turn, each a little differently."""
    generator = tiny(channels={4: 8, 8: 8, 16: channels, 32: 4})
    source = torch.Generator().manual_seed(5)
    weight = generator.synthesis.b16.conv1.weight
    base = torch.randn(GROUPS, *weight.shape[1:], generator=source)
    weight.copy_(base[torch.arange(channels) % GROUPS] + noise * torch.randn(weight.shape, generator=source))
    return generator


def agreement(labels, truth):
    """The adjusted Rand index: 1 = the same groups, 0 = as by chance."""
    table = np.array([[np.sum((labels == a) & (truth == b)) for b in np.unique(truth)] for a in np.unique(labels)])

    def pairs(n):
        return (n * (n - 1) / 2).sum()

    both, a, b, every = pairs(table), pairs(table.sum(1)), pairs(table.sum(0)), pairs(np.array(len(labels)))
    return (both - a * b / every) / ((a + b) / 2 - a * b / every)


def labels_of(found, count=18):
    labels = np.full(count, -1)
    for n, channels in enumerate(found[LAYER].values()):
        labels[list(channels)] = n
    return labels


# --- k-means ---------------------------------------------------------------------------------------------------------

def test_kmeans_finds_what_is_there():
    source = np.random.RandomState(0)
    truth = np.repeat([0, 1, 2], (30, 20, 10))
    points = np.array([[0, 0], [5, 0], [0, 5]])[truth] + source.randn(60, 2) * 0.5
    labels = kmeans.group(points, 3, seed=1)
    assert agreement(labels, truth) == 1.0 and list(np.bincount(labels)) == [30, 20, 10]     # the largest first
    assert (labels == kmeans.group(points, 3, seed=1)).all()
    assert kmeans.best_k(points, range(2, 7)) == 3
    assert kmeans.silhouette(points, labels) > 0.7 > 0.2 > kmeans.silhouette(points, source.randint(0, 3, 60))


def test_kmeans_on_the_edge():
    assert list(kmeans.group(np.zeros((4, 2)), 3)) and set(kmeans.group(np.zeros((4, 2)), 9)) <= set(range(4))
    assert sorted(kmeans.group(np.arange(3.0)[:, None], 3)) == [0, 1, 2]
    assert kmeans.best_k(np.zeros((2, 2)), range(2, 5)) == 1


# --- finding ---------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("method", (Correlation(), Classifier(epochs=5, rate=5e-3, batch=64)), ids=lambda m: m.name)
def test_planted_groups_are_found(method):
    generator = planted()
    found = clusters.find(generator, LAYER, GROUPS, 24, 0, method)
    assert agreement(labels_of(found), np.arange(18) % GROUPS) > 0.9
    assert found.about["method"] == method.name and found.generator


def test_a_group_found_again_keeps_its_name():
    found = clusters.find(planted(), LAYER, GROUPS, 24, 0)
    other = replace(found, layers={LAYER: {"0": found[LAYER]["0"], "1": found[LAYER]["2"], "2": found[LAYER]["1"]}})
    named = found.rename_cluster(LAYER, 1, "eyes")
    assert named.merge(found)[LAYER] == named[LAYER]
    assert list(named.merge(other)[LAYER]) == ["0", "1", "eyes"]
    assert list(named.merge(replace(found, generator="other weights"))[LAYER]) == ["0", "1", "2"]


def test_the_same_seed_finds_the_same():
    generator = planted()
    a, b = (clusters.find(generator, LAYER, GROUPS, 12, 3) for _ in range(2))
    assert a == b


def test_samples_do_not_depend_on_the_batch_or_the_worlds_randomness(monkeypatch):
    from engine.clustering import correlation as cluster_correlation

    generator = planted()
    whole = correlations(generator, LAYER, 10, 0)
    monkeypatch.setattr(cluster_correlation, "BATCH", 3)
    torch.manual_seed(99)
    assert np.allclose(whole, correlations(generator, LAYER, 10, 0), atol=1e-6)
    assert torch.cat(list(sample_ws(generator, 7, 0))).shape == (7, generator.num_ws, generator.w_dim)


def test_embedding_is_in_eval_mode():
    generator, network = planted(), MapClassifier(18, 1).train()
    state = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    points = embeddings(network, generator, LAYER, 4, 0)
    assert points.shape == (18, 10) and all(torch.equal(state[name], tensor) for name, tensor in network.state_dict().items())
    x = torch.rand(6, 1, 16, 16)
    assert torch.allclose(network.eval().embed(x)[2:3], network.embed(x[2:3]), atol=1e-6)


def test_all_layers_with_the_published_numbers():
    generator = planted()
    found = clusters.find(generator, None, None, 4, 0)
    assert list(found) == generator.layers
    assert all(len(found[layer]) == min(5, generator.channels(layer)) for layer in found)
    assert all(sorted(i for group in found[layer].values() for i in group) == list(range(generator.channels(layer))) for layer in found)
    assert [find_published_k(n) for n in (0, 1, 8, 9, 12, 13, 16)] == [5, 5, 5, 4, 4, 3, 3]


def test_the_number_may_be_chosen_by_how_well_groups_keep_apart():
    assert len(clusters.find(planted(), LAYER, "auto", 32, 0)[LAYER]) == GROUPS


@pytest.mark.parametrize("call, message", [
    (dict(layer="b99.conv1"), "no layer"), (dict(layer=LAYER, k=0), "k 0: layer b16.conv1 has 18"), (dict(layer=LAYER, k=19), "k 19"),
    (dict(layer=LAYER, method="magic"), "method 'magic': expected correlation or classifier"),
])
def test_finding_refused(call, message):
    with pytest.raises(UserError, match=message):
        clusters.find(planted(), **call, samples=2)


def test_training_is_taken_up_where_it_was_left(tmp_path):
    generator, heard = planted(), []
    settings = Classifier(epochs=2, rate=1e-3, folder=tmp_path, progress=heard.append)
    whole = replace(settings, folder=None).train(generator, LAYER, 6, 0)
    replace(settings, epochs=1).train(generator, LAYER, 6, 0)
    again = settings.train(generator, LAYER, 6, 0)
    assert all(torch.equal(a, b) for a, b in zip(whole.state_dict().values(), again.state_dict().values()))
    assert [(event["done"], event["of"]) for event in heard] == [(1, 2), (2, 2), (1, 1), (2, 2)]
    settings.train(generator, LAYER, 6, 0)
    assert len(heard) == 4                                               # done already
    settings.train(generator, LAYER, 6, 1)
    assert len(heard) == 6                                               # another seed begins anew
    (tmp_path / f"classifier.{LAYER}.safetensors").write_bytes(b"rubbish")
    with pytest.raises(UserError, match="can't be taken up again"):
        settings.train(generator, LAYER, 6, 0)


def test_published_classifier_files(tmp_path):
    generator, network = planted(), MapClassifier(18, depth(4))
    assert [depth(n) for n in (1, 2, 3, 4, 5, 16)] == [0, 0, 1, 1, 2, 7]
    state = {f"body.{name}": tensor + 1 for name, tensor in network.state_dict().items()}
    state |= {"final_conv.0.weight": torch.zeros(50, 1, 1, 1), "final_conv.1.weight": torch.zeros(50), "final_conv.1.bias": torch.zeros(50)}
    path = tmp_path / "classifier4_final.pt"
    torch.save(state, path)
    found = load_classifier(path, generator, LAYER)
    for name, tensor in found.state_dict().items():
        assert torch.equal(tensor, state[f"body.{name}"]), name
    assert len(clusters.find(generator, LAYER, 3, 2, 0, Classifier(files={LAYER: path}))[LAYER]) == 3
    with pytest.raises(UserError, match="classifier of another layer or network"):
        load_classifier(path, generator, "b32.conv1")
    with pytest.raises(UserError, match="can't be read"):
        load_classifier(tmp_path / "none.pt", generator, LAYER)


# --- names and files -------------------------------------------------------------------------------------------------

def test_names_and_numbers():
    assert TWO.channels("b16.conv1", "eyes") == TWO.channels("b16.conv1", 1) == (0, 2, 3)
    named = TWO.rename_all(["b16.conv1:0=mouth", "b8.conv0:0=hair"])
    assert named.channels("b16.conv1", "mouth") == (1, 4) == named.channels("b16.conv1", 0) and list(named["b8.conv0"]) == ["hair"]
    assert list(named["b16.conv1"]) == ["mouth", "eyes"]
    assert "b8.conv0" in TWO and "b4.conv1" not in TWO
    assert [layer_name(n) for n in (0, 1, 2, 3, 16)] == ["b4.conv1", "b8.conv0", "b8.conv1", "b16.conv0", "b1024.conv1"]


@pytest.mark.parametrize("text, message", [
    ("b16.conv1=eyes", "expected LAYER:CLUSTER=NAME"), ("b16.conv1:0", "expected LAYER"), ("b4.conv1:0=x", "no clusters of layer 'b4.conv1'; there are of"),
    ("b16.conv1:7=x", "no cluster '7' in layer b16.conv1; there are 0, eyes"), ("b16.conv1:0=eyes", "has a cluster 'eyes' already"),
    ("b16.conv1:0=", "expected a word"), ("b16.conv1:0=a:b", "expected a word"), ("b16.conv1:0=all", "expected a word"), ("b16.conv1:0=7", "expected a word"),
])
def test_names_refused(text, message):
    with pytest.raises(UserError, match=message):
        TWO.rename_all([text])


def test_our_file(tmp_path):
    path = TWO.save(tmp_path / "clusters.yaml")
    assert clusters.load(path) == TWO
    assert clusters.load(Clusters().save(path)) == Clusters()
    assert [p.name for p in tmp_path.iterdir()] == ["clusters.yaml"]
    with pytest.raises(UserError, match="can't be written"):
        TWO.save(tmp_path / "no" / "clusters.yaml")


def test_the_published_file(tmp_path, generator):
    path = Clusters(TWO.layers | {"b32.conv0": {"0": (), "1": (2,)}}).export(tmp_path / "dict.yaml", generator)
    assert "3" not in path.read_text().splitlines()[0]
    found = clusters.load(path, generator)
    assert found.layers == {"b8.conv0": {"0": (5,)}, "b16.conv1": {"0": (1, 4), "1": (0, 2, 3)}, "b32.conv0": {"0": (), "1": (2,)}}
    written = "".join(f"{layer}:\n" + "".join(f"- {{feature_index: {i}, cluster_index: {i % 5}}}\n" for i in range(512)) for layer in range(1, 9))
    (tmp_path / "large.yaml").write_text(written)
    large = clusters.load(tmp_path / "large.yaml")
    assert len(large.layers) == 8 and [len(c) for c in large["b64.conv1"].values()] == [103, 103, 102, 102, 102]


OURS = "format: latent-jockey clusters\nschema: 1\n"


@pytest.mark.parametrize("text, message", [
    ("", "expected clusters"), ("[1]", "expected clusters"), ("5: [{feature_index: 1}]", "layer 5: expected {feature_index"),
    ("'5': []", "layer '5': expected a whole number"), ("17: []", "layer 17: expected a whole number, 0 to 16"), ("-1: []", "layer -1"),
    ("5: {}", "layer 5: expected a list"), ("5: [7]", "layer 5: expected {feature_index"), ("5: [{feature_index: '1', cluster_index: 0}]", "layer 5"),
    ("5: [{feature_index: 1, cluster_index: 0}, {feature_index: 1, cluster_index: 1}]", "layer 5: channel 1 is there twice"),
    ("5: [{feature_index: 1, cluster_index: -1}]", "layer 5"), ("5: [{feature_index: 1, cluster_index: 99999999}]", "layer 5"),
    ("5: []\n5: []", "given twice"), ("!!python/object:x.y {}", "not valid YAML"),
    ("format: other", "format 'other'"), ("format: latent-jockey clusters\nschema: 2", "schema version 2: this version reads 1"),
    (OURS + "layers: [1]", "layers: expected a mapping"), (OURS + "layers: {b4.conv1: {eyes: 5}}", "b4.conv1, cluster 'eyes': expected a list"),
    (OURS + "layers: {b4.conv1: {a: [1], b: [1]}}", "channel 1 is there twice"), (OURS + "layers: {b4.conv1: {a: [x]}}", "channel 'x'"),
    (OURS + "layers: {b99.conv1: {a: [1]}}", "no layer 'b99.conv1'"), (OURS + "layers: {b4.conv1: {a: [8]}}", "channel 8, but it has 8, 0 to 7"),
    ("1: [{feature_index: 8, cluster_index: 0}]", "cluster '0' of b8.conv0: channel 8, but it has 8"),
])
def test_files_refused(tmp_path, generator, text, message):
    path = tmp_path / "c.yaml"
    path.write_text(text)
    with pytest.raises(UserError, match=message) as caught:
        clusters.load(path, generator)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_other_weights_are_warned_about(tmp_path, caplog):
    generator = planted()
    path = clusters.find(generator, LAYER, 3, 2, 0).save(tmp_path / "c.yaml")
    with caplog.at_level(logging.WARNING):
        assert clusters.load(path, generator).mismatch(generator) is None and not caplog.text
        generator.synthesis.b16.conv1.weight.add_(1.0)
        clusters.load(path, generator)
    assert "found for the weights" in caplog.text
    assert Clusters({}).mismatch(generator) is None                      # nobody knows: a published file


# --- pictures --------------------------------------------------------------------------------------------------------

def test_sheets_show_something():
    generator = planted()
    found = clusters.find(generator, LAYER, 3, 4, 0)
    page = sheet(generator, found, LAYER, pictures=2)
    assert page.dtype == np.uint8 and page.shape == (4 * 40, 4 * 40, 3) and page.std() > 10
    assert not np.array_equal(page[44:76, 84:116], page[4:36, 84:116])   # ablating a cluster is seen
    ws = next(sample_ws(generator, 2, 0))
    assert strip(generator, ws, []).shape == (80, 80, 3)
    heat = heat_map(generator.activations(ws, [LAYER])[LAYER], (1, 2), (32, 32))
    assert heat.shape == (2, 32, 32) and heat.min() == 0 and heat.max() == 1
    assert (heat_map(torch.ones(2, 4, 8, 8), (), (16, 16)) == 0).all()


def test_the_bench_s_measure_finds_the_best_threshold():
    from tests.bench.clusters import best_iou

    truth = np.zeros((2, 3, 8, 8), bool)
    truth[0, :, 2:4, 2:6] = truth[1, :, :4] = True
    maps = np.random.RandomState(0).rand(3, 8, 8).astype(np.float32) + truth[0]
    there, half = best_iou(maps, truth)
    assert there > 0.95 and half < 0.6
    assert best_iou(np.zeros((3, 8, 8), np.float32), truth)[1] == 0.5


def test_the_built_in_instrument_s_clusters_are_its_own():
    from engine import checkpoints
    from tests.senders.eight_faders import FADERS

    folder = pathlib.Path(__file__).parents[2] / "presets" / "masks"
    generator = checkpoints.load(folder / "generator.safetensors")
    found = clusters.load(folder / "clusters.yaml", generator)
    assert found.mismatch(generator) is None
    assert all(name in found["b64.conv0"] for name in ("eyes", "mouth", "hair", "crown", "head", "halo", "background"))
    assert all(cluster in found[layer] for _, layer, cluster, *_ in FADERS)
