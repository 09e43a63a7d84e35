"""One network drawn at a size: on a processor by the fast path, on a GPU by captured programs. A bend that fails is left out.

Knows generators, live bends and what a frame is made from; nothing of what may be kept between frames.
"""
from functools import cached_property

import torch

from engine import quality
from engine.bending import BendFailed
from engine.fast import Synthesis
from engine.fast.graph_renderer import GraphRenderer
from engine.fast.plumbing import make_machine


class Drawing:
    """bends: engine.bending.live.LiveBends. inputs(scene, motion) -> the arguments that a picture is made from, besides its bends and its size."""

    def __init__(self, generator, bends, inputs):
        self.generator, self.bends, self.inputs = generator, bends, inputs
        self.ahead = 0                              # on a GPU, 1: a frame is handed out while the next is drawn
        self.size = None                            # that programs of a GPU drew the frame before at
        self.layers: tuple = ()                     # whose activations are kept
        bends.activate = self.activate
        self._canvases: dict = {}                   # size -> a picture to be enlarged, on a processor
        self.use("fp32")

    @cached_property
    def machine(self):
        """Return what all programs of a GPU are captured on; elsewhere a stand-in that captures nothing."""
        return make_machine(self.generator.device)

    @property
    def graphs(self) -> bool:
        """Return whether pictures are drawn by captured programs."""
        return self.generator.device.type == "cuda" and self.generator.architecture.kind == "skip"

    def use(self, precision):
        """Compute in "fp32", "bf16" or "fp16" from now on."""
        self.precision = precision
        self.synthesis = Synthesis(self.generator, half=precision == "bf16")
        self._aside: Synthesis | None = None        # for activations that a bend wants of another seed, on a processor
        self.captured: dict[int, GraphRenderer] = {}         # on a GPU: size -> its programs
        self.synthesis.watch(self.layers)

    def watch(self, layers):
        """Keep the activations of these layers, and of no others, from the next picture on."""
        self.layers = tuple(layers)
        self.synthesis.watch(self.layers)
        for program in self.captured.values():
            program.watch(self.layers)

    @property
    def seen(self) -> dict:
        """Return {layer: its activations in the last picture} of those that are watched."""
        program = self.captured.get(self.size or 0)
        return self.synthesis.seen if not self.graphs else program.seen if program else {}

    def draw(self, scene, motion, size, out):
        """Return the picture of this moment, uint8 of the shape of out, [H, W', 3]; one drawn at a smaller size is enlarged.

        It is out, filled; on a GPU a buffer that the picture was copied to, valid until three frames later.
        """
        if self.graphs:
            return self._graph_frame(scene, motion, size, tuple(out.shape[:2]))
        pixels = self.generator.architecture.pixels(size)
        drawn = out if tuple(out.shape[:2]) == pixels else self._canvases.setdefault(size, torch.zeros(*pixels, 3, dtype=torch.uint8))
        self._fill(drawn, scene, motion, size)
        if drawn is not out:
            quality.enlarge(drawn, out)
        return out

    def activate(self, ws, layer):
        """Return a layer's activations [1, C, H, W] for ws [1, num_ws, W], before bends, as fast as pictures are drawn."""
        program, a = self.captured.get(self.size or 0), self.generator.architecture
        if self.graphs and program is not None and layer in program.names:
            return program.activations(ws, layer)
        if self.graphs or a.kind != "skip":
            return self.generator.activations(ws, [layer])[layer]
        if self._aside is None:
            self._aside = Synthesis(self.generator, half=self.precision == "bf16")
        self._aside.watch((layer,))
        self._aside(ws, size=a.resolution_of(layer))
        return self._aside.seen[layer].float()

    def wait(self, seconds) -> bool:
        """Wait for the captures under way; return whether there were any, or some that wait for those, and all came in time."""
        waiting = [program.programs for program in self.captured.values() if program.programs.pending or program.programs.put_off]
        return bool(waiting) and all(programs.wait(seconds) for programs in waiting)

    def _graph_frame(self, scene, motion, size, shown):
        """Return the picture as uint8 [*shown, 3], by captured programs. A bend that fails is left out."""
        if size not in self.captured:
            self.captured[size] = GraphRenderer(self.generator, size, self.precision == "fp16", self.ahead, self.machine, shown=shown)
            self.captured[size].watch(self.layers)
        program = self.captured[size]
        if size != self.size:
            program.restart()
        self.size = size
        while True:
            bends = self.bends.list_bends(scene, motion)
            try:
                picture = program.frame(bends=bends, **self.inputs(scene, motion))
                failure = self._find_guilty(scene, motion, bends, size) if program.broken and bends else None
            except BendFailed as error:
                failure = error
            if failure is None:
                return picture
            self.bends.bypass(scene, failure)

    def _fill(self, out, scene, motion, size):
        """Fill out, uint8 [H, W', 3], with the picture.

        A bend that fails, or makes the picture not finite, is left out and the picture drawn again.
        """
        while True:
            bends = self.bends.list_bends(scene, motion)
            try:
                finite = self.synthesis.draw(out, size=size, bends=bends, **self.inputs(scene, motion))
                failure = self._find_guilty(scene, motion, bends, size) if bends and not finite else None
            except BendFailed as error:
                failure = error
            if failure is None:
                return
            self.bends.bypass(scene, failure)

    def _find_guilty(self, scene, motion, bends, size) -> BendFailed | None:
        """Return the failure of the bend that makes the picture not finite, by drawing it once more; None if none stands out."""
        watched = self.bends.watch(bends)
        try:
            self._synthesize(scene, motion, watched, size)
        except BendFailed as error:
            return error
        return self.bends.find_guilty(watched)

    def _synthesize(self, scene, motion, bends, size):
        return self.synthesis(size=size, bends=bends, **self.inputs(scene, motion))
