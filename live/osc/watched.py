"""What has changed from one scene to the next. Pure; knows no listeners."""


class Watched:
    """The scene there was, to tell what has changed."""

    def __init__(self):
        self.scene = None

    def find_changes(self, scene) -> tuple[bool, list[str]]:
        """Return (whether there are other parameters than before, the addresses whose values are new)."""
        before, self.scene = self.scene, scene
        if before is scene:
            return False, []
        if before is None:
            return True, []                                      # listeners are told everything when they join
        missing = object()
        old, values = before.values, scene.values
        found = [a for a, value in values.items() if old.get(a, missing) != value]
        found += [a for a in old if a not in values]
        others = before.parameters is not scene.parameters and before.parameters.keys() != scene.parameters.keys()
        if others:
            found += [a for a in scene.parameters if a not in before.parameters and a not in values]
        return others, found
