"""Where a window belongs, and the picture in it. Numbers only: knows no window system."""


class Placement:
    """Where the window belongs. A display that goes away takes fullscreen with it, never to another one by surprise;
    when it comes back, so does the picture.
    """

    def __init__(self, display=0, fullscreen=False):
        self.display, self.fullscreen, self.count = display, fullscreen, 1

    @property
    def where(self) -> tuple:
        """(display, fullscreen) to be at now."""
        return (self.display, self.fullscreen) if self.display < self.count else (0, False)

    def set_displays(self, count):
        """Note how many displays there are now."""
        self.count = max(count, 1)

    def toggle(self):
        """Go into fullscreen or out of it, on the display where the window is."""
        self.display, shown = self.where
        self.fullscreen = not shown

    def move_on(self):
        """Go to the next display."""
        self.display, self.fullscreen = (self.where[0] + 1) % self.count, self.where[1]


def fit(picture, space) -> tuple:
    """Return (x, y, width, height) of a picture as large as the space allows, in its middle, with its aspect kept."""
    scale = min(space[0] / picture[0], space[1] / picture[1])
    width, height = max(1, round(picture[0] * scale)), max(1, round(picture[1] * scale))
    return (space[0] - width) // 2, (space[1] - height) // 2, width, height
