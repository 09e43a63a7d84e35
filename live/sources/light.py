"""High dynamic range (PQ, HLG) brought down to what a usual screen shows. Knows numbers and av's names for transfers.

Sources: SMPTE ST 2084 and ITU-R BT.2100 for the transfers, BT.2087 for the matrix, BT.2408 for the white of 203 cd/m2.
"""
import numpy as np

PQ, HLG, BT2020 = 16, 18, 9                             # ffmpeg's numbers of transfers and primaries
WHITE = 203.0                                           # cd/m2 that become a screen's white, nearly
KNEE = 0.6                                              # of white, above which light is squeezed instead of cut off
TO_BT709 = np.array([[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]], np.float32)


def is_high(frame) -> bool:
    """Return whether a frame's light is coded for brighter screens."""
    return frame.color_trc in (PQ, HLG)


def map_tones(pixels, frame) -> np.ndarray:
    """Return uint16 [H, W, 3] of such a frame as uint8 for a usual screen."""
    coded = pixels.astype(np.float32) / 65535
    light = _decode_pq(coded) if frame.color_trc == PQ else _decode_hlg(coded)
    if frame.color_primaries in (BT2020, 2):
        light = np.maximum(light @ TO_BT709.T, 0.0)
    most = np.maximum(light.max(-1, keepdims=True), 1e-6)
    squeezed = np.where(most > KNEE, KNEE + (1 - KNEE) * (1 - np.exp((KNEE - most) / (1 - KNEE))), most)
    shown = np.clip(light * squeezed / most, 0.0, 1.0) ** (1 / 2.2)
    return np.rint(shown * 255).astype(np.uint8)


def _decode_pq(coded):
    """Return light, 1 = WHITE, from ST 2084's curve."""
    root = coded ** (1 / 78.84375)
    return (np.maximum(root - 0.8359375, 0.0) / (18.8515625 - 18.6875 * root)) ** (1 / 0.1593017578125) * (10000 / WHITE)


def _decode_hlg(coded):
    """Return light, 1 = WHITE, from BT.2100's curve for a screen of 1000 cd/m2."""
    scene = np.where(coded <= 0.5, coded ** 2 / 3, (np.exp((coded - 0.55991073) / 0.17883277) + 0.28466892) / 12)
    luma = np.maximum(scene @ np.array([0.2627, 0.6780, 0.0593], np.float32), 1e-6)[..., None]
    return scene * luma ** 0.2 * (1000 / WHITE)
