"""The window: the newest frame on a display, and the keys pressed there. Nothing but the picture is ever drawn.

Window systems want the main thread, so this output has no thread of its own: the main thread calls run(). Frames and
wishes (fullscreen, another display) come from any thread. Works with pygame 2.6 and pygame-ce.
"""
import logging
import os
import queue
import sys
from typing import Any, cast

from engine.errors import UserError
from live.outputs import output
from live.outputs.canvas import Canvas
from live.outputs.framing import Framing
from live.outputs.keyboard import Keyboard
from live.outputs.mailbox import Mailbox
from live.outputs.panes import SurfacePane, TexturePane, can_place
from live.outputs.placement import Placement
from live.outputs.shader_pane import ShaderPane
from live.show.clock import now
from live.show.commands import command
from live.show.events import ControlEvent

log = logging.getLogger(__name__)
LIBRARIES = ("pygame",)
WAIT = 0.005                        # seconds for a frame before keys are looked at again
LOOK = 1.0                          # seconds between looks at which displays there are
INVISIBLE = ("dummy", "offscreen", "evdev")            # SDL's video drivers that show nobody anything
HINTS = {
    "PYGAME_HIDE_SUPPORT_PROMPT": "1",
    "SDL_VIDEO_MINIMIZE_ON_FOCUS_LOSS": "0",           # a click on the laptop must not take the picture off the projector
    "SDL_VIDEO_ALLOW_SCREENSAVER": "0",
    "SDL_NO_SIGNAL_HANDLERS": "1",                     # a request to end the program is Python's to answer
    "SDL_VIDEO_CENTERED": "1",
    "SDL_RENDER_SCALE_QUALITY": "linear",
}


@output
class Window:
    """put() from any thread; everything else from the main thread.

    display: which one, from 0. fullscreen: fill it, without a border. size: of the window otherwise.
    texture: scale on the graphics card; None = if there is one and SDL_FRAMEBUFFER_ACCELERATION is not 0.
    mask: a PNG that darkens the display's edges. framing: fill, pin, colour, ...; may be set from any thread.

    It is seen from the first picture on. Where another process has the same window, one of the two stands in for the other:
    stand_in(), come_front() and cover() say which, and resting whether it is behind, so that few pictures will do.
    """
    name, apart, stood_in = "window", True, True

    def __init__(self, title="Latent Jockey", display=0, fullscreen=False, size=(1024, 1024), texture=None, mask="", bound=lambda control: False):
        self.title, self.size, self.sent = title, size, 0
        self.framing, self._canvas = Framing(), Canvas(title, mask, fitted=True)
        self._mailbox, self.keyboard, self._wishes = Mailbox(), Keyboard(bound=bound), queue.SimpleQueue[Any]()
        self.put, self._pane, self._looked = self._mailbox.put, cast(Any, None), 0.0       # a pane, or None
        textured = _has_graphics_card() if texture is None else texture
        self._kinds: list = [ShaderPane, TexturePane, SurfacePane] if textured else [SurfacePane]         # of panes that may work, best first
        self.place = Placement(display, fullscreen)
        self._opened_at = self.place.where
        self._last = cast(Any, None)                   # the frame that is up
        self._standing_in = self._covered = self._focused = False
        self._left: tuple | None = None                # (its place, size, position) where the hands had put the window
        _start()
        self.place.set_displays(_count_displays())
        if self.place.where[0] != display:
            log.warning("there is no display %d; the window is on display 0 until it appears", display)
        self._open()

    @property
    def dropped(self):
        """Frames that a newer one overtook."""
        return self._mailbox.dropped

    def toggle_fullscreen(self):
        """Go into fullscreen or out of it. Safe from any thread."""
        self._wishes.put(self.place.toggle)

    def next_display(self):
        """Go to the next display. Safe from any thread."""
        self._wishes.put(self.place.move_on)

    @property
    def report(self) -> dict:
        """{"place": (display, fullscreen, size, position) that it has or wants, "focused": whether keys come to it}."""
        self._note_place()
        size, position = self._left[1:] if self._left else (self.size, None)
        return {"place": (self.place.display, self.place.fullscreen, tuple(size), position and tuple(position)), "focused": self._focused}

    def stand_in(self, place: tuple | None):
        """Be ready to take over from another process's window: behind it if that fills its display, otherwise unseen. Main thread only."""
        self._standing_in = True
        if place is not None:
            self.place.display, self.place.fullscreen = place[:2]
            self._left = ((self.place.where[0], False), *place[2:]) if place[3] else None

    def come_front(self):
        """Become the window that is seen, as the other process has ended. Main thread only."""
        moved = self._standing_in and not self.place.where[1]
        self._standing_in = self._covered = False
        if moved:
            self._reopen()
        elif self._pane and self._pane.visible:
            self._pane.repaint()

    def cover(self, on: bool):
        """Take it that the other one's window lies over this one, or that it doesn't."""
        self._covered = on

    @property
    def resting(self) -> bool:
        """Whether nobody sees it, as far as is known."""
        return self._standing_in and not self._is_wanted() or self._covered

    def _is_wanted(self) -> bool:
        """Return whether it is to lie on its display: one that stands in does where it fills it, and where windows can be placed."""
        return not self._standing_in or self.place.where[1] and can_place()

    def run(self, until, emit):
        """Show frames and emit keys as ControlEvents until until() is true. Main thread only."""
        while not until():
            self.run_once(emit)

    def run_once(self, emit, wait=WAIT):
        """Look once at the mailbox, the keys, the wishes and the displays. wait: seconds for a frame."""
        frame = self._mailbox.take(wait)
        for event in self._read_events():
            emit(event)
        self._settle()
        if frame is not None:
            self._last = frame
        if self._pane and self._last is not None and (frame is not None or self._is_wanted() and not self._pane.visible):
            self._show(self._last)

    def close(self):
        """Give the display back."""
        import pygame

        if self._pane:
            self._pane.close()
        self._pane = None
        pygame.display.quit()

    def _show(self, frame):
        import pygame

        try:
            if self._pane.frames:
                self._canvas.draw_on(self._pane, frame.pixels, self.framing)
            else:
                self._pane.show(self._canvas.draw(frame.pixels, self.framing, self._pane.size))
            self.sent += 1
            if self._is_wanted() != self._pane.visible:
                (self._pane.reveal if self._is_wanted() else self._pane.hide)()
        except pygame.error as error:                  # the graphics card was taken away: go on without it
            log.warning("window: %s; painting it without the graphics card", error)
            self._kinds = [SurfacePane]
            self._reopen()

    def _read_events(self):
        import pygame

        found: list[ControlEvent] = []
        closing = False
        for event in pygame.event.get():
            if event.type in (pygame.QUIT, pygame.WINDOWCLOSE):
                closing = True                         # both come for one press
            elif event.type in (pygame.WINDOWFOCUSGAINED, pygame.WINDOWFOCUSLOST):
                self._focused = event.type == pygame.WINDOWFOCUSGAINED
                found += [] if self._focused else self.keyboard.release_all()
            elif event.type == pygame.WINDOWEXPOSED and self._pane and self._pane.visible:
                self._pane.repaint()
            elif event.type == pygame.DROPFILE:
                found.append(ControlEvent("osc /latents/add", event.file, False, now()))
            elif (heard := self.keyboard.translate(event)) is not None:
                found.append(heard)
        if closing:
            found.append(ControlEvent("window close", 1.0, True, now()))
        return found

    def _settle(self):
        """Open the window anew if its place has changed."""
        while not self._wishes.empty():
            self._wishes.get()()
        if looking := now() - self._looked >= LOOK:
            self._looked = now()
            self.place.set_displays(_count_displays())
        if self.place.where != self._opened_at or looking and self._pane is None:
            self._reopen()

    def _reopen(self):
        """Open it at its place now, with the picture that is up. Where that fails, try again at every look."""
        try:
            self._open()
            if self._last is not None:
                self._show(self._last)
        except UserError as error:
            log.error("%s", error)

    def _open(self):
        import pygame

        if self._pane:
            self._note_place()
            self._pane.close()
            self._pane = None
        problems = []
        where, full = self._opened_at = self.place.where
        size, position = self._left[1:] if self._left and self._left[0] == self._opened_at else (self.size, None)
        for kind in list(self._kinds):
            try:
                self._pane = kind(self.title, size, where, full, position)
                pygame.mouse.set_visible(False)
                return
            except (ImportError, AttributeError, TypeError, pygame.error) as error:
                problems.append(f"{kind.__name__}: {error}")
                self._kinds = [other for other in self._kinds if other is not kind] or [SurfacePane]
        raise UserError(f"no window could be opened: {'; '.join(problems)}; without one: --output null")


    def _note_place(self):
        """Remember where the user has put a window that doesn't fill its display."""
        if self._pane and not self._opened_at[1] and not self._standing_in:
            self._left = self._opened_at, *self._pane.read_place()


