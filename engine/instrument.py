"""The instrument: (Scene, Motion, source picture) -> Frame. Owns the generator and what may be kept between frames.

Knows no clock, no hands and no windows.
"""
from types import MappingProxyType

import numpy as np
import torch

from engine import echo, factors, latents, motion, quality
from engine.bending import NO_PLACES, Bend, bend_from_dict, new_bend
from engine.bending.live import LiveBends
from engine.dimming import Dimmer
from engine.directions_live import LiveDirections
from engine.drawing import Drawing
from engine.encoder_live import LiveEncoder, LiveLook
from engine.errors import UserError
from engine.fast import levels
from engine.fast.allocator import keep_freed
from engine.fast.precision import choose_precision
from engine.frame import FrameShape
from engine.generator import Generator
from engine.inside import Looking
from engine.latents import Latents
from engine.modulation import modulate
from engine.motion import Motion, darkness
from engine.offsets_live import LiveOffsets
from engine.reader_live import SEEN, LiveReader
from engine.scene import Scene
from engine.sight import Sight
from engine.view import Frame, View
from engine.weights_live import LiveWeights
from engine.wide import WideGenerator
from engine.world import MASKS

RING = 4                            # frames alive at once: the newest and three before it
LONGEST_CAPTURE = 60.0              # seconds that a show's beginning waits for one


