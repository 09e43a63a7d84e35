"""A window that the graphics card paints whole: place, corner pin and colour cost the processor nothing. Needs moderngl and a card.

It is used by itself where both are there. Works with pygame 2.6 and pygame-ce.
"""
import re

from live.outputs.framing import Framing
from live.outputs.panes import SurfacePane
from live.outputs.shading import SOFTWARE, Shader

LIBRARIES = ("pygame", "moderngl")
VERSION = 330                       # of OpenGL's shading language


class ShaderPane(SurfacePane):
    """frames: whether it lays pictures by itself. software: whether a driver that only imitates a card will do, which is slow."""
    frames, software = True, False

    def __init__(self, title, size, display, fullscreen, position=None):
        import moderngl
        import pygame

        for name, value in (("MAJOR_VERSION", 3), ("MINOR_VERSION", 3), ("PROFILE_MASK", pygame.GL_CONTEXT_PROFILE_CORE)):
            pygame.display.gl_set_attribute(getattr(pygame, f"GL_CONTEXT_{name}"), value)
        super().__init__(title, size, display, fullscreen, position)
        try:
            context = moderngl.create_context(require=VERSION)
            if not self.software and re.search("|".join(SOFTWARE), context.info["GL_RENDERER"].lower()):
                raise pygame.error(f"{context.info['GL_RENDERER']} is no graphics card")
            self._shader = Shader(context)
        except (moderngl.Error, pygame.error) as error:
            pygame.display.quit()                        # or the next pane would be given a window for OpenGL
            pygame.display.init()
            raise pygame.error(str(error)) from None

    def find_flags(self) -> int:
        """Return the flags of pygame's window beside its border."""
        import pygame

        return pygame.OPENGL | pygame.DOUBLEBUF

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of what it paints on, in pixels."""
        import pygame

        return pygame.display.get_window_size()

    def show(self, pixels, framing=None, mask=None):
        """Show pixels, uint8 [H, W, 3] RGB. mask: uint8 of the display's [height, width], or None. UserError: corners that enclose nothing."""
        import moderngl
        import pygame

        try:
            self._shader.draw(pixels, framing or Framing(), self.size, mask)
        except moderngl.Error as error:
            raise pygame.error(str(error)) from None
        pygame.display.flip()

    def repaint(self):
        """Paint the picture that is up again: something that lay over it is gone."""
        import pygame

        self._shader.redraw(self.size)
        pygame.display.flip()
