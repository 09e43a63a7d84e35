"""Finding the directions and clusters of a network, so that one nobody has prepared can be played. Slow; beside a show, in a process of its own."""
from collections.abc import Callable
from pathlib import Path

from live.instrument.found import CLUSTERS, DIRECTIONS, LOOK

CLUSTERED = (16, 32, 64)             # px of the layers that clusters are looked for in: shapes and parts
PICTURES = 40                        # samples that clusters are found by
COMPONENTS, OF_GROUP = 6, 2


def find_all(generator, seed: int = 0, progress: Callable[[dict], None] | None = None, samples: int | None = None, drawn=None):
    """Return the directions that any network gets: six measured ones, the first components, two of the closed form for each group of layers.

    drawn: engine.directions.measured.Drawn, its pictures, where they are there already.
    """
    from engine import directions
    from engine.directions.data import join
    from engine.motion import SPANS

    tell = progress or (lambda event: None)
    parts = [directions.find(generator, "measured", 6, seed, progress=tell, samples=samples, drawn=drawn)]
    tell({"stage": "components", "done": 0, "of": 1})
    parts.append(directions.find(generator, "pca", COMPONENTS, seed))
    for group, (start, _) in SPANS.items():
        if start < generator.num_ws:
            parts.append(directions.find(generator, "closed", OF_GROUP, seed, layers=group))
    return join(parts)


def analyse(generator, folder, progress: Callable[[dict], None] | None = None, samples: int | None = None, encoder=None) -> list[Path]:
    """Write what is not in a folder yet: directions, clusters, the look; return the files written.

    samples: pictures at most that are drawn for each. encoder: the instrument's, by which its look sees.
    """
    from engine import clusters, directions, look
    from engine.clustering.correlation import Correlation
    from engine.directions.measured import MOST_PICTURES, draw_samples

    tell, folder, written, drawn = progress or (lambda event: None), Path(folder), [], None
    if not (folder / DIRECTIONS).exists():
        drawn = draw_samples(generator, samples or MOST_PICTURES, 0, tell)               # once, for directions and the look
        found = find_all(generator, 0, tell, samples, drawn)
        written.append(directions.save(folder / DIRECTIONS, found, samples=samples))
        tell({"stage": "written", "done": 1, "of": 1})
    if not any((folder / name).exists() for name in CLUSTERS):
        path, grown = folder / CLUSTERS[0], clusters.Clusters()
        for layer in choose_layers(generator):
            grown = grown.merge(clusters.find(generator, layer, None, min(PICTURES, samples or PICTURES), 0, Correlation(progress=tell)))
            grown.save(path)
        written.append(path)
        tell({"stage": "written", "done": 1, "of": 1})
    if not (folder / LOOK).exists():
        found_look = look.find(generator, encoder, min(look.SEEDS, samples or look.SEEDS), progress=tell, drawn=drawn)
        written.append(look.save(folder / LOOK, found_look))
    return written


def choose_layers(generator) -> list[str]:
    """Return the layers that clusters are looked for in: the second of each of CLUSTERED px, or the last one of a small network."""
    wanted = [f"b{size}.conv1" for size in CLUSTERED]
    return [layer for layer in wanted if layer in generator.layers] or [generator.layers[-1]]
