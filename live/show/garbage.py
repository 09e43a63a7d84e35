"""How often Python looks for objects that nothing refers to any more: seldom while modules are imported, in short looks while a show plays."""
import gc

OFTEN = 700, 10, 10                 # new objects before a look, looks before a longer one: Python's own
SELDOM = 1_000_000, 50, 50


def look_seldom():
    """Look seldom: while a program starts nearly all it makes is kept, and a tenth of the start went into looking."""
    gc.set_threshold(*SELDOM)


def look_often():
    """Look as often as Python does by itself."""
    gc.set_threshold(*OFTEN)


def keep_all():
    """Count all there is as kept for good: later looks are short. What a start leaves lying is some forty objects, not worth a look at all of them."""
    gc.freeze()
    look_often()
