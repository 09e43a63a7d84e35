"""How a picture lies on a display, drawn by the graphics card: the same as live/outputs/framing.py does on the processor.

One fragment shader looks, for each point of the display, into the picture: corner pin, place, fill, colour, mask. Knows moderngl's
contexts, and opens none; without it, or without a card, windows are painted by the processor. Source: SURFACE.md O.5.
"""
from dataclasses import replace
from typing import Any

import numpy as np

from live.outputs.framing import CORNERS, DARKER, FILLS, Framing, find_place, make_colour_matrix, make_picture_matrix, make_pin_matrix, soften

SOFTWARE = ("llvmpipe", "softpipe", "swiftshader", "software")       # drivers that are slower than our own way on the processor
VERTEX = """
#version 330
in vec2 at;
void main() { gl_Position = vec4(at, 0.0, 1.0); }
"""
FRAGMENT = """
#version 330
uniform sampler2D picture, soft, mask;
uniform mat3 to_flat, to_picture, colour;
uniform vec3 offset;
uniform vec2 display, size;
uniform int fill;
uniform bool pinned, masked;
uniform float gamma, light, darker;
out vec4 shown;

const int MIRROR = 3, TILE = 4, BLUR = 5;

void main() {
    vec3 flat_at = to_flat * vec3(gl_FragCoord.x, display.y - gl_FragCoord.y, 1.0);
    vec2 at = flat_at.xy / flat_at.z;
    vec2 u = (to_picture * vec3(at, 1.0)).xy / size;
    bool inside = all(greaterThanEqual(u, vec2(0.0))) && all(lessThanEqual(u, vec2(1.0)));
    vec2 across = dFdx(u), down = dFdy(u);
    if (fill == MIRROR) u = 1.0 - abs(1.0 - mod(u, 2.0));
    if (fill == TILE) u = fract(u);
    vec3 seen = textureGrad(picture, u, across, down).rgb;
    float level = 1.0;
    if (!inside && fill == BLUR) { seen = texture(soft, at / display).rgb; level = darker; }
    else if (!inside && fill != MIRROR && fill != TILE) level = 0.0;
    if (pinned && (flat_at.z <= 0.0 || any(lessThan(at, vec2(0.0))) || any(greaterThan(at, display)))) level = 0.0;
    seen = clamp(colour * seen + offset, 0.0, 1.0);
    seen = pow(seen, vec3(1.0 / gamma)) * light * level;
    if (masked) seen *= texture(mask, vec2(gl_FragCoord.x, display.y - gl_FragCoord.y) / display).r;
    shown = vec4(seen, 1.0);
}
"""


class Shader:
    """Draws into whatever framebuffer is bound. context: moderngl's."""

    def __init__(self, context):
        self.context = context
        self._program = context.program(VERTEX, FRAGMENT)
        whole = context.buffer(np.array([-1, -1, 3, -1, -1, 3], np.float32).tobytes())             # one triangle over all of it
        self._screen = context.vertex_array(self._program, [(whole, "2f", "at")])
        self._textures: dict[str, Any] = {}
        self._mask: np.ndarray | None = None
        for number, name in enumerate(("picture", "soft", "mask")):
            self._program[name] = number

    def draw(self, pixels: np.ndarray, framing: Framing, display: tuple[int, int], mask: np.ndarray | None = None):
        """Draw a picture, uint8 [H, W, 3], on a display of (width, height). mask: uint8 [height, width], or None. UserError: corners enclose nothing."""
        size = pixels.shape[1], pixels.shape[0]
        flat, pinned = replace(framing, pin=CORNERS), tuple(framing.pin) != CORNERS
        to_flat = np.linalg.inv(make_pin_matrix(framing.pin, display)) if pinned else np.eye(3)
        picture = self._put("picture", pixels)
        width, height = find_place(flat, size, display)
        if 2 * width < size[0] and 2 * height < size[1]:                     # far smaller: else points between would be left out
            picture.build_mipmaps()
        if framing.fill == "blur":
            self._put("soft", soften(pixels, display))
        if mask is not None and mask is not self._mask:
            self._put("mask", mask)
        self._mask = mask
        matrix = make_colour_matrix(framing)
        self._set(to_flat=to_flat, to_picture=make_picture_matrix(flat, size, display), colour=matrix[:, :3], offset=matrix[:, 3], display=display, size=size,
                  fill=FILLS.index(framing.fill), pinned=pinned, masked=mask is not None, gamma=framing.gamma, light=1.0 - framing.blackout, darker=DARKER)
        self.redraw(display)

    def redraw(self, display: tuple[int, int]):
        """Draw once more what was drawn last."""
        for number, name in enumerate(("picture", "soft", "mask")):
            if name in self._textures:
                self._textures[name].use(number)
        self.context.viewport = 0, 0, *display
        self._screen.render(self.context.TRIANGLES)

    def _put(self, name, pixels):
        """Bring pixels to the card; returns the texture."""
        channels = 1 if pixels.ndim == 2 else pixels.shape[2]
        texture = self._textures.get(name)
        if texture is None or (texture.size, texture.components) != (pixels.shape[1::-1], channels):
            if texture is not None:
                texture.release()
            texture = self._textures[name] = self.context.texture(pixels.shape[1::-1], channels, alignment=1)
        texture.write(np.ascontiguousarray(pixels), alignment=1)
        texture.filter = self.context.LINEAR, self.context.LINEAR
        texture.repeat_x = texture.repeat_y = False
        return texture

    def _set(self, **values):
        for name, value in values.items():
            if np.ndim(value) == 2:
                self._program[name].write(np.ascontiguousarray(np.asarray(value).T, np.float32).tobytes())      # GLSL counts columns first
            else:
                self._program[name] = tuple(map(float, value)) if np.ndim(value) else value
