"""What a window paints on: a texture of the graphics card, or a surface that the processor fills. Works with pygame 2.6 and pygame-ce.

A pane is opened unseen and shows itself by reveal(), with a picture painted: nobody ever sees an empty one.
"""
import os
import warnings
from typing import Any, cast

from live.outputs.placement import fit

LIBRARIES = ("pygame",)
CENTERED_ON = 0x2FFF0000            # SDL_WINDOWPOS_CENTERED_DISPLAY(0)
PLACELESS = ("cocoa", "wayland")    # where programs can't place a borderless window over everything


class Revealing:
    """What panes share: each is hidden until there is a picture in it. window: pygame's."""
    window: Any
    visible: bool

    def repaint(self):
        """Paint the picture that is up again."""
        raise NotImplementedError

    def reveal(self):
        """Let it be seen, with what was painted last."""
        self.window.show()
        self.repaint()
        self.visible = True

    def hide(self):
        """Take it off its display; it stays open."""
        self.window.hide()
        self.visible = False


class TexturePane(Revealing):
    """A window whose picture is scaled by the graphics card, in step with the display's refresh."""
    frames = False                                       # by itself: other panes are given pictures that lie as they shall

    def __init__(self, title, size, display, fullscreen, position=None):
        import pygame
        from pygame._sdl2 import video

        placed = fullscreen and can_place()
        size = pygame.display.get_desktop_sizes()[display] if placed else size if position else _shrink(size, display)
        at = position or (CENTERED_ON | display,) * 2
        self.window, self.visible = video.Window(title, size=size, position=at, borderless=placed, resizable=not placed, hidden=True), False
        self.renderer = self.texture = self.surface = cast(Any, None)
        try:
            self.renderer = video.Renderer(self.window, vsync=True)
            if fullscreen and not placed:
                self.window.set_fullscreen(True)
        except pygame.error:
            self.close()
            raise
        self._video = video

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of what it paints on, in pixels."""
        width, height = self.window.size
        return width, height

    def read_place(self) -> tuple:
        """Return (size, position) of the window now."""
        return self.window.size, self.window.position

    def show(self, pixels):
        """Show pixels, uint8 [H, W, 3] RGB."""
        import pygame

        picture = _make_surface(pixels)
        if self.surface is None or self.surface.get_size() != picture.get_size():
            self.texture = None
            self.texture = self._video.Texture(self.renderer, picture.get_size(), streaming=True)
            self.surface = pygame.Surface(picture.get_size(), 0, 32, (0xFF0000, 0xFF00, 0xFF, 0))
        self.surface.blit(picture, (0, 0))             # RGB to what the card takes, faster than the texture's own way
        self.texture.update(self.surface)
        self.repaint()

    def repaint(self):
        """Paint the picture that is up again: something that lay over it is gone."""
        import pygame

        if self.texture is not None:
            self.renderer.draw_color = (0, 0, 0, 255)
            self.renderer.clear()
            self.texture.draw(dstrect=pygame.Rect(fit(self.surface.get_size(), self.window.size)))
            self.renderer.present()

    def close(self):
        self.texture = self.renderer = None            # in this order: freed after its window, a texture takes others along
        self.window.destroy()


class SurfacePane(Revealing):
    """A window painted by the processor: where there is no graphics card, or a virtual display."""
    frames = False

    def find_flags(self) -> int:
        """Return the flags of pygame's window beside its border."""
        return 0

    def __init__(self, title, size, display, fullscreen, position=None):
        import pygame
        from pygame._sdl2 import video

        os.environ.setdefault("SDL_FRAMEBUFFER_ACCELERATION", "0")         # or each flip goes through OpenGL: 10 ms in software
        flags = pygame.NOFRAME if fullscreen else pygame.RESIZABLE
        if fullscreen and not can_place():
            flags = pygame.FULLSCREEN
        size = pygame.display.get_desktop_sizes()[display] if fullscreen else size if position else _shrink(size, display)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")              # of a display that does not tell of its refresh
            pygame.display.set_mode(size, flags | self.find_flags() | pygame.HIDDEN, display=display, vsync=int(self.frames))
        pygame.display.set_caption(title)
        self.window, self.visible = video.Window.from_display_module(), False          # kept: pygame's events point to it
        if position and not fullscreen:
            self.window.position = position
        self._before, self._copy = cast(Any, None), cast(Any, None)

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of what it paints on, in pixels."""
        import pygame

        return pygame.display.get_surface().get_size()

    def show(self, pixels, framing=None, mask=None):
        """Show pixels, uint8 [H, W, 3] RGB. The other arguments are for panes that place pictures themselves."""
        import pygame

        picture, surface = _make_surface(pixels), pygame.display.get_surface()
        rect = fit(picture.get_size(), surface.get_size())
        if self._before != (surface.get_size(), picture.get_size()):
            surface.fill(0)
            self._before, self._copy = (surface.get_size(), picture.get_size()), pygame.Surface(picture.get_size(), 0, surface)
        if rect[2:] == picture.get_size():
            surface.blit(picture, rect[:2])
        else:
            self._copy.blit(picture, (0, 0))
            pygame.transform.smoothscale(self._copy, rect[2:], surface.subsurface(rect))
        pygame.display.flip()

    def repaint(self):
        """Paint the picture that is up again: something that lay over it is gone."""
        import pygame

        pygame.display.flip()

    def read_place(self) -> tuple:
        """Return (size, position) of the window now."""
        return self.size, self.window.position

    def close(self):
        """Do nothing: pygame has only this one window, which goes when another is opened, or with the window system."""


def can_place() -> bool:
    """Return whether windows without a border can be put over a whole display here; elsewhere the window system does it."""
    import pygame

    return pygame.display.get_driver() not in PLACELESS


def _make_surface(pixels):
    import pygame

    return pygame.image.frombuffer(pixels, (pixels.shape[1], pixels.shape[0]), "RGB")      # no copy


def _shrink(size, display):
    """Return a window's size, made to fit into four fifths of its display."""
    import pygame

    space = tuple(int(length * 0.8) for length in pygame.display.get_desktop_sizes()[display])
    return size if size[0] <= space[0] and size[1] <= space[1] else fit(size, space)[2:]