def list_displays() -> tuple[list[tuple], str | None]:
    """Return ([(number, what there is to say of a display)], why there are none or None)."""
    try:
        _start()
    except UserError as error:
        return [], str(error)
    import pygame

    sizes = pygame.display.get_desktop_sizes()
    pygame.display.quit()
    return [(number, f"{width} x {height}") for number, (width, height) in enumerate(sizes)], None


@command("/window/fullscreen")
def fullscreen(show, on=None):
    """Fill the window's display, or stop filling it."""
    for window in (out for out in show.outputs if isinstance(out, Window)):
        window.toggle_fullscreen()


@command("/window/display")
def display(show, on=None):
    """Move the window on to the next display."""
    for window in (out for out in show.outputs if isinstance(out, Window)):
        window.next_display()


def _start():
    """Start the window system. UserError: there is none."""
    for name, value in HINTS.items():
        os.environ.setdefault(name, value)
    try:
        import pygame
    except ImportError as error:
        raise UserError(f"no window: {error}; pip install pygame-ce, or play with --output null") from None
    advice = "log in to a desktop (on Linux: set DISPLAY), or play with --output null"
    try:
        pygame.display.init()
    except pygame.error as error:
        raise UserError(f"no window: {error}; {advice}") from None
    driver = pygame.display.get_driver()
    if driver in INVISIBLE and os.environ.get("SDL_VIDEODRIVER") != driver:
        pygame.display.quit()
        raise UserError(f"no window: there is no display; {advice}")


def _has_graphics_card():
    """Return whether to try the graphics card: without one its library paints slower than we do."""
    there = not sys.platform.startswith("linux") or any(map(os.path.exists, ("/dev/dri", "/dev/nvidiactl", "/dev/dxg")))
    return there and os.environ.get("SDL_FRAMEBUFFER_ACCELERATION") != "0"


def _count_displays():
    import pygame

    return pygame.display.get_num_displays()
