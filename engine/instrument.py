"""The instrument: (Scene, Motion, source picture) -> Frame. Owns the generator and what may be kept between frames.

Knows no clock, no hands and no windows.
"""
from types import MappingProxyType

import numpy as np
import torch

from engine import factors, latents, motion, quality
from engine.bending import NO_PLACES, Bend, BendFailed, bend_from_dict, new_bend
from engine.bending.live import LiveBends
from engine.dimming import Dimmer
from engine.encoder_live import LiveEncoder, pull_styles, source_amount, source_styles
from engine.errors import UserError
from engine.fast import Synthesis, levels, to_bytes
from engine.fast.allocator import keep_freed
from engine.fast.graph_renderer import GraphRenderer
from engine.fast.precision import choose_precision
from engine.frame import FrameShape
from engine.generator import Generator
from engine.inside import Looking
from engine.latents import Latents
from engine.modulation import modulate
from engine.motion import Motion, darkness
from engine.reader_live import SEEN, LiveReader
from engine.scene import Scene
from engine.view import Frame, View
from engine.weights_live import LiveWeights
from engine.wide import WideGenerator

RING = 4                            # frames alive at once: the newest and three before it


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
        self.weights = LiveWeights(generator, edits, checkpoints)
        self.live_encoder = LiveEncoder(encoder, generator.device) if encoder else None
        keep_freed()
        self.use_precision("auto")
        self._canvases = quality.canvases(self._drawing.architecture, self.size)
        self._drawn_at = None                       # the size that programs of a GPU drew the frame before at
        self._world_parameters: dict = {}
        self._ring = [np.zeros((*self.pixels, 3), np.uint8) for _ in range(RING)]
        self._number, self.source = -1, None        # what the source showed in the newest frame, uint8 [H, W, 3]
        self.drawings = 0                           # pictures drawn, those shown again not counted
        self.live_reader: LiveReader | None = None  # see know_world()
        self._led: tuple = ((), ())                 # what the source leads the factors to
        self._splice: dict = {}                     # what the source puts in the place of feature maps
        self._dimmer, self._turn = Dimmer(self._ring[0].shape), 0
        self._shown: tuple | None = None            # (what the newest picture was made from, (its number, its pixels at full light))
        self._whole: tuple | None = None            # what the whole of a continued picture was made from
        self._stale = False                         # a blackout has come since: no freeze may hold it
        self.ahead = self._behind = 0               # on a GPU, 1: a frame is handed out while the next is drawn; how many are drawn so

    @property
    def device(self) -> torch.device:
        return self.generator.device

    @property
    def pixels(self) -> tuple[int, int]:
        """Return (height, width) of the frames."""
        return (self.shape or self.generator.architecture).pixels(self.size)

    def use_precision(self, asked: str, cost=None):
        """Compute the network in one of engine.architecture.PRECISIONS from now on; see choose_precision() for cost and errors.

        An instrument begins with "auto" without a cost: float32 on processors.
        """
        self.precision = choose_precision(self.generator, asked, self.size, cost)
        self._synthesis = Synthesis(self._drawing, half=self.precision == "bf16")
        self._captured: dict[int, GraphRenderer] = {}    # on a GPU: size -> its programs
        self._synthesis.watch(self._looking.layers)

    def watch(self, names):
        """Keep what look_inside() needs for these pictures, of `inside`, and for no others, from the next picture drawn on."""
        if self._looking.choose(names):
            self._synthesis.watch(self._looking.layers)
            for program in self._captured.values():
                program.watch(self._looking.layers)
            self._shown, self._whole = self._shown and (None, self._shown[1]), None

    def look_inside(self, name: str) -> np.ndarray | None:
        """Return a picture of the inside as uint8 [H, W, 3], as it was in the newest frame; None: it was not watched, or not drawn."""
        program = self._captured.get(self._drawn_at or 0)
        seen = self._synthesis.seen if not self._graphs else program.seen if program else {}
        return self._looking.picture(name, seen, self.pixels, self._view)

    def warm_up(self, scene: Scene, frames: int = 2, cost=None):
        """Draw a few pictures nobody sees: what is made on first use (kernels, caches) is made before the show.

        cost(function) -> seconds: measure which form of each layer is fastest on this machine. Without it the usual ones
        are taken, and a take gives the same bits on every run.
        """
        if cost and not self._graphs:
            self._synthesis.measure(cost)
        for _ in range(frames):
            self.render(scene, Motion().advance(scene, 0.0))
            self._shown = None
        self.bends.forget()
        if self.live_encoder:
            self.live_encoder.warm_up()

    def scene(self, bends: tuple[Bend, ...] = ()) -> Scene:
        """Return the scene to begin with: every parameter this instrument has, at its default."""
        declared = latents.PARAMETERS | motion.PARAMETERS | quality.PARAMETERS
        declared |= latents.label_parameters(self.generator.c_dim) | self.weights.parameters | self._world_parameters
        return Scene(MappingProxyType(dict(sorted(declared.items())))).with_bends(bends)

    def know_world(self, reader=None):
        """Put the world's factors on faders, for a network that was taught the world; with a reader (engine.reader.Reader) the source leads them."""
        self._world_parameters = factors.PARAMETERS | (SEEN if reader else {})
        self.live_reader = LiveReader(reader, self.device) if reader else None

    def prepare_weights(self, edits, checkpoints) -> LiveWeights:
        """Return weights with other edits and checkpoints, made beside the show, for use_weights()."""
        return LiveWeights(self.generator, edits, checkpoints, self.weights)

    def use_weights(self, weights: LiveWeights):
        """Take these weights from now on. The same scene may be another picture now; a frozen one stays up."""
        self.weights = weights
        self._shown, self._whole = self._shown and (None, self._shown[1]), None

    def bend(self, data: dict) -> Bend:
        """Return the bend that plain data describes (see Bend.to_dict), for this instrument; UserError says what is wrong with it."""
        return bend_from_dict(data, self.generator, self.clusters, self.places)

    def new_bend(self, data: dict) -> Bend:
        """Return the bend that a hand adds: it shows at once, and what it does not say is chosen for it; see engine.bending.new_bend."""
        return new_bend(data, self.generator, self.clusters, self.places)

    @torch.no_grad()
    def render(self, scene: Scene, motion, source=None) -> Frame:
        """Return the picture of this moment. The same scene, motion and source (uint8 [H, W, 3], or None) give the same picture, bit for bit."""
        self.source = source
        scene, dark = modulate(scene, motion), darkness(scene, motion)
        self._update_splice(scene, motion, source)
        cause, frozen = self._causes(scene, motion), bool(scene["/output/freeze"])
        if dark >= 1.0 and not frozen:
            self._shown, self._drawn_at = self._shown and (None, self._shown[1]), None      # nobody sees it: not drawn
            self._stale = True
            return self.repeat(scene, motion)
        steady = self._shown is not None and self._shown[0] == cause and not self._behind
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
        pixels = self._ring[self._turn]
        self._behind = self._behind - 1 if self._shown and self._shown[0] == cause else self.ahead * self._graphs
        self._draw(scene, motion, pixels)
        self._turn = (self._turn + 1) % RING
        self.drawings += 1
        self._stale = False
        self._shown = (cause, (self.drawings, pixels))

    def follow(self, scene: Scene, motion, source=None):
        """Take in the source as render() does, without drawing a picture: so that a take can begin in the middle."""
        with torch.no_grad():
            self._update_splice(modulate(scene, motion), motion, source)

    def _update_splice(self, scene, motion, source):
        """Encode the source into the feature maps that stand in for the network's own in this frame; a freeze holds them."""
        if self._shown and scene["/output/freeze"]:
            return
        if self.live_encoder:
            self._splice = self.live_encoder.encode(scene, motion, source)
        if self.live_reader:
            self._led = self.live_reader.lead(scene, motion, source)

    def _causes(self, scene, motion):
        """Return all that the picture depends on, for comparing with that of the last one."""
        moving = motion.frame if scene["/noise/mode"] == "random" or self.bends.moves(scene) else None
        turned = {address: value for address, value in scene.values.items() if not address.startswith(("/source/", "/output/"))}
        seen = (self.live_encoder.version, source_amount(scene, motion), source_styles(scene)) if self.live_encoder and self._splice else None
        around = motion.turned if self.shape and scene["/frame/panorama"] else 0.0
        return turned, scene.bends, motion.place, motion.styles, motion.styles_led, motion.bends, moving, (seen, self._led), around

    def _draw(self, scene, motion, pixels):
        if self._view is None:
            self._draw_whole(scene, motion, torch.from_numpy(pixels))
            return
        *cause, around = self._causes(scene, motion)
        if self._whole != cause or self.ahead:
            self._whole = None                      # until it is there
            self._draw_whole(scene, motion, self._view.whole)
            self._whole = cause
        self._view.show(torch.from_numpy(pixels), around)

    def _draw_whole(self, scene, motion, shown):
        """Draw all that the network draws into `shown`, uint8 [H, W, 3]."""
        self._write_weights(scene)
        size = self.drawing_size(scene)
        drawn = shown if size == self.size else self._canvases[size]
        if self._graphs:
            drawn.copy_(self._graph_frame(scene, motion, size))
        else:
            to_bytes(self._picture(scene, motion, size), drawn)
        if drawn is not shown:
            quality.enlarge(drawn, shown)

    def _write_weights(self, scene):
        """Bring the weights to what the scene says, and forget what was computed with others."""
        written = self.weights.write(scene)
        if written:
            self.bends.forget_borrowed()
        if "mapping" in written:
            self.latents.forget()
        if self._wide and self._wide.follow(scene):
            self.bends.forget_borrowed()

    @property
    def _graphs(self) -> bool:
        return self.device.type == "cuda" and self.generator.architecture.kind == "skip"

    def _graph_frame(self, scene, motion, size):
        """Return the picture as uint8 [H, W', 3], by captured programs. A bend that fails is left out."""
        if size not in self._captured:
            self._captured[size] = GraphRenderer(self._drawing, size, self.precision == "fp16", self.ahead)
            self._captured[size].watch(self._looking.layers)
        program = self._captured[size]
        if size != self._drawn_at:
            program.restart()
        self._drawn_at = size
        while True:
            try:
                return program.frame(bends=self.bends.at(scene, motion), **self._inputs(scene, motion))
            except BendFailed as error:
                self.bends.bypass(scene, error)

    @property
    def sizes(self) -> list[int]:
        """The sizes in pixels that pictures can be drawn at, smallest first; the last is the one shown."""
        return [r for r in self.generator.architecture.resolutions if r <= self.size]

    def drawing_size(self, scene: Scene) -> int:
        """Return the size in pixels that pictures of this scene are drawn at; they are shown at `size`."""
        return quality.drawing_size(scene["/quality/size"], self.size, self.generator.architecture.resolutions)

    def _picture(self, scene, motion, size):
        """Return the picture [1, 3, H, W'] in 0..255 + 0.5.

        A bend that fails, or makes the picture not finite, is left out and the picture drawn again.
        """
        while True:
            bends = self.bends.at(scene, motion)
            try:
                picture = self._synthesized(scene, motion, bends, size)
                if not bends or picture.sum().isfinite():
                    return picture
                watched = self.bends.watch(bends)
                self._synthesized(scene, motion, watched, size)
                failure = self.bends.find_guilty(watched)
            except BendFailed as error:
                failure = error
            if failure is None:
                return picture
            self.bends.bypass(scene, failure)

    def _synthesized(self, scene, motion, bends, size):
        return self._synthesis(size=size, bends=bends, **self._inputs(scene, motion))

    def _inputs(self, scene, motion) -> dict:
        """Return the arguments that a picture is made from, besides its bends and its size."""
        ws = self.latents.ws(scene, motion, self._led)
        if self._splice:
            ws = pull_styles(ws, self.generator.w_avg, source_styles(scene), source_amount(scene, motion))
        splice = self._wide.splice(self._splice, scene["/frame/continue"]) if self._wide else self._splice
        return {"ws": ws, "splice": splice, "noise": scene["/noise/mode"], "noise_strength": scene["/noise/strength"],
                "noise_seed": motion.frame, "levels": levels()}
