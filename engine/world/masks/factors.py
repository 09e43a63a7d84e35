"""What a mask can vary in: one named number per latent dimension, and what it ranges over. Knows nothing of pixels."""

# name: (low, high). Lengths are in half pictures (the picture spans -1..1), angles in radians, hues in turns.
FACTORS = {
    # pose
    "tilt": (-0.15, 0.15), "shift_x": (-0.11, 0.11), "shift_y": (-0.05, 0.05), "scale": (0.92, 1.06),
    "turn": (-1.0, 1.0), "nod": (-1.0, 1.0),
    # light
    "light": (-1.0, 1.0), "rim": (0.15, 1.0),
    # stage
    "stage_hue": (0.28, 1.02), "stage_spread": (-0.14, 0.14), "stage_glow": (0.14, 0.62), "beams": (0.05, 0.75),
    # halo
    "halo_radius": (0.68, 0.80), "halo_width": (0.025, 0.085), "halo_hue": (-0.20, 0.20), "halo_glow": (0.15, 0.75),
    "rays": (0.02, 0.20),
    # hair and crown
    "hair_volume": (0.03, 0.17), "hair_length": (-0.10, 0.42), "hairline": (0.24, 0.40), "hair_hue": (-0.22, 0.22),
    "hair_light": (0.16, 0.62),
    "crown_height": (0.05, 0.27), "crown_spread": (0.26, 0.38), "crown_hue": (-0.12, 0.12), "jewel_size": (0.030, 0.055),
    # head
    "head_width": (0.385, 0.46), "head_height": (0.52, 0.60), "jaw": (0.08, 0.40), "skin_hue": (-0.20, 0.20),
    "skin_light": (0.62, 1.0),
    # ornaments
    "earrings": (0.045, 0.085), "collar": (0.0, 0.16),
    # eyes and brows
    "eye_spacing": (0.175, 0.215), "eye_height": (0.04, 0.12), "eye_width": (0.115, 0.150), "eye_open": (0.020, 0.095),
    "eye_slant": (-0.12, 0.32), "gaze_x": (-1.0, 1.0), "gaze_y": (-1.0, 1.0), "iris_hue": (-0.25, 0.25),
    "pupil": (0.36, 0.68), "brow_height": (0.115, 0.175), "brow_angle": (-0.35, 0.55), "brow_weight": (0.014, 0.036),
    # nose and mouth
    "nose_length": (0.15, 0.25), "nose_width": (0.055, 0.105),
    "smile": (-0.8, 1.1), "mouth_width": (0.11, 0.19), "mouth_open": (0.004, 0.085), "lips": (0.022, 0.042),
    "lip_hue": (-0.12, 0.12),
    # face paint
    "paint_hue": (-0.18, 0.18), "paint_band": (0.0, 1.0), "paint_tears": (0.02, 0.28), "paint_stripe": (0.0, 0.055),
}
