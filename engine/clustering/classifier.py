"""Clusters the published way: a small network learns to tell a layer's feature maps apart; maps it finds alike cluster.

Per layer a convolutional network with a bottleneck of 10 numbers is trained to say which channel a map comes from; each
channel's bottleneck, averaged over samples, is its point for k-means. Source: Broad et al. 2021; SPEC.md B.5.
Letters: S samples, C channels, B batch.
"""
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from torch import nn
from torch.nn import functional as F

from engine.checkpoints.native import generator_hash
from engine.clustering import kmeans
from engine.clustering.correlation import sample_ws
from engine.device import to_double
from engine.errors import UserError
from engine.tensor_files import write_tensors

WIDTH, BOTTLENECK = 50, 10
SIZE = 256                          # larger maps are area-averaged to it: what a channel does is seen there, too
UNUSED = "final_conv"               # published files hold it, nothing uses it


class ShuffleUnit(nn.Module):
    """ShuffleNetV2's unit of stride 1: half the channels pass, half are convolved, then they are shuffled."""

    def __init__(self, channels):
        super().__init__()
        half = channels // 2
        self.branch = nn.Sequential(
            nn.Conv2d(half, half, 1, bias=False), nn.BatchNorm2d(half), nn.ReLU(),
            nn.Conv2d(half, half, 3, padding=1, groups=half, bias=False), nn.BatchNorm2d(half),
            nn.Conv2d(half, half, 1, bias=False), nn.BatchNorm2d(half), nn.ReLU())

    def forward(self, x):
        kept, changed = x.chunk(2, 1)
        x = torch.stack([kept, self.branch(changed)], 2)                        # [B, half, 2, H, W]
        return x.flatten(1, 2)


class MapClassifier(nn.Module):
    """Maps [B, 1, H, W] in -1..1 -> which channel, [B, C]. depth: units, each halving the map."""

    def __init__(self, channels: int, depth: int):
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(1, WIDTH, 3, 2, 1, bias=False), nn.BatchNorm2d(WIDTH), nn.ReLU())
        self.units = nn.ModuleList(ShuffleUnit(WIDTH) for _ in range(depth))
        self.bottleneck = nn.Linear(WIDTH, BOTTLENECK)
        self.last = nn.Linear(BOTTLENECK, channels)

    def embed(self, maps):
        """Return the bottleneck [B, 10] of maps [B, 1, H, W]."""
        x = F.max_pool2d(self.first(maps), 3, 2, 1)
        for unit in self.units:
            x = F.max_pool2d(unit(x), 3, 2, 1)
        return self.bottleneck(x.mean((2, 3)))

    def forward(self, maps):
        return self.last(self.embed(maps))


