"""Clusters: the channels of a layer in named groups that do the same thing. Knows the generator, no bends and no scenes.

Found by one of METHODS; kept in a YAML file of our own, or the published tool's. Source: Broad et al. 2021; SPEC.md B.4-B.5.
"""
import logging
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeGuard

import yaml

from engine.checkpoints.native import generator_hash
from engine.clustering.classifier import Classifier
from engine.clustering.correlation import Correlation
from engine.errors import UserError
from engine.files import write_text
from engine.yaml_file import load_yaml, shorten

log = logging.getLogger(__name__)

FORMAT = "latent-jockey clusters"
SCHEMA = 1
METHODS = {method.name: method for method in (Correlation, Classifier)}


def find_published_k(layer: int) -> int:
    """Return how many clusters the published tool finds in a layer, by its number in network order."""
    return 5 if layer <= 8 else 4 if layer <= 12 else 3


def layer_name(number: int) -> str:
    """Return the name of a layer by its published number: 0 b4.conv1, 1 b8.conv0, 2 b8.conv1, 3 b16.conv0, ..."""
    return "b4.conv1" if number == 0 else f"b{4 * 2 ** ((number + 1) // 2)}.conv{(number + 1) % 2}"


@dataclass(frozen=True)
class Clusters:
    """layers: {layer: {name: channel indices}}; a cluster's number is its place in its layer, 0 first.

    generator: the content hash of the weights they were found for. about: how they were found.
    """
    layers: dict[str, dict[str, tuple[int, ...]]] = field(default_factory=dict)
    generator: str = ""
    about: dict = field(default_factory=dict)

    def __getitem__(self, layer: str) -> dict[str, tuple[int, ...]]:
        if layer not in self.layers:
            raise UserError(f"no clusters of layer {layer!r}; there are of {', '.join(self.layers) or 'none'}")
        return self.layers[layer]

    def __contains__(self, layer) -> bool:
        return layer in self.layers

    def __iter__(self):
        return iter(self.layers)

    def channels(self, layer: str, cluster) -> tuple[int, ...]:
        """Return a cluster's channels, by its name or number."""
        return self[layer][self.name(layer, cluster)]

    def name(self, layer: str, cluster) -> str:
        """Return a cluster's name, given that or its number."""
        there = self[layer]
        if str(cluster) in there:
            return str(cluster)
        if str(cluster).isdecimal() and int(cluster) < len(there):
            return list(there)[int(cluster)]
        raise UserError(f"no cluster {cluster!r} in layer {layer}; there are {', '.join(there) or 'none'}")

    def rename_cluster(self, layer: str, cluster, name: str) -> "Clusters":
        """Return the clusters with one of them renamed; its number stays."""
        old, name = self.name(layer, cluster), name.strip()
        if not name or name == "all" or any(sign in name for sign in ":,/ \n") or name.isdecimal() and name != str(cluster):
            raise UserError(f"cluster name {name!r}: expected a word")
        if name in self[layer] and name != old:
            raise UserError(f"layer {layer} has a cluster {name!r} already")
        layers = dict(self.layers)
        layers[layer] = {name if n == old else n: channels for n, channels in self[layer].items()}
        return replace(self, layers=layers)

    def rename_all(self, texts) -> "Clusters":
        """Return the clusters renamed by texts such as "b32.conv1:2=eyes"."""
        clusters = self
        for text in texts:
            place, equals, name = text.partition("=")
            layer, colon, cluster = place.partition(":")
            if not (equals and colon):
                raise UserError(f"name {text!r}: expected LAYER:CLUSTER=NAME, such as b32.conv1:2=eyes")
            clusters = clusters.rename_cluster(layer.strip(), cluster.strip(), name)
        return clusters

    def merge(self, other: "Clusters") -> "Clusters":
        """Return these clusters, and the other's layers in place of any of the same name; a group of the same channels keeps its word for a name."""
        layers = {layer: self._keep_names(layer, groups) if self.generator == other.generator else groups
                  for layer, groups in other.layers.items()}
        return Clusters(self.layers | layers, other.generator or self.generator, self.about | other.about)

    def _keep_names(self, layer, groups):
        """Return {name: channels} found anew for a layer, with the names that the same groups have here."""
        words = {channels: name for name, channels in self.layers.get(layer, {}).items() if not name.isdecimal()}
        return {words.get(channels, name): channels for name, channels in groups.items()}

    def mismatch(self, generator) -> str | None:
        """Return a warning where the clusters were found for other weights; None where they fit, or nobody knows."""
        own = generator_hash(generator)
        if not self.generator or self.generator == own:
            return None
        return f"clusters were found for the weights {self.generator[:12]}, these are {own[:12]}: groups may mean nothing"

    def check(self, generator) -> "Clusters":
        """Return the clusters themselves; UserError where a layer or channel is not the generator's, a logged warning where the weights are others."""
        for layer, groups in self.layers.items():
            count = generator.channels(layer)
            for name, channels in groups.items():
                for i in channels:
                    if not 0 <= i < count:
                        raise UserError(f"cluster {name!r} of {layer}: channel {i}, but it has {count}, 0 to {count - 1}")
        if warning := self.mismatch(generator):
            log.warning("%s", warning)
        return self

    def save(self, path) -> Path:
        """Write our own file."""
        head = {"format": FORMAT, "schema": SCHEMA, "generator": self.generator, "about": self.about}
        layers = {layer: {name: list(channels) for name, channels in groups.items()} for layer, groups in self.layers.items()}
        text = yaml.safe_dump(head, sort_keys=False) + "layers:\n"
        for layer, groups in layers.items():
            text += f"  {layer}:\n"
            for name, channels in groups.items():
                text += f"    {yaml.safe_dump(str(name), default_style=chr(34)).strip()}: {channels}\n"
        return write_text(path, text if layers else text.replace("layers:\n", "layers: {}\n"))

    def export(self, path, generator) -> Path:
        """Write the published tool's dictionary: {layer number: [{feature_index, cluster_index}, ...]}."""
        lines = []
        for layer, groups in sorted(self.layers.items(), key=lambda item: generator.layers.index(item[0])):
            lines.append(f"{generator.layers.index(layer)}:")
            pairs = sorted((i, number) for number, channels in enumerate(groups.values()) for i in channels)
            lines += [f"- {{cluster_index: {number}, feature_index: {i}}}" for i, number in pairs]
        return write_text(path, "\n".join(lines) + "\n")


