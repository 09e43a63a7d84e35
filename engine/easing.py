"""Easing: how far along something is, 0..1, made smooth at its ends. Knows numbers and anything that multiplies like them."""


def smoothstep(t):
    """Return t, 0..1, brought to 0..1 with no speed at either end; t may be a number, an array or a tensor."""
    return t * t * (3 - 2 * t)
