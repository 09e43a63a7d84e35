"""The public door to clusters of channels: what scripts import, wherever in engine/clustering/ it is made."""
from engine.clustering.clusters import METHODS, Clusters, find, layer_name, load, published_k

__all__ = ["METHODS", "Clusters", "find", "layer_name", "load", "published_k"]
