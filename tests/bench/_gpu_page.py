"""The figures of `bench gpu` as a table in words and a plot. Knows the lines that gpu.py writes, no torch."""
import json
import pathlib

PEERS = {"NVIDIA's visualizer, 512 px, 4090 laptop": 75, "Autolume, 1024 px, before": 45, "Autolume's rewrite, 1024 px": 17, "StreamDiffusion, 512 px, 4090": 106}

SMALL = ("Without a GPU, or at 64 px and below, a small network stands in: these figures only say that the steps run. "
         "`python run_live.py doctor` says whether this torch can use the card.")


def read(path) -> list[dict]:
    """The rows of a file of lines; half a line at its end, as a crash leaves it, is left out."""
    rows = []
    for line in pathlib.Path(path).read_text(encoding="utf-8").splitlines():
        try:
            rows.append(json.loads(line))
        except ValueError:
            break
    return rows


def table(rows: list[dict]) -> str:
    """All figures, a step after the other; what failed says why."""
    lines = [SMALL] if any(row.get("tiny") for row in rows) else []
    for row in rows:
        lines.append(f"\n{row['step']}  ({row.get('seconds', 0)} s)" + ("" if row["ok"] else f"  FAILED: {row['error']}"))
        lines += _rows({key: value for key, value in row.items() if key not in ("step", "ok", "seconds", "error", "where")}, "  ")
    return "\n".join(lines) + "\n"


def _rows(figures: dict, indent) -> list[str]:
    lines = []
    for name, value in figures.items():
        if isinstance(value, dict) and value and not any(isinstance(v, (dict, list, tuple)) for v in value.values()) and len(value) <= 8:
            lines.append(f"{indent}{name}: " + "  ".join(f"{k} {v}" for k, v in value.items()))
        elif isinstance(value, dict):
            lines += [f"{indent}{name}", *_rows(value, indent + "  ")]
        else:
            lines.append(f"{indent}{name}: {value}")
    return lines


def rates(rows: list[dict]) -> dict[str, float]:
    """{what was drawn: frames a second} of every step that has such."""
    found = {}
    for row in rows:
        for name, figures in (row.get("rows") or {}).items():
            if isinstance(figures, dict) and "fps" in figures:
                found[f"{row['step']}: {name}"] = figures["fps"]
    return found


def plot(rows: list[dict], path):
    """Frames a second as bars, what others have published beneath."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    ours, card = rates(rows), next((row.get("card") or "no GPU" for row in rows if row["step"] == "versions"), "")
    names = [*ours, *PEERS]
    figure, axes = pyplot.subplots(figsize=(9, 0.32 * len(names) + 1))
    axes.barh(names, [*ours.values(), *PEERS.values()], color=["tab:blue"] * len(ours) + ["silver"] * len(PEERS))
    axes.invert_yaxis()
    axes.set_xlabel("frames a second; grey: published by others, on their cards")
    axes.set_title(card)
    figure.savefig(path, dpi=120, bbox_inches="tight")
