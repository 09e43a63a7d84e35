"""A picture of a take: each address that moves as a line over time, under one another. Knows curves and pixels only."""
from engine.parameter import Parameter

LIBRARIES = ("PIL",)

WIDTH, ROW, LEFT, TOP, EDGE = 1200, 56, 260, 28, 12        # px
GROUND, PANEL, LINE, TEXT, QUIET = (11, 13, 16), (22, 26, 32), (242, 169, 0), (215, 221, 228), (139, 150, 163)
MOST = 200                          # rows
STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600)        # seconds between marks


def draw_curves(curves: dict, parameters: dict[str, Parameter], seconds: float, width: int = WIDTH):
    """Return a picture (PIL) of {address: [(seconds, value)]} over so many seconds. parameters: their ranges, where they are known."""
    from PIL import Image, ImageDraw, ImageFont

    shown = dict(sorted(curves.items())[:MOST])
    picture = Image.new("RGB", (width, TOP + max(1, len(shown)) * ROW + EDGE), GROUND)
    pen, font = ImageDraw.Draw(picture), ImageFont.load_default(13)
    span, across = max(seconds, 1e-6), width - LEFT - EDGE
    step = next((step for step in STEPS if span / step <= 12), span)
    for n in range(int(span / step) + 1):
        x = LEFT + across * n * step / span
        pen.line([(x, TOP), (x, picture.height - EDGE)], fill=PANEL)
        pen.text((x + 3, 8), _format_time(n * step), fill=QUIET, font=font)
    for row, (address, points) in enumerate(shown.items()):
        top = TOP + row * ROW
        pen.rectangle([LEFT, top + 3, width - EDGE, top + ROW - 4], outline=PANEL)
        pen.text((EDGE, top + 8), address[-34:], fill=TEXT, font=font)
        pen.text((EDGE, top + 28), _describe(points), fill=QUIET, font=font)
        _draw_row(pen, points, parameters.get(address), top + 6, ROW - 13, span, across)
    return picture


def _draw_row(pen, points, parameter, top, height, span, across):
    places = _normalize([value for _, value in points], parameter)
    corners: list = []
    for (at, _), place in zip([*points, (span, None)], [*places, places[-1]]):
        x, y = LEFT + across * min(at / span, 1.0), top + height * (1.0 - place)
        corners += [(x, corners[-1][1]), (x, y)] if corners else [(x, y)]
    pen.line(corners, fill=LINE, width=2)


def _normalize(values, parameter) -> list[float]:
    """Return values as places 0..1: in their range, or among themselves where that is not known."""
    if any(isinstance(value, list) for value in values):
        return [1.0 if n % 2 else 0.0 for n in range(len(values))]           # a vector: where it changed
    if parameter is not None and not (parameter.step == 1 and parameter.high > 2 ** 24):
        return [parameter.normalized(value) for value in values]
    kinds = sorted(set(values), key=lambda value: (isinstance(value, str), value))
    if any(isinstance(value, str) for value in values) or len(kinds) < 2:
        return [kinds.index(value) / max(1, len(kinds) - 1) for value in values]
    return [(value - kinds[0]) / (kinds[-1] - kinds[0]) for value in values]


def _describe(points) -> str:
    numbers = [value for _, value in points if isinstance(value, (int, float))]
    changes = f"{len(points) - 1} change{'s' if len(points) != 2 else ''}"
    return f"{min(numbers):.4g} .. {max(numbers):.4g}, {changes}" if len(numbers) == len(points) else changes


def _format_time(seconds) -> str:
    return f"{seconds:g} s" if seconds < 60 else f"{int(seconds // 60)}:{seconds % 60:02.0f}"