def find(generator, layer, k=None, samples: int = 100, seed: int = 0, method="correlation") -> Clusters:
    """Group the channels of a layer (or of several: a list of names; None = all) by what they do over sample pictures.

    k: how many, None = as published, "auto" = as many as keep apart best. method: a name in METHODS, or one of its classes set up.
    """
    method = _method(method)
    names = list(generator.layers) if layer is None else [layer] if isinstance(layer, str) else list(layer)
    layers = {}
    for name in names:
        count = generator.channels(name)
        if k is not None and k != "auto" and not 1 <= int(k) <= count:
            raise UserError(f"k {k}: layer {name} has {count} channels")
        wanted = find_published_k(generator.layers.index(name)) if k is None else k
        labels = method.labels(generator, name, wanted, samples, seed)          # [C]
        layers[name] = {str(n): tuple(int(i) for i in (labels == n).nonzero()[0]) for n in range(labels.max() + 1)}
    about = {"method": method.name, "samples": samples, "seed": seed, "k": "published" if k is None else k}
    return Clusters(layers, generator_hash(generator), about)


def load(path, generator=None) -> Clusters:
    """Return the clusters in a file, ours or the published tool's; checked against the generator if one is given."""
    content = load_yaml(path)
    try:
        clusters = _read_ours(content) if isinstance(content, dict) and "format" in content else _read_published(content)
        return clusters.check(generator) if generator is not None else clusters
    except UserError as error:
        raise UserError(f"{path}: {error}") from None


def _method(method):
    if not isinstance(method, str):
        return method
    if method not in METHODS:
        raise UserError(f"method {method!r}: expected {' or '.join(METHODS)}")
    return METHODS[method]()


def _read_ours(content) -> Clusters:
    if content["format"] != FORMAT:
        raise UserError(f"format {shorten(content['format'])}: expected {FORMAT!r}")
    if content.get("schema") != SCHEMA:
        raise UserError(f"schema version {shorten(content.get('schema'))}: this version reads {SCHEMA}")
    layers = content.get("layers")
    if not isinstance(layers, dict) or not all(isinstance(groups, dict) for groups in layers.values()):
        raise UserError("layers: expected a mapping of layers, each a mapping of clusters")
    read = {}
    for layer, groups in layers.items():
        seen: set = set()
        read[layer] = {str(name): _channels(channels, f"{layer}, cluster {name!r}", seen) for name, channels in groups.items()}
    about = content.get("about")
    return Clusters(read, str(content.get("generator") or ""), about if isinstance(about, dict) else {})


def _read_published(content) -> Clusters:
    if not isinstance(content, dict) or not content:
        raise UserError(f"expected clusters: ours ({FORMAT!r}) or a mapping of layer numbers, found {type(content).__name__}")
    layers = {}
    for number, entries in content.items():
        if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number <= 16:
            raise UserError(f"layer {shorten(number)}: expected a whole number, 0 to 16")
        if not isinstance(entries, list):
            raise UserError(f"layer {number}: expected a list of {{feature_index, cluster_index}}, found {type(entries).__name__}")
        groups: dict[int, list] = {}
        seen: set = set()
        for entry in entries:
            channel, group = (entry.get(name) if isinstance(entry, dict) else None for name in ("feature_index", "cluster_index"))
            if not (_index(channel) and _index(group)):
                raise UserError(f"layer {number}: expected {{feature_index: int, cluster_index: int}}, found {shorten(entry)}")
            groups.setdefault(group, []).extend(_channels([channel], f"layer {number}", seen))
        layers[layer_name(number)] = {str(n): tuple(sorted(groups.get(n, ()))) for n in range(max(groups, default=-1) + 1)}
    return Clusters(layers, "", {"source": "published dictionary"})


def _index(value) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2 ** 16


def _channels(channels, where, seen: set) -> tuple[int, ...]:
    if not isinstance(channels, list):
        raise UserError(f"{where}: expected a list of channels, found {shorten(channels)}")
    for i in channels:
        if isinstance(i, bool) or not isinstance(i, int) or i < 0:
            raise UserError(f"{where}: channel {shorten(i)}: expected a whole number")
        if i in seen:
            raise UserError(f"{where}: channel {i} is there twice")
        seen.add(i)
    return tuple(sorted(channels))
