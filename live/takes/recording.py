"""What is kept of a show while it plays: takes, video, the scene of the moment. Also plays takes. A player of the loop.

What it decides goes through the loop as changes, scenes and motions, and so into takes. Knows no tensors.
"""
import logging
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

from engine.errors import UserError
from engine.motion import Motion
from engine.scene import Scene
from live import outputs
from live.audio.inputs import OFF
from live.audio.sound_writer import SoundWriter
from live.presets.autosave import EVERY, Autosave
from live.show.parameters import keep_masters
from live.show.threads import end_thread, make_thread
from live.takes.replay import Replay
from live.takes.still import Stills
from live.takes.take import Origin, TakeWriter

log = logging.getLogger(__name__)

ANEW = 1000.0                       # turns of the encoder: it begins anew where they go back, as it will when the take is played
CLOSING = 5.0                       # seconds a video may take to be finished


class Recording:
    """takes: the folder recordings go to. origin: what they are played on.

    newest, shown: (scene, motion) of this frame, and of the picture that is up. writer: the take being recorded; replay: the
    take being played; video: the output being recorded to, or None.
    """

    def __init__(self, show, takes="takes", origin: Origin = Origin()):
        self.show, self.takes, self.origin = show, Path(takes), origin
        self.newest: tuple[Scene, Motion] | None = None
        self.shown: tuple[Scene, Motion] | None = None
        self.writer: TakeWriter | None = None
        self.autosave: Autosave | None = None
        self.replay: Replay | None = None
        self.video: Any = None
        self.stills = Stills(self.takes)
        self._record_to: Path | None = None
        self._sound: SoundWriter | None = None
        self._hearing: list = []                         # outputs that are given what is heard
        self._ending: threading.Thread | None = None

    # -- the loop's side

    def play(self, tick) -> list:
        """Return the first scene of a take that begins, and what a take that plays does in this frame."""
        self._share_sound()
        begun, self.newest = self.newest is not None, (self.show.scene, self.show.motion)
        if begun and (not self.show.scene["/output/freeze"] or self.shown is None):
            self.shown = self.newest
        items = self._start_take(self._record_to, *self.newest) if self._record_to is not None else []
        if self.replay is not None:
            items += [item.put_in_place(self.show.motion) if isinstance(item, Motion) else item for item in self.replay.play(tick, self.show.scene)]
            self.replay = None if self.replay.over else self.replay
        return items

    def after_hands(self, tick, scene, motion, applied) -> list:
        """Return nothing: what hands do is recorded by the loop."""
        return []

    def recover(self):
        """End the take that plays: it had a bug."""
        self.replay = None

    # -- takes

    @property
    def recording(self) -> bool:
        """Whether a take is being recorded; one whose disk is full no longer is."""
        return self._record_to is not None or self.show.record is not None and self.writer is not None and self.writer.failed is None

    def record_to(self, path):
        """Record a take from the next frame on. UserError: there is one of that name."""
        path = Path(path)
        if path.exists():
            raise UserError(f"{path}: there is a take of that name already; choose another")
        self._record_to = path

    def _start_take(self, path, scene, motion) -> list:
        """Begin; returns what to apply so that the take, played again, finds everything as it is now."""
        self._record_to = None
        try:
            self.writer = TakeWriter(path, scene, motion, self.origin, self.shown)
        except UserError as error:
            log.error("%s", error)
            return []
        self.show.record = self.writer.record
        self._keep_sound(path)
        return self.show.mark_own([replace(motion, source=motion.source - ANEW)]) if self.show.source else []

    def _keep_sound(self, path):
        """Keep what is heard beside the take, under its name, in step with its first frame: from when there is something to hear."""
        listening = self.show.listening
        if listening is not None and hasattr(listening.ear, "taps"):
            kept = path.with_name(f"{path.name}.wav")
            if kept.exists():
                log.warning("%s is there already; the take is recorded without its sound", kept)
                return
            self._sound = SoundWriter(kept, listening.now())
            listening.ear.taps.append(self._sound.put)

    def _end_sound(self):
        sound, self._sound = self._sound, None
        if sound is not None:
            self.show.listening.ear.taps.remove(sound.put)
            sound.close()

    def stop_take(self):
        """End the take that is being recorded."""
        self._end_sound()
        self.show.record, self._record_to = None, None
        if self.writer:
            self.writer.stop()

    # -- video and the scene of the moment

    def record_video_to(self, path):
        """Record the picture to a video from the next frame on. UserError: there is one of that name."""
        self.video = outputs.start_output("recorder", target=path)
        self.show.outputs.append(self.video)

    def _share_sound(self):
        """Give what is heard to the outputs that record it, from their first frame on: a video that begins while nothing is to be heard has none."""
        ear: Any = getattr(self.show.listening, "ear", None)
        wanted = [output for output in self.show.outputs if hasattr(output, "hear")]
        if wanted == self._hearing or not hasattr(ear, "taps"):
            return
        for output in wanted:
            if output not in self._hearing and ear.wanted != OFF:
                output.expect_sound()
                ear.taps.append(output.hear)
        for output in self._hearing:
            if output not in wanted and output.hear in ear.taps:
                ear.taps.remove(output.hear)
        self._hearing = wanted

    def list_paths(self) -> dict:
        """Return {"take": path, "video": path} of what is being recorded now, None for what is not."""
        take = self._record_to or (self.writer.path if self.recording and self.writer else None)
        video = self.video.path if self.video is not None and not self.video.broken else None
        return {"take": take and str(take), "video": video and str(video)}

    def stop_video(self):
        """End the video that is being recorded; its file is finished in the background."""
        running, self.video = self.video, None
        if running is not None:
            self.show.outputs = [output for output in self.show.outputs if output is not running]
            self._ending = make_thread("video end", running.close, awaited=True)
            self._ending.start()

    def start_autosave(self, path, port=0, every=EVERY):
        """Keep the scene that plays on the disk from now on. port: the show's OSC port, by which it finds it again. every: seconds."""
        locks = lambda: list(self.show.recall.locks) if self.show.recall else []
        self.autosave = Autosave(path, self._find_saved, self.origin.generator, lambda: {"port": port, "locks": locks()}, every)

    def _find_saved(self):
        """Return (scene, motion) of the picture that is shown; under a freeze, those of the held picture."""
        if self.newest is None or self.shown is None or not self.newest[0]["/output/freeze"]:
            return self.newest
        return keep_masters(self.shown[0], self.newest[0]), self.shown[1]

    def keep_still(self, name: str = ""):
        """Have the picture that is up written as a PNG with its scene in it. UserError: there is none yet, or too many wait."""
        if self.show.picture is None or self.newest is None:
            raise UserError("/still: nothing is on show yet")
        scene, motion = self.shown if self.newest[0]["/output/freeze"] and self.shown else self.newest
        motion = motion.put_in_place(self.newest[1])
        seen = getattr(self.show.instrument, "source", None) if scene["/source/mix"] > 0 else None
        self.stills.keep(self.show.picture, scene, motion, self.origin, name, seen)

    # -- the end

    def close(self):
        """End of the show: everything reaches the disk."""
        self.newest = (self.show.scene, self.show.motion) if self.newest else None
        self.stop_take()
        self.stop_video()
        if self._ending is not None:
            end_thread(self._ending, CLOSING)
        for part in (self.writer, self.autosave, self.stills):
            if part is not None:
                part.close()
