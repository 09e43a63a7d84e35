"""What a bloom can vary in: one named number per latent dimension, and what it ranges over. Knows nothing of pixels."""

# name: (low, high). Lengths are in half pictures (the picture spans -1..1), angles in radians, hues in turns.
FACTORS = {
    # pose: where it is, how far it is turned in itself, and how it leans
    "shift_x": (-0.08, 0.08), "shift_y": (-0.08, 0.08), "scale": (0.92, 1.12), "spin": (-0.13, 0.13), "twist": (-0.20, 0.20),
    "tilt_x": (-0.38, 0.38), "tilt_y": (-0.38, 0.38),
    # growth: longer towards one side, or towards two
    "lobe_x": (-0.09, 0.09), "lobe_y": (-0.09, 0.09), "oval_x": (-0.08, 0.08), "oval_y": (-0.08, 0.08),
    # light
    "light_x": (-1.0, 1.0), "light_y": (-1.0, 1.0), "gloss": (0.0, 0.8),
    # ground: below 0 it stays black
    "ground_hue": (0.0, 1.0), "ground_light": (-0.25, 0.95), "ground_spread": (-0.2, 0.2), "ripples": (0.0, 1.0), "glow": (0.0, 0.9),
    "spore_size": (0.045, 0.095), "spore_reach": (0.86, 0.98),
    # arms
    "arm_length": (0.76, 0.96), "arm_width": (0.030, 0.080), "arm_wave": (-0.13, 0.13), "arm_phase": (-0.8, 0.8), "bulb": (0.045, 0.105),
    # petals
    "petal_length": (0.42, 0.84), "petal_width": (0.60, 1.0), "petal_point": (0.30, 1.25), "petal_notch": (0.0, 0.35),
    "petal_ruffle": (0.0, 0.045), "petal_fold": (-1.0, 1.0), "petal_hue": (-0.35, 0.35), "petal_light": (0.34, 0.94), "petal_fade": (-0.22, 0.22),
    "veins": (0.0, 1.0), "spot": (0.0, 0.095),
    "inner_length": (0.16, 0.46), "inner_width": (0.55, 1.0), "inner_point": (0.30, 1.25), "inner_hue": (-0.3, 0.3), "inner_light": (0.38, 0.98),
    # the heart
    "filament_length": (0.06, 0.30), "filament_bend": (-0.17, 0.17), "anther": (0.026, 0.050),
    "core": (0.15, 0.26), "core_hue": (-0.25, 0.25), "seeds": (0.008, 0.022),
    "pupil": (0.20, 0.75), "gaze_x": (-1.0, 1.0), "gaze_y": (-1.0, 1.0),
}
