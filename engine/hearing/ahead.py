"""A whole sound, heard by one who knows its end: hits where they are, beats by dynamic programming, sections. Numbers only.

After D. Ellis, "Beat Tracking by Dynamic Programming" (2007), and J. Foote, "Automatic audio segmentation using a measure of audio
novelty" (2000).
"""
import math

import numpy as np

from engine.hearing.analyser import HEARD_LATE, Heard
from engine.hearing.beat import BAR, LOCKED, QUIET, SHARES, SNARE_AGAINST, Beat, BeatTracker
from engine.hearing.hits import KINDS
from engine.hearing.spectrum import HOPS

AROUND = 140                        # hops before and after that a hit is compared with
HIGHEST = 4                         # hops on either side that it is the highest of
TIGHT = 100.0                       # how much a beat off the tempo costs
WINDOW = 750                        # hops in which a tempo is looked for
STRIDE = 188                        # from one such window to the next
ACROSS = 8                          # bars on either side that a section's beginning is compared over
SECTION_APART, SECTION_LEAST = 4, 0.35          # bars; share of the plainest one's difference
UNKNOWN_BAR = 2.0                   # seconds a bar is thought to take where there is no beat


def look_ahead(heard: list[Heard], low_tempo: float = 80.0) -> list[Heard]:
    """Return the analysis with hits and beats as they are once the whole sound is known, and with "section" among the hits."""
    if not heard:
        return []
    strengths = np.array([h.strengths for h in heard])
    late = 1                                             # hops from a hit to the one whose strength tells of it
    hits = _hits(strengths, np.array([h.thresholds for h in heard]), heard)
    told = [h.beat.tempo for h in heard if h.beat is not None and h.beat.confidence >= LOCKED]
    snares = strengths[:, 1] * [any(kind == "snare" for kind, _ in h.hits) for h in heard]
    kicks = strengths[:, 0] - SNARE_AGAINST * strengths[:, 1]
    beats = find_beats(strengths @ np.array(SHARES), snares, kicks, low_tempo, float(np.median(told)) if told else None)
    first = _first_of_bar(beats, strengths)
    sections = find_sections(heard, beats[first::BAR] if len(beats) > 3 * BAR else np.arange(0, len(heard), UNKNOWN_BAR * HOPS))
    found = []
    for n, h in enumerate(heard):
        mine = [hit for at, hit in hits.get(n + late, ())] + ([("section", 1.0)] if n + late in sections or n == 0 else [])
        found.append(h._replace(hits=tuple(mine), beat=_find_beat(beats, n, h.time), bar=first))
    return found


def _hits(strengths, thresholds, heard) -> dict:
    """Return {hop: [(hop, (kind, strength))]}: the tops that pass what is usual before and after them."""
    found: dict = {}
    for k, kind in enumerate(KINDS):
        v = strengths[:, k]
        live = {n for n, h in enumerate(heard) if any(name == kind for name, _ in h.hits)}
        top = float(v.max()) or 1.0
        last = -HIGHEST
        for n in np.flatnonzero(v > thresholds[:, k].min()).tolist():
            near = v[max(0, n - HIGHEST):n + HIGHEST + 1]
            around = v[max(0, n - AROUND):n + AROUND + 1]
            plain = v[n] > max(0.08, 0.25 * float(around.max()), float(around.mean() + 1.5 * around.std()))
            if v[n] == near.max() and plain and n - last > HIGHEST and any(m in live for m in range(n - 2, n + 3)):
                last = n
                found.setdefault(n, []).append((n, (kind, min(float(v[n]) / top, 1.0))))
    for n in sorted(found):
        if not any(name == "onset" for m in range(n - 5, n) for _, (name, _) in found.get(m, ())):
            found[n].append((n, ("onset", max(s for _, (_, s) in found[n]))))
    return found


def find_beats(strength: np.ndarray, snares: np.ndarray, kicks: np.ndarray, low_tempo: float = 80.0, usual: float | None = None) -> np.ndarray:
    """Return the hops at which beats are, as floats; none where nothing repeats.

    strength: of all hits. snares, kicks: as BeatTracker.measure_period has them. usual: a tempo that is likely, in bpm.
    """
    periods = _periods(strength, snares, kicks, low_tempo, usual)
    if periods is None:
        return np.zeros(0)
    smooth = np.convolve(strength, np.array([0.25, 0.5, 1.0, 0.5, 0.25]), "same")
    smooth = smooth / max(float(smooth.std()), 1e-9)
    score, back = smooth.copy(), np.full(len(smooth), -1)
    for n in range(len(smooth)):
        period = periods[n]
        lags = np.arange(max(1, int(period * 0.5)), int(period * 2) + 1)
        lags = lags[lags <= n]
        if len(lags):
            ways = score[n - lags] - TIGHT * np.log(lags / period) ** 2
            best = int(np.argmax(ways))
            if ways[best] > 0:
                score[n] += ways[best]
                back[n] = n - lags[best]
    tail = max(0, len(score) - int(periods[-1]) - 1)
    at = tail + int(np.argmax(score[tail:]))
    beats = []
    while at >= 0:
        beats.append(at)
        at = back[at]
    return _between_hops(np.array(beats[::-1], float), smooth)


