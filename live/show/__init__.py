"""One frame of a show, and what travels in it. Knows no device, no file and no tensor."""
