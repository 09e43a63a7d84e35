"""The public door to clusters of channels: what scripts import, wherever in engine/clustering/ it is made."""
from engine.clustering.clusters import METHODS, Clusters, find, find_published_k, layer_name, load

__all__ = ["METHODS", "Clusters", "find", "layer_name", "load", "find_published_k"]
