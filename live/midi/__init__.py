"""What MIDI is, and its hardware: ports, controllers and their lights. What a control does is the mapping's business."""