def _between_hops(beats, smooth):
    """Return beats with the hop's part at which the strength has its top."""
    whole = beats.astype(int)
    inner = (whole > 0) & (whole < len(smooth) - 1)
    left, top, right = (smooth[np.clip(whole + k, 0, len(smooth) - 1)] for k in (-1, 0, 1))
    bend = left - 2 * top + right
    by = np.where(inner & (bend < -1e-9), np.clip(0.5 * (left - right) / np.where(bend < -1e-9, bend, -1.0), -0.5, 0.5), 0.0)
    return beats + by


def _periods(strength, snares, kicks, low_tempo, usual):
    """Return the beat's period around each hop, None where none is found."""
    places, periods = [], []
    tracker = BeatTracker(low_tempo)
    tracker.beat = Beat(usual, 0.0) if usual else None
    for start in range(0, max(len(strength) - WINDOW, 0) + 1, STRIDE):
        part = strength[start:start + WINDOW]
        if part.max() < QUIET:
            continue
        period = tracker.measure_period(part, snares[start:start + WINDOW], kicks[start:start + WINDOW])
        if period is not None:
            places.append(start + len(part) / 2)
            periods.append(period)
    if not periods:
        return None
    middle = np.median(periods)
    kept = [n for n, p in enumerate(periods) if abs(math.log2(p / middle)) < 0.4] if np.std(np.log2(periods)) < 0.5 else range(len(periods))
    places, periods = [places[n] for n in kept], [periods[n] for n in kept]
    return np.interp(np.arange(len(strength)), places, periods) if periods else None


def _first_of_bar(beats, strengths) -> int:
    """Return which of the beats, 0..3, begins a bar: kicks speak for one, snares against."""
    votes = np.zeros(BAR)
    for n, at in enumerate(beats):
        here = strengths[max(0, round(at) - 2):round(at) + 3]
        votes[n % BAR] += float(here[:, 0].sum() - 0.7 * here[:, 1].sum()) if len(here) else 0.0
    return int(np.argmax(votes))


def _find_beat(beats, hop, time) -> Beat | None:
    """Return the beat at a hop: the one before it, and the tempo to the next."""
    if len(beats) < 2:
        return None
    n = int(np.clip(np.searchsorted(beats, hop, "right") - 1, 0, len(beats) - 2))
    step = (beats[n + 1] - beats[n]) / HOPS
    return Beat(60.0 / step, time - (hop - beats[n]) / HOPS - HEARD_LATE, n, 1.0)


def find_sections(heard: list[Heard], bars) -> set[int]:
    """Return the hops at which something else begins: where the bars before and after are alike among themselves, and not to each other."""
    edges = [int(b) for b in bars] + [len(heard)]
    if len(edges) < 2 * SECTION_APART + 2:
        return set()
    rows = np.array([[h.low, h.mid, h.high, *h.fine, *h.notes] for h in heard])
    rows = np.array([rows[a:max(b, a + 1)].mean(0) for a, b in zip(edges, edges[1:])])
    rows = (rows - rows.mean(0)) / (rows.std(0) + 0.05)
    length = np.linalg.norm(rows, axis=1) + 1e-9
    alike = (rows @ rows.T) / np.outer(length, length)
    news = np.zeros(len(rows))
    for n in range(2, len(rows) - 1):
        a, b = max(0, n - ACROSS), min(len(rows), n + ACROSS)
        news[n] = alike[a:n, a:n].mean() + alike[n:b, n:b].mean() - 2 * alike[a:n, n:b].mean()
    least = SECTION_LEAST * float(news.max())
    found: list[int] = []
    for n in np.argsort(-news, kind="stable"):
        if news[n] > max(least, 0.3) and all(abs(n - other) >= SECTION_APART for other in found) and n >= SECTION_APART:
            found.append(int(n))
    return {edges[n] for n in found}
