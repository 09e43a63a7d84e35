"""The looper: what hands did to parameters, round and round on the beat. A player of the loop."""
from live.show.events import Change
from live.takes.gesture import Gesture


class Looper:
    """show: the Show it plays in. gesture: the loop; see live/takes/gesture.py."""

    def __init__(self, show):
        self.show, self.gesture = show, Gesture()

    def play(self, tick) -> list:
        """Return what the loop does in this frame; a freeze holds it."""
        quantiser = self.show.quantiser
        if quantiser.moved:
            self.gesture.shift(quantiser.moved)
        return [] if self.show.scene["/output/freeze"] else self.gesture.play(quantiser.beat)

    def after_hands(self, tick, scene, motion, applied) -> list:
        """Record what hands did; returns nothing to apply."""
        by_hand = [item for item in applied if isinstance(item, Change) and not self.show.is_own(item)]
        if by_hand:
            self.gesture.record_changes(self.show.quantiser.beat, by_hand)
        return []

    def recover(self):
        """End the loop: it had a bug."""
        self.gesture.stop()