class Instrument:
    """One generator, ready to play. edits, checkpoints: what its weights can be turned to, see LiveWeights.

    encoder: engine.encoder.Encoder, by which the source is seen; None = the source has no part in the picture.
    frame: width / height that the picture is continued to; None = the network's own. places: engine.bending.Places, where bends may act.
    """

    def __init__(self, generator: Generator, size: int | None = None, clusters=None, edits=(), checkpoints=None, encoder=None, frame=None, places=None):
        self.generator = generator.eval().requires_grad_(False)
        self.size = size or generator.resolution
        if self.size not in generator.architecture.resolutions:
            sizes = generator.architecture.resolutions
            raise UserError(f"size {size}: this network renders at {', '.join(map(str, sizes))}; nearest: {min(sizes, key=lambda n: abs(n - self.size))}")
        self.latents, self.clusters, self.places = Latents(generator), clusters, places or NO_PLACES
        shape = FrameShape(generator.architecture, frame) if frame else None
        self.shape = shape if shape and shape.cells != generator.architecture.const_size else None
        self._wide = WideGenerator(self.generator, self.shape) if self.shape else None
        self._view = View(self.shape, self.size) if self.shape else None
        self._drawing = self._wide.generator if self._wide else self.generator        # what draws, with the weights of `generator`
        self._looking = Looking(self.generator, clusters)
        self.inside = self._looking.pictures        # pictures of the inside that can be looked at, {name: Inside}
        self.bends = LiveBends(self._drawing, self.latents, self.shape.share if self.shape else (1.0, 1.0), self.places)
        self.weights, self.offsets = LiveWeights(generator, edits, checkpoints), LiveOffsets(generator)
        self.sight = Sight(LiveEncoder(encoder, generator.device) if encoder else None)
        if generator.device.type == "cpu":          # elsewhere decoders and threads of other libraries are all that it would hold up
            keep_freed()
        self.drawing = Drawing(self._drawing, self.bends, self._inputs)
        self.use_precision("auto")
        self._world_parameters: dict = {}
        self._ring = [np.zeros((*self.pixels, 3), np.uint8) for _ in range(RING)]
        self._number, self.source, self.drawings = -1, None, 0      # source: the picture of it in the newest frame; drawings: pictures drawn, none twice
        self._dimmer, self._echo, self._turn = Dimmer(self._ring[0].shape), echo.Echo(), 0
        self._shown: tuple | None = None            # (what the newest picture was made from, (its number, its pixels at full light))
        self._whole: tuple | None = None            # what the whole of a continued picture was made from
        self._stale = False                         # a blackout has come since: no freeze may hold it
        self._behind = 0                            # pictures still to be drawn for the last one to be handed out, see `ahead`

    live_encoder = property(lambda self: self.sight.encoder, lambda self, encoder: setattr(self.sight, "encoder", encoder))
    live_reader = property(lambda self: self.sight.reader, lambda self, reader: setattr(self.sight, "reader", reader))

    @property
    def ahead(self) -> int:
        """Return 1 where, on a GPU, a frame is handed out while the next is drawn, else 0; may be set before the first."""
        return self.drawing.ahead

    @ahead.setter
    def ahead(self, frames: int):
        self.drawing.ahead = frames

    @property
    def device(self) -> torch.device:
        return self.generator.device

    @property
    def pixels(self) -> tuple[int, int]:
        """Return (height, width) of the frames."""
        return (self.shape or self.generator.architecture).pixels(self.size)

    def use_precision(self, asked: str, cost=None, folder=None):
        """Compute the network in one of engine.architecture.PRECISIONS from now on; see choose_precision() for the rest.

        An instrument begins with "auto" without a cost: float32 on processors. With one, and unless it is float32 that is
        asked for, fades between checkpoints are spread over frames (LiveWeights.patient).
        """
        self._patient = self.weights.patient = cost is not None and asked != "fp32"
        self.weights.measure(cost)
        self.precision = choose_precision(self.generator, asked, self.size, cost, folder)
        self.drawing.use(self.precision)

    def watch(self, names, who: str = "outputs"):
        """Keep what look_inside() needs for these pictures, of `inside`, from the next picture drawn on, and for no others of the same looker."""
        if self._looking.choose(names, who):
            self.drawing.watch(self._looking.layers)
            self._shown, self._whole = self._shown and (None, self._shown[1]), None

    def look_inside(self, name: str) -> np.ndarray | None:
        """Return a picture of the inside as uint8 [H, W, 3], as it was in the newest frame; None: it was not watched, or not drawn."""
        return self._looking.picture(name, self.drawing.seen, self.pixels, self._view)

    def warm_up(self, scene: Scene, frames: int | None = None, cost=None, sizes=(), more=()):
        """Draw one picture nobody sees, two on a GPU, in the thread that will play: what is made on first use (kernels, caches) is made before the show.

        cost(function) -> seconds: measure which form of each layer is fastest here; without it the usual ones are taken, and a take gives the same bits
        on every run. On a GPU programs are captured: at other sizes, of the encoder's part, of more scenes. Libraries then stop trying out algorithms.
        """
        if cost and not self.drawing.graphs:
            self.drawing.synthesis.measure(cost)
        frames = frames or (2 if self.drawing.graphs else 1)
        for size in [*sorted(set(sizes) - {self.size}), self.size] if self.drawing.graphs else [self.size]:
            self._rehearse(scene.set_values({"/quality/size": size}) if self.drawing.graphs else scene, frames)
        for other in more if self.drawing.graphs else ():
            self._rehearse(other, frames)
        self.sight.warm_up()
        if self.live_encoder and self.drawing.graphs:
            self._rehearse(scene.set_values({"/source/mix": 0.5, "/source/into": "features"}), frames, np.zeros((64, 64, 3), np.uint8))
            self.live_encoder.forget()
        self.sight.splice = {}
        self.bends.forget()
        self.drawing.machine.settle()

    def _rehearse(self, scene, frames, source=None):
        """Draw a scene so often, and again while there was something to be captured aside."""
        self.bends.forget_borrowed()                # what makes it is captured as well
        drawn = 0
        while drawn < frames or self.drawing.wait(LONGEST_CAPTURE):
            self.render(scene, Motion().advance(scene, 0.0), source)
            self._shown, drawn = None, drawn + 1

    def scene(self, bends: tuple[Bend, ...] = ()) -> Scene:
        """Return the scene to begin with: every parameter this instrument has, at its default."""
        declared = latents.PARAMETERS | motion.PARAMETERS | quality.PARAMETERS | echo.PARAMETERS | self.offsets.parameters | self.weights.parameters
        declared |= latents.label_parameters(self.generator.c_dim) | self._world_parameters | getattr(self.latents.directions, "parameters", {})
        return Scene(MappingProxyType(dict(sorted(declared.items())))).with_bends(bends)

    def know_world(self, reader=None, world=MASKS):
        """Put a world's factors on faders, for a network that was taught it; with a reader (engine.reader.Reader) the source leads them."""
        self.latents.factors = factors.Factors(world.names)
        self._world_parameters = self.latents.factors.parameters | (SEEN if reader else {})
        self.live_reader = LiveReader(reader, self.device) if reader else None

    def know_look(self, look):
        """Let the source lead the walk by a look (engine.look.Look), where /source/into is w."""
        self.sight.look = LiveLook(look.to(self.device), self.device)

    def prepare_directions(self, found) -> LiveDirections:
        """Return directions (engine.directions.Directions) as faders, made beside the show, for use_directions()."""
        made = LiveDirections(self.generator, found)
        self.drawing.machine.finish()
        return made

    def use_directions(self, directions: LiveDirections):
        """Have these faders from now on; the others are gone."""
        self.latents.directions = directions
        self._shown, self._whole = self._shown and (None, self._shown[1]), None

    def prepare_weights(self, edits, checkpoints) -> LiveWeights:
        """Return weights with other edits and checkpoints, made beside the show, for use_weights()."""
        weights = LiveWeights(self.generator, edits, checkpoints, self.weights)
        self.drawing.machine.finish()                      # another thread will use them, on a stream of its own
        return weights

    def use_weights(self, weights: LiveWeights):
        """Take these weights from now on. The same scene may be another picture now; a frozen one stays up."""
        self.weights = weights
        self.weights.patient = self._patient
        self._shown, self._whole = self._shown and (None, self._shown[1]), None

    def bend(self, data: dict) -> Bend:
        """Return the bend that plain data describes (see Bend.to_dict), for this instrument; UserError says what is wrong with it."""
        return bend_from_dict(data, self.generator, self.clusters, self.places)

    def new_bend(self, data: dict) -> Bend:
        """Return the bend that a hand adds: it shows at once, and what it does not say is chosen for it; see engine.bending.new_bend."""
        return new_bend(data, self.generator, self.clusters, self.places)

    @torch.no_grad()
    def render(self, scene: Scene, motion, source=None) -> Frame:
        """Return the picture of this moment. The same scene, motion and source (uint8 [H, W, 3], or None) give the same picture, on a processor bit for bit."""
        with self.drawing.machine.playing():
            return self._render(scene, motion, source)

    def _render(self, scene, motion, source):
        self.source = source
        scene, dark = modulate(scene, motion), darkness(scene, motion)
        self._update_splice(scene, motion, source)
        cause, frozen = self._causes(scene, motion), bool(scene["/output/freeze"])
        if dark >= 1.0 and not frozen:
            self._shown, self.drawing.size = self._shown and (None, self._shown[1]), None     # nobody sees it: not drawn
            self._stale = True
            return self.repeat(scene, motion)
        steady = self._shown is not None and self._shown[0] == cause and not self._behind and not self.weights.behind
        if self._shown is None or self._stale or not frozen and not steady:
            self._draw_next(scene, motion, cause)
        return self.repeat(scene, motion)

    def repeat(self, scene: Scene, motion) -> Frame:
        """Return the newest picture again, as dark as it is to be now; black where there is none. Draws nothing, so it can't fail."""
        number, pixels = self._shown[1] if self._shown else (None, self._ring[0])
        self._number += 1
        return Frame(self._dimmer.dim(pixels, darkness(scene, motion), number), self._number)

    def _draw_next(self, scene, motion, cause):
        """Draw the picture of this moment into the ring, at its full light."""
        self._behind = max(0, self._behind - 1) if self._shown and self._shown[0] == cause else self.ahead * self.drawing.graphs
        pixels = self._draw(scene, motion, self._ring[self._turn])
        self._echo.play(scene, motion.time, torch.from_numpy(pixels))
        self._turn = (self._turn + 1) % RING
        self.drawings, self._stale = self.drawings + 1, False
        self._shown = (cause, (self.drawings, pixels))

    def follow(self, scene: Scene, motion, source=None):
        """Take in the source as render() does, without drawing a picture: so that a take can begin in the middle."""
        with torch.no_grad():
            self._update_splice(played := modulate(scene, motion), motion, source)
        if played["/echo/amount"] <= 0 and not scene["/output/freeze"] and darkness(scene, motion) < 1.0:
            self._echo.forget()

    def forget_shown(self):
        """Forget every picture that was shown: what comes next is of another moment."""
        self._shown = None
        self._echo.forget()

    def _update_splice(self, scene, motion, source):
        """Encode the source into the feature maps that stand in for the network's own in this frame; a freeze holds them."""
        if not (self._shown and scene["/output/freeze"]):
            self.sight.update(scene, motion, source)

    def _causes(self, scene, motion):
        """Return all that the picture depends on, for comparing with that of the last one."""
        adrift = self.bends.is_moving(scene) or max(scene["/echo/amount"], scene["/const/radius"]) > 0
        moving = motion.frame if adrift or scene["/noise/mode"] == "random" else None
        turned = {address: value for address, value in scene.values.items() if not address.startswith(("/source/", "/output/"))}
        around = motion.turned if self.shape and scene["/frame/panorama"] else 0.0
        return turned, scene.bends, motion.place, motion.styles, motion.styles_led, motion.bends, moving, self.sight.list_causes(scene, motion), around

    def _draw(self, scene, motion, pixels) -> np.ndarray:
        """Return the picture of this moment: `pixels`, filled, or where a GPU's program has put it."""
        if self._view is None:
            drawn = self._draw_whole(scene, motion, torch.from_numpy(pixels)).numpy()
            if not self.drawing.graphs or scene["/echo/amount"] <= 0:
                return drawn
            np.copyto(pixels, drawn)                # the echo writes into it, and a GPU hands out its first frame twice
            return pixels
        *cause, around = self._causes(scene, motion)
        if self._whole != cause or self.ahead or self.weights.behind:
            self._whole = None                      # until it is there
            self._view.whole = self._draw_whole(scene, motion, self._view.whole)
            self._whole = cause
        self._view.show(torch.from_numpy(pixels), around)
        return pixels

    def _draw_whole(self, scene, motion, shown):
        """Return all that the network draws, uint8 [H, W, 3]; see Drawing.draw()."""
        self._write_weights(scene, motion)
        return self.drawing.draw(scene, motion, self.drawing_size(scene), shown)

    def _write_weights(self, scene, motion):
        """Bring the weights to what the scene says, and forget what was computed with others."""
        written = self.weights.write(scene, self.latents.find_noise(motion), self.offsets.find_added(scene, motion))
        if written:
            self.bends.forget_borrowed()
        if "mapping" in written:
            self.latents.forget()
        if self._wide and self._wide.follow(scene):
            self.bends.forget_borrowed()

    @property
    def sizes(self) -> list[int]:
        """The sizes in pixels that pictures can be drawn at, smallest first; the last is the one shown."""
        return [r for r in self.generator.architecture.resolutions if r <= self.size]

    def drawing_size(self, scene: Scene) -> int:
        """Return the size in pixels that pictures of this scene are drawn at; they are shown at `size`."""
        return quality.drawing_size(scene["/quality/size"], self.size, self.generator.architecture.resolutions)

    def _inputs(self, scene, motion) -> dict:
        """Return the arguments that a picture is made from, besides its bends and its size."""
        ws = self.sight.pull(self.latents.ws(scene, motion, self.sight.led, self.sight.w), self.generator.w_avg, scene, motion)
        splice = self._wide.splice(self.sight.spliced, scene["/frame/continue"]) if self._wide else self.sight.spliced
        return {"ws": ws, "splice": splice, "noise": scene["/noise/mode"], "noise_strength": scene["/noise/strength"],
                "noise_seed": motion.frame, "levels": levels()}
