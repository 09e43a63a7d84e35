"""Notices which modulated parameters hands move, so that their modulators keep off. A player of the loop."""
from live.show.events import Change, Touch


class Touches:
    """show: the Show it plays in."""

    def __init__(self, show):
        self.show = show

    def play(self, tick) -> list:
        """Return nothing: it acts after the hands only."""
        return []

    def after_hands(self, tick, scene, motion, applied) -> list:
        """Return a Touch of those parameters which the hands have moved and a modulator moves as well."""
        if not applied or not self.show.scene.modulators:
            return []
        targets = {modulator.target for modulator in self.show.scene.modulators}
        moved = {item.address: None for item in applied if isinstance(item, Change) and item.address in targets}
        return [Touch(tuple(moved))] if moved else []
