"""Fingers that lie on controls of the page: modulators and morphs keep off, and a touch is one step to undo. A player of the loop."""
from live.show.events import Touch

FORGOTTEN = 30.0                    # seconds without a sign after which a finger counts as lifted
MOST = 64                           # addresses a client may hold


class Grabs:
    """show: the Show it plays in. Held addresses are set by the surface's thread, whole; the loop only reads them."""

    def __init__(self, show, now):
        self.show, self.now = show, now
        self._held: dict = {}                            # (client, address) -> when last seen
        self._before: frozenset = frozenset()

    def grab(self, client, addresses):
        """Note that a client's fingers lie on these addresses. Safe from any thread."""
        moment, held = self.now(), dict(self._held)
        held |= {(client, address): moment for address in addresses}
        mine = [key for key in held if key[0] == client]
        for key in mine[:-MOST]:
            del held[key]
        self._held = held

    def release(self, client, addresses=None):
        """Note that fingers were lifted from these addresses, or from all of a client's. Safe from any thread."""
        self._held = {key: at for key, at in self._held.items() if key[0] != client or addresses is not None and key[1] not in addresses}

    def keep_alive(self, client):
        """Note that a client is still there, and goes on holding what it holds."""
        moment = self.now()
        self._held = {key: moment if key[0] == client else at for key, at in self._held.items()}

    def list_holders(self) -> dict[str, list]:
        """Return {address: the clients whose fingers lie on it}."""
        moment = self.now()
        found: dict[str, list] = {}
        for (client, address), at in sorted(self._held.items()):
            if moment - at < FORGOTTEN:
                found.setdefault(address, []).append(client)
        return found

    @property
    def held(self) -> frozenset:
        """Addresses that fingers lie on now."""
        moment = self.now()
        return frozenset(address for (_, address), at in self._held.items() if moment - at < FORGOTTEN)

    def play(self, tick) -> list:
        """Return touches of the modulated addresses that are held. Morphs stop moving what is held."""
        held = self.held if self._held else frozenset()
        recall = self.show.recall
        if held != self._before:
            self._before = held
            if recall is not None:
                recall.undo.hold(held)
        if not held:
            return []
        if recall is not None and recall.morph:
            for address in held:
                recall.morph.release(address)
        targets = {modulator.target for modulator in self.show.scene.modulators}
        touched = tuple(sorted(held & targets))
        return [Touch(touched)] if touched else []

    def after_hands(self, tick, scene, motion, applied) -> list:
        """Return nothing: what hands did is applied."""
        return []
