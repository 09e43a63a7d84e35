"""What a gate can vary in: one named number per latent dimension, and what it ranges over. Knows nothing of pixels."""

# name: (low, high). Lengths are in half pictures (the picture spans -1..1), angles in radians, hues in turns.
FACTORS = {
    # pose: where the gate stands, and where its inside seems to lead
    "shift_x": (-0.04, 0.04), "shift_y": (-0.035, 0.035), "scale": (0.95, 1.06), "deep_x": (-0.11, 0.11), "deep_y": (-0.11, 0.11),
    # colour; and the square of how far the pale disc behind the gate reaches: it comes out at 0.45
    "hue": (0.0, 1.0), "accent_hue": (-0.24, 0.24), "third_hue": (-0.14, 0.14), "sun": (0.0, 1.0), "strength": (0.55, 1.0), "accent_light": (0.48, 1.0),
    # the gate: nested frames, from a diamond over a circle to a square
    "roundness": (0.0, 1.0), "size": (0.63, 0.74), "narrowing": (0.77, 0.82), "weight": (-0.28, 0.28),
    "twist": (-0.055, 0.055), "star": (-0.075, 0.075), "tall": (0.93, 1.10),
    # behind it
    "ray_width": (0.15, 0.85), "ray_turn": (-0.03, 0.03), "ray_reach": (0.86, 1.50),
    "fan": (0.34, 0.58), "fan_rings": (0.25, 0.75), "moon": (0.04, 0.15), "moon_ring": (0.25, 0.80), "moon_reach": (0.80, 0.88),
    # left and right
    "column": (0.045, 0.125), "column_x": (0.82, 0.88), "column_height": (0.54, 0.68), "band": (0.15, 0.85),
    "band_slant": (-0.10, 0.10), "capital": (0.03, 0.10),
    # above and below
    "zigzag": (0.0, 0.085), "zigzag_line": (0.020, 0.060), "zigzag_y": (0.82, 0.87), "step_height": (0.040, 0.085),
    "step_out": (0.04, 0.13), "step_width": (0.34, 0.56),
    # the sign in the middle: how thick each of its strokes is, down to nothing
    "bar_top": (-0.020, 0.045), "bar_middle": (-0.050, 0.040), "bar_bottom": (-0.020, 0.045), "stem": (-0.020, 0.050),
    "side_left": (-0.050, 0.040), "side_right": (-0.050, 0.040), "bow": (-0.015, 0.040), "bow_size": (0.07, 0.12), "dot": (-0.03, 0.055),
    "sign_width": (0.09, 0.15), "sign_height": (0.12, 0.18), "slant": (-0.24, 0.24),
    # the edge of the picture
    "frame": (0.015, 0.050), "teeth": (0.0, 0.070),
}