@dataclass(frozen=True)
class Classifier:
    """epochs, batch, rate, psi: as published. folder: networks are kept there after each epoch, and taken up again.

    progress({layer, stage, done, of, loss, accuracy}): called as it goes on. files: {layer: published classifier file}
    used in place of training.
    """
    epochs: int = 50
    batch: int = 100
    rate: float = 1e-4
    psi: float = 0.5
    folder: str | Path | None = None
    progress: Callable | None = None
    files: dict | None = None

    name = "classifier"

    def labels(self, generator, layer: str, k, samples: int, seed: int) -> np.ndarray:
        """Return the cluster of every channel, [C]; 0 the largest."""
        if self.files and layer in self.files:
            network = load_classifier(self.files[layer], generator, layer)
        else:
            network = self.train(generator, layer, samples, seed)
        points = embeddings(network, generator, layer, samples, seed + 1, self.psi)
        if k == "auto":
            k = kmeans.best_k(points, kmeans.CRITERION, seed)
        return kmeans.group(points, int(k), seed)

    def train(self, generator, layer: str, samples: int, seed: int) -> MapClassifier:
        """Return the trained network for a layer; 90 % of the maps teach it, the rest say how well it does."""
        data = torch.cat([_levels(maps) for maps in _maps(generator, layer, samples, seed, self.psi)])   # uint8 [S, C, H, W]
        count = data.shape[1]
        order = torch.from_numpy(np.random.RandomState(seed).permutation(data.shape[0] * count))
        held = order[:max(1, len(order) // 10)]
        taught = order[len(held):]
        recipe = json.dumps([generator_hash(generator), samples, seed, self.batch, self.rate, self.psi])
        network = _make_network(count, depth(generator.layers.index(layer)), seed).to(generator.device)
        optimiser = torch.optim.Adam(network.parameters(), self.rate)
        for epoch in range(self._resume(layer, recipe, network, optimiser), self.epochs):
            loss = self._epoch(network, optimiser, data, taught, np.random.RandomState((seed, epoch)))
            accuracy = _accuracy(network, data, held, self.batch)
            self._keep(layer, recipe, network, optimiser, epoch + 1)
            if self.progress:
                self.progress({"layer": layer, "stage": "training", "done": epoch + 1, "of": self.epochs,
                               "loss": loss, "accuracy": accuracy})
        return network.eval()

    def _epoch(self, network, optimiser, data, taught, source):
        network.train()
        total, order = 0.0, taught[torch.from_numpy(source.permutation(len(taught)))]
        for picked in order.split(self.batch):
            if len(picked) < 2:                                                 # batch statistics need more than one
                continue
            maps, channels = _batch(data, picked)
            with torch.enable_grad():
                loss = F.cross_entropy(network(maps), channels)
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
            total += float(loss.detach()) * len(picked)
        return total / len(order)

    def _path(self, layer):
        return Path(self.folder or "") / f"classifier.{layer}.safetensors"

    def _resume(self, layer, recipe, network, optimiser) -> int:
        """Load the network kept in the folder, if it was made the same way; returns the number of epochs it was trained for."""
        if self.folder is None or not self._path(layer).exists():
            return 0
        try:
            with safe_open(self._path(layer), "pt") as file:
                header = file.metadata() or {}
                if header.get("recipe") != recipe:
                    return 0
                kept = {name: file.get_tensor(name) for name in file.keys()}
            network.load_state_dict({name: kept[f"network.{name}"] for name in network.state_dict()})
            state: dict[int, dict] = {int(name.split(".")[1]): {} for name in kept if name.startswith("adam.")}
            for name in (name for name in kept if name.startswith("adam.")):
                state[int(name.split(".")[1])][name.split(".")[2]] = kept[name]
            optimiser.load_state_dict(optimiser.state_dict() | {"state": state})
            return int(header["epochs"])
        except (OSError, SafetensorError, RuntimeError, LookupError, ValueError) as error:
            raise UserError(f"{self._path(layer)}: can't be taken up again: {error}; delete it to begin anew") from None

    def _keep(self, layer, recipe, network, optimiser, epochs):
        if self.folder is None:
            return
        tensors = {f"network.{name}": tensor for name, tensor in network.state_dict().items()}
        tensors |= {f"adam.{i}.{name}": value for i, values in optimiser.state_dict()["state"].items() for name, value in values.items()}
        write_tensors(self._path(layer), tensors, {"recipe": recipe, "epochs": str(epochs)}, make_folder=True)


def _make_network(channels, depth, seed) -> MapClassifier:
    """Return a new network; nobody else's random numbers are used up."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return MapClassifier(channels, depth)


def depth(number: int) -> int:
    """Return the number of units of the network for a layer, by its number: 0, 0, 1, 1, 2, 2, ... for layers 1, 2, 3, ..."""
    return max(number - 1, 0) // 2


@torch.no_grad()
def embeddings(network, generator, layer: str, samples: int, seed: int, psi: float = 0.5) -> np.ndarray:
    """Return [C, 10]: each channel's bottleneck, averaged over samples; the network stays as it was taught."""
    network.eval()
    total = torch.zeros((), dtype=torch.float64)
    for maps in _maps(generator, layer, samples, seed, psi):
        data = _levels(maps)
        picked = torch.arange(data.shape[0] * data.shape[1])
        points = torch.cat([network.embed(_batch(data, some)[0]) for some in picked.split(512)])
        total = total + to_double(points.view(data.shape[0], data.shape[1], -1)).sum(0)
    return (total / samples).cpu().numpy()


def load_classifier(path, generator, layer: str) -> MapClassifier:
    """Return a published classifier{L}_final.pt. Tensors are told by kind and shape, in order; unused ones are left out."""
    from engine.checkpoints.torch_file import load_torch

    network = MapClassifier(generator.channels(layer), depth(generator.layers.index(layer)))
    try:
        state = load_torch(path).content
    except UserError as error:
        raise UserError(f"{path}: {error}") from None
    state = state.get("state_dict", state) if isinstance(state, dict) else {}
    found = {name: tensor for name, tensor in state.items() if isinstance(tensor, torch.Tensor) and UNUSED not in name}
    network.load_state_dict({name: _match(found, name, tensor, path) for name, tensor in network.state_dict().items()})
    return network.eval()


def _match(found, name, wanted, path):
    """Take out of `found` the first tensor of the wanted one's kind and shape."""
    kind = name.rpartition(".")[2]
    for theirs, tensor in found.items():
        if theirs.rpartition(".")[2] == kind and tensor.shape == wanted.shape:
            return found.pop(theirs).to(wanted.dtype)
    if kind == "num_batches_tracked":
        return wanted
    raise UserError(f"{path}: no {kind} of shape {list(wanted.shape)} left for {name}; is it a classifier of another layer or network?")


@torch.no_grad()
def _maps(generator, layer, samples, seed, psi):
    for ws in sample_ws(generator, samples, seed, psi):
        yield generator.activations(ws, [layer])[layer]


def _levels(maps):
    """Return activations as uint8, as the published tool stores them: -1..1 to 0..255, the rest cut off."""
    if max(maps.shape[2:]) > SIZE:
        maps = F.adaptive_avg_pool2d(maps, tuple(min(SIZE, side) for side in maps.shape[2:]))
    return maps.float().clamp(-1, 1).add(1).mul(127.5).round().to(torch.uint8)


def _batch(data, picked):
    """Return (maps [B, 1, H, W] in -1..1, their channels [B])."""
    channels = picked % data.shape[1]
    maps = data[picked // data.shape[1], channels][:, None]
    return maps.float() / 127.5 - 1, channels.to(data.device)


@torch.no_grad()
def _accuracy(network, data, held, batch):
    network.eval()
    right = sum(int((network(_batch(data, some)[0]).argmax(1) == some.to(data.device) % data.shape[1]).sum()) for some in held.split(batch))
    return right / len(held)
