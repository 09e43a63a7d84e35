"""What a source plays in the picture: feature maps, the world's factors, w; each by the part of the instrument that sees it.

Knows scenes, motions and pictures as arrays; no cameras and no clock.
"""
from engine.encoder_live import LiveEncoder, LiveLook, pull_styles, source_amount, source_styles
from engine.reader_live import LiveReader


class Sight:
    """encoder, reader, look: what sees, None = there is none. splice: what stands in for feature maps now; grafted: what another network has there.

    led: (u, share) of factors. w: see LiveLook.lead().
    """

    def __init__(self, encoder: LiveEncoder | None = None):
        self.encoder = encoder
        self.reader: LiveReader | None = None
        self.look: LiveLook | None = None
        self.splice: dict = {}
        self.grafted: dict = {}
        self._graft_cause: object = None
        self.led: tuple = ((), ())
        self.w: tuple | None = None

    def warm_up(self):
        """Run once what sees, for nobody."""
        for part in (self.encoder, self.look):
            if part is not None:
                part.warm_up()

    def update(self, scene, motion, picture):
        """Take in this frame's picture of the source, uint8 [H, W, 3], or None. One call a frame."""
        if self.encoder is not None:
            self.splice = self.encoder.encode(scene, motion, picture)
        if self.reader is not None:
            self.led = self.reader.lead(scene, motion, picture)
        if self.look is not None:
            self.w = self.look.lead(scene, motion, picture)

    @property
    def spliced(self) -> dict:
        """Return {layer: engine.fast.Blend} of all that stands in for feature maps; at one layer the source comes before another network."""
        return self.grafted | self.splice

    def graft(self, maps: dict, cause=None):
        """Let maps of another network, {layer: Blend}, stand in from the next picture on. cause: another each time that maps are others."""
        self.grafted, self._graft_cause = maps, cause

    def list_causes(self, scene, motion) -> tuple:
        """Return all of it that the picture depends on, for comparing with that of the last one."""
        seen = (self.encoder.version, source_amount(scene, motion), source_styles(scene)) if self.encoder and self.splice else None
        return seen, self._graft_cause, self.led, (self.look.version, self.w[1]) if self.look and self.w else None

    def pull(self, ws, w_avg, scene, motion):
        """Return ws [1, n, W] with each group of layers as near to the average as the source's styles ask for."""
        return pull_styles(ws, w_avg, source_styles(scene), source_amount(scene, motion)) if self.splice else ws
