"""What moving along a direction changes besides: the leakage matrix of the built-in world's factors, and against the drawn truth.

    python run_live.py bench directions --plot leakage.png

leak: what the other decoded factors change by, the largest, over the own; of filters (what predicts a factor), and of patterns (what `directions` finds).
truth: the cosine between how the network's picture changes along a pattern and how the drawn one does; `gain`: its size over the truth's.
`fader_ms`: what 30 faders that move every frame cost, beside a frame. --plot: the matrix, as a picture.
"""
import statistics
import time

from tests.bench import _common

SAMPLES, SEEDS, SIZE, STEP = 20_000, 12, 64, 0.35
LEAST, GAINS, WANTED = 0.8, (0.7, 1.3), 35


def bench(options: dict) -> dict:
    """Run it; see the module's docstring."""
    import torch

    generator = _common.network(options.get("instrument") or "presets/masks").eval().requires_grad_(False)
    patterns, filters, reads, steps = _find(generator)
    found = {"factors": len(patterns), "leak": {"patterns": _leak(patterns, reads), "filters": _leak(filters, reads)}}
    with torch.no_grad():
        found["truth"] = _compare(generator, patterns, reads, options.get("seconds"))
    found["fader_ms"] = _cost(generator)
    cosines = [row["cosine"] for row in found["truth"].values()]
    good = sum(row["cosine"] >= LEAST and GAINS[0] <= row["gain"] <= GAINS[1] for row in found["truth"].values())
    flags = [] if found["leak"]["patterns"]["worst"] <= 0.05 else ["patterns leak"]
    flags += [] if statistics.median(cosines) >= LEAST else ["the median cosine is below 0.8"]
    flags += [] if good >= WANTED * len(cosines) / 56 else [f"{good} factors follow the truth"]
    if options.get("plot"):
        _plot(options["plot"], patterns, filters, reads)
    return found | {"median_cosine": round(statistics.median(cosines), 3), "follow": good, "flags": flags}


def _find(generator):
    """Return (patterns, filters [F, W] unit rows, what reads the factors off w [W, F], z, w)."""
    import torch

    from engine.directions.find import find_patterns
    from engine.directions.statistics import measure_spread, sample_w
    from engine.world import MASKS

    z, w = sample_w(generator, SAMPLES, 3)
    u, w = MASKS.uniform(z).double(), w.double()
    reads = torch.linalg.lstsq(w - w.mean(0), u - u.mean(0)).solution
    patterns, _ = find_patterns(w, u, measure_spread(generator, SAMPLES))
    return patterns, torch.nn.functional.normalize(reads.T), reads, None


def _matrix(rows, reads):
    """Return what each direction changes of each decoded factor, [F, F], in shares of its own."""
    seen = rows @ reads
    return seen / seen.diagonal()[:, None]


def _leak(rows, reads):
    matrix = _matrix(rows, reads).abs()
    matrix.fill_diagonal_(0.0)
    worst = matrix.amax(1)
    return {"median": round(worst.median().item(), 4), "worst": round(worst.max().item(), 4)}


def _compare(generator, patterns, reads, seconds):
    """Return {factor: cosine, gain} of the pictures' changes against the drawn ones, over SEEDS seeds; as many factors as there is time for."""
    import torch

    from engine.directions.statistics import sample_w
    from engine.world import MASKS

    z, w = sample_w(generator, SEEDS, 77)
    u = MASKS.uniform(z)
    ws = lambda w: w[:, None].expand(-1, generator.num_ws, -1)
    before, drawn = generator.synthesize(ws(w), size=SIZE), MASKS.draw(z, SIZE)
    found, end = {}, time.perf_counter() + (seconds or 1e9)
    for k, name in enumerate(MASKS.names):
        if time.perf_counter() > end and found:
            break
        up = torch.where(u[:, k] < 0.5, STEP, -STEP)
        own = (patterns[k] @ reads[:, k]).item()
        moved = generator.synthesize(ws(w + (up[:, None] / own * patterns[k]).float()), size=SIZE) - before
        truth = MASKS.draw(_with_factor(z, u, k, u[:, k] + up), SIZE) - drawn
        moved, truth = moved.flatten(1), truth.flatten(1)
        length = truth.norm(dim=1).clamp(min=1e-6)
        cosine = (moved * truth).sum(1) / length / moved.norm(dim=1).clamp(min=1e-6)
        found[name] = {"cosine": round(cosine.median().item(), 3), "gain": round((moved.norm(dim=1) / length * cosine).median().item(), 2)}
    return found


def _with_factor(z, u, k, value):
    """Return z with one factor at another u, and the others as they are."""
    import torch

    z = z * torch.rsqrt(z.square().mean(1, keepdim=True) + 1e-8)
    z = z.clone()
    z[:, k] = torch.erfinv(2 * value.clamp(0.01, 0.99) - 1) * 2 ** 0.5
    rest = z[:, u.shape[1]:]
    left = (z.shape[1] - z[:, :u.shape[1]].square().sum(1)).clamp(min=0.01 * rest.shape[1])
    z[:, u.shape[1]:] = rest * torch.sqrt(left / rest.square().sum(1))[:, None]
    return z


def _cost(generator):
    """Return the milliseconds that 30 faders take in a frame, beside a frame."""
    import torch

    from engine.directions.data import Directions
    from engine.instrument import Instrument

    rows = torch.nn.functional.normalize(torch.randn(30, generator.w_dim, generator=torch.Generator().manual_seed(1)))
    instrument = Instrument(generator)
    live = instrument.prepare_directions(Directions(tuple(f"d{n}" for n in range(30)), rows, torch.ones(30)))
    instrument.use_directions(live)
    walker = _common.Walker(instrument.scene())
    scene = walker.scene.set_values({f"/directions/d{n}/amount": 0.1 * n for n in range(30)})
    ws = generator.w_avg.expand(1, generator.num_ws, -1)
    taken = _common.in_turns({"faders": lambda: live.move(ws, scene), "frame": lambda: instrument.render(*walker())}, 3.0)
    return {name: round(statistics.median(times), 3) for name, times in taken.items()}


def _plot(path, patterns, filters, reads):
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, 2, figsize=(9, 4.4))
    for place, (title, rows) in zip(axes, (("along the filter", filters), ("along the pattern", patterns))):
        place.imshow(_matrix(rows, reads).abs().clamp(max=1.0), cmap="magma", vmin=0, vmax=1)
        place.set_title(title)
        place.set_xlabel("what changes")
    axes[0].set_ylabel("what is moved")
    figure.savefig(path, dpi=110, bbox_inches="tight")
