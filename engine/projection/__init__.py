"""Projection: looking for the w by which a network comes nearest to a picture. Slow; makes kept latents (engine/kept).

Needs no other network: the loss compares pictures at six sizes, and it begins at what the nearest of many seeds have in common.
Source: SPEC2.md P.
"""
from engine.projection.features import FEATURES
from engine.projection.film import project_film
from engine.projection.find import Projected, project, project_all
from engine.projection.losses import LOSSES

__all__ = ["FEATURES", "LOSSES", "Projected", "project", "project_all", "project_film"]
