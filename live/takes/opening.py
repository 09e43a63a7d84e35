"""A take and what it is rendered with, opened from what flags say: by the one who renders, and again by each of those who help."""
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from live.instrument import open as opening
from live.show.clock import measure_cost
from live.sources import flags as seeing
from live.takes.job import Job
from live.takes.listened import listen
from live.takes.take import TakeReader, read_header, read_origin


@dataclass(frozen=True)
class RenderOptions:
    """What the flags of `render` say; see live/cli/render.py."""
    take: str
    output: str
    instrument: str
    size: int | None = None
    frame: str | None = None
    fps: float | None = None
    lossless: bool = False
    audio: str | None = None
    audio_offset: float = 0.0
    listen: str | None = None
    source: str | None = None
    encoder: str | None = None
    threads: int | None = None
    precision: str = "fp32"
    device: str | None = None


def open_job(options: RenderOptions) -> Job:
    """Return what is to be rendered, its instrument loaded. UserError: what is wrong with which file or flag."""
    frame = options.frame if options.frame is not None else read_origin(read_header(options.take)).frame
    opened = opening.open_instrument(options.instrument, options.size, options.device, options.threads, options.encoder, nearest=True, frame=frame)
    opened.instrument.use_precision(options.precision, measure_cost)
    take: Any = TakeReader(options.take, opened.instrument.scene(), opened.generator, opened.instrument.bend)
    take.source = seeing.reopen(take, opened.instrument, options.source)
    if options.listen:
        take = listen(take, options.audio, options.listen, options.audio_offset)
    return Job(take, opened.instrument, Path(options.output), options.size or opened.instrument.size, options.fps, options.lossless)
