"""A virtual camera, which video calls and OBS see as a webcam. Untested on real hardware: written from the library's interface.

pyvirtualcam is under the GPL 2: you install it yourself, and only the process of this output loads it. Source: SURFACE.md O.4.
"""
from engine.errors import UserError
from live.outputs import output
from live.outputs.extras import import_extra

LIBRARIES = ("pyvirtualcam",)
BACKENDS = "OBS Studio (Windows, macOS: start its virtual camera once) or `modprobe v4l2loopback` (Linux)"


@output
class Camera:
    """target: the device, "/dev/video10" or "OBS Virtual Camera"; default: the first that is free. fps: what programs are told."""
    apart, copyleft = True, "pyvirtualcam"

    def __init__(self, target="", fps=30.0):
        with import_extra("output camera", "pyvirtualcam"):
            import pyvirtualcam  # noqa: F401  (only whether it is there: the camera is opened once its size is known)
        self.device, self.fps, self._camera = target or None, fps, None

    @staticmethod
    def check(spec):
        """Raise UserError for a size that cameras don't have."""
        check_even(spec)

    def send(self, frame):
        """Show a picture in the camera."""
        if self._camera is None:
            self._camera = self._open(*make_even(frame.pixels).shape[1::-1])
        self._camera.send(make_even(frame.pixels))

    def close(self):
        """Switch the camera off."""
        if self._camera is not None:
            self._camera.close()
            self._camera = None

    def _open(self, width, height):
        import pyvirtualcam

        try:
            return pyvirtualcam.Camera(width=width, height=height, fps=self.fps, fmt=pyvirtualcam.PixelFormat.RGB, device=self.device)
        except RuntimeError as error:                    # one line for each way it was tried
            reasons = "; ".join(line.strip() for line in str(error).splitlines() if line.strip())
            raise UserError(f"output camera: no virtual camera: {reasons}; it needs {BACKENDS}") from None


def check_even(spec):
    """Raise UserError where an output's sides have to be even numbers and are not."""
    if isinstance(spec.size, tuple) and any(side % 2 for side in spec.size):
        raise UserError(f"output {spec.name}: size: {spec.kind} takes even numbers only, got {spec.size[0]} x {spec.size[1]}")


def make_even(pixels):
    """Return a picture without its last row or column where there is an odd number of them, contiguous."""
    import numpy as np

    height, width = pixels.shape[:2]
    return np.ascontiguousarray(pixels[:height // 2 * 2, :width // 2 * 2])
