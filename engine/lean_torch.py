"""Importing torch for a show: without what only its compiler and its exporter use, which is a third of the import."""
import contextlib
import importlib
import importlib.abc
import sys
from types import ModuleType

LEFT_OUT = "torch._meta_registrations"      # shapes of operations, for torch.compile; brings slow copies of all operations
PRIMS = "torch._prims.rng_prims"            # one of those: without it torch 2.13 makes no Generator, unless it is told what that is
COMPILER = "torch._dynamo"


def import_torch():
    """Import torch. What is left out is imported once something asks for it, or for the compiler."""
    if "torch" in sys.modules:
        return
    sys.modules[LEFT_OUT] = stand_in = ModuleType(LEFT_OUT)
    vars(stand_in)["__getattr__"] = _ask_whole
    torch = importlib.import_module("torch")
    if sys.modules.get(LEFT_OUT) is not stand_in:
        return
    del sys.modules[LEFT_OUT]
    del vars(torch)[LEFT_OUT.rpartition(".")[2]]
    sys.meta_path.insert(0, _BeforeCompiler())
    with contextlib.suppress(AttributeError, ImportError):
        torch._C._set_generator_metaclass(importlib.import_module("torch._opaque_base").OpaqueBaseMeta)
    try:
        torch.Generator()
    except RuntimeError:
        importlib.import_module(PRIMS)


def _ask_whole(name: str):
    """Return what a part of torch needs of the module that is left out: then it is not."""
    if name.startswith("__"):               # inspect asks every module for its file
        raise AttributeError(name)
    sys.modules.pop(LEFT_OUT, None)
    return getattr(importlib.import_module(LEFT_OUT), name)


class _BeforeCompiler(importlib.abc.MetaPathFinder):
    """Finds no module, and imports what was left out before the compiler."""

    def find_spec(self, fullname, path, target=None):
        """Return None, so that others find the module."""
        if fullname == COMPILER:
            sys.meta_path.remove(self)
            importlib.import_module(LEFT_OUT)
