"""What a window paints on: a texture of the graphics card, or a surface that the processor fills. Works with pygame 2.6 and pygame-ce."""
import os
from typing import Any, cast

from live.outputs.placement import fitted

LIBRARIES = ("pygame",)
CENTERED_ON = 0x2FFF0000            # SDL_WINDOWPOS_CENTERED_DISPLAY(0)
PLACELESS = ("cocoa", "wayland")    # where programs can't place a borderless window over everything


class TexturePane:
    """A window whose picture is scaled by the graphics card, in step with the display's refresh."""

    def __init__(self, title, size, display, fullscreen, position=None):
        import pygame
        from pygame._sdl2 import video

        placed = fullscreen and pygame.display.get_driver() not in PLACELESS
        size = pygame.display.get_desktop_sizes()[display] if placed else size if position else _smaller(size, display)
        at = position or (CENTERED_ON | display,) * 2
        self.window = video.Window(title, size=size, position=at, borderless=placed, resizable=not placed)
        self.renderer = self.texture = self.surface = cast(Any, None)
        try:
            self.renderer = video.Renderer(self.window, vsync=True)
            if fullscreen and not placed:
                self.window.set_fullscreen(True)
        except pygame.error:
            self.close()
            raise
        self._video = video
        self._clear()
        self.renderer.present()

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of what it paints on, in pixels."""
        width, height = self.window.size
        return width, height

    def placed(self) -> tuple:
        """(size, position) of the window now."""
        return self.window.size, self.window.position

    def show(self, pixels):
        """pixels: uint8 [H, W, 3] RGB."""
        import pygame

        picture = _surface(pixels)
        if self.surface is None or self.surface.get_size() != picture.get_size():
            self.texture = None
            self.texture = self._video.Texture(self.renderer, picture.get_size(), streaming=True)
            self.surface = pygame.Surface(picture.get_size(), 0, 32, (0xFF0000, 0xFF00, 0xFF, 0))
        self.surface.blit(picture, (0, 0))             # RGB to what the card takes, faster than the texture's own way
        self.texture.update(self.surface)
        self._clear()
        self.texture.draw(dstrect=pygame.Rect(fitted(picture.get_size(), self.window.size)))
        self.renderer.present()

    def _clear(self):
        self.renderer.draw_color = (0, 0, 0, 255)
        self.renderer.clear()

    def close(self):
        self.texture = self.renderer = None            # in this order: freed after its window, a texture takes others along
        self.window.destroy()


class SurfacePane:
    """A window painted by the processor: where there is no graphics card, or a virtual display."""

    def __init__(self, title, size, display, fullscreen, position=None):
        import pygame

        os.environ.setdefault("SDL_FRAMEBUFFER_ACCELERATION", "0")         # or each flip goes through OpenGL: 10 ms in software
        flags = pygame.NOFRAME if fullscreen else pygame.RESIZABLE
        if fullscreen and pygame.display.get_driver() in PLACELESS:
            flags = pygame.FULLSCREEN
        size = pygame.display.get_desktop_sizes()[display] if fullscreen else size if position else _smaller(size, display)
        pygame.display.set_mode(size, flags, display=display)
        pygame.display.set_caption(title)
        if position and not fullscreen:
            self._window().position = position
        self._before, self._copy = cast(Any, None), cast(Any, None)

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of what it paints on, in pixels."""
        import pygame

        return pygame.display.get_surface().get_size()

    def show(self, pixels):
        """pixels: uint8 [H, W, 3] RGB."""
        import pygame

        picture, surface = _surface(pixels), pygame.display.get_surface()
        rect = fitted(picture.get_size(), surface.get_size())
        if self._before != (surface.get_size(), picture.get_size()):
            surface.fill(0)
            self._before, self._copy = (surface.get_size(), picture.get_size()), pygame.Surface(picture.get_size(), 0, surface)
        if rect[2:] == picture.get_size():
            surface.blit(picture, rect[:2])
        else:
            self._copy.blit(picture, (0, 0))
            pygame.transform.smoothscale(self._copy, rect[2:], surface.subsurface(rect))
        pygame.display.flip()

    def placed(self) -> tuple:
        """(size, position) of the window now."""
        return self.size, self._window().position

    def _window(self):
        from pygame._sdl2 import video

        return video.Window.from_display_module()

    def close(self):
        """It goes when another is opened, or with the window system: pygame has only the one."""


def _surface(pixels):
    import pygame

    return pygame.image.frombuffer(pixels, (pixels.shape[1], pixels.shape[0]), "RGB")      # no copy


def _smaller(size, display):
    """A window's size, made to fit into four fifths of its display."""
    import pygame

    space = tuple(int(length * 0.8) for length in pygame.display.get_desktop_sizes()[display])
    return size if size[0] <= space[0] and size[1] <= space[1] else fitted(size, space)[2:]
