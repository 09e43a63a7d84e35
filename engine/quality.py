"""How large the picture is drawn: /quality/size, and enlarging a smaller drawing to the size that is shown.

Outputs see frames of one size, whatever is drawn. Who turns the knob, a hand or the governor, is not known here.
"""
from torch.nn import functional as F

from engine.compiled.functions import find_passes
from engine.parameter import Parameter

SMALLEST = 4                        # of any network

PARAMETERS = {
    "/quality/size": Parameter(1024, SMALLEST, 1024, curve="log", step=1, unit="px",
                               about="draw at most so large, enlarged to the size shown; the governor turns it"),
    "/quality/auto": Parameter(1.0, step=1, about="1 = draw smaller while frames take too long; 0 holds the size there is"),
}


def drawing_size(wanted: float, shown: int, resolutions) -> int:
    """Return the size to draw at: the largest the network has that is neither above the one wanted nor the one shown."""
    fitting = [r for r in resolutions if r <= min(wanted, shown)]
    return max(fitting, default=min(resolutions))


def enlarge(small, pixels):
    """Fill `pixels`, uint8 [H, W, 3], with a picture, uint8 [h, w, 3], bilinear; both on one device. Only processors read whole numbers for it."""
    passes = find_passes() if small.is_cpu and pixels.shape[1] % 4 == 0 and small.is_contiguous() and pixels.is_contiguous() else None
    if passes:
        passes.enlarge(small, pixels)
        return
    picture = small.permute(2, 0, 1)[None]
    large = F.interpolate(picture if small.is_cpu else picture.float(), size=pixels.shape[:2], mode="bilinear", align_corners=False)
    pixels.copy_((large if small.is_cpu else large.add_(0.5))[0].permute(1, 2, 0))
