"""Lets engine/ be imported where there is only torch and numpy, as on rented machines. Call stand_in() before engine is imported.

What reads and writes files wants libraries for that when it is imported. Stand-ins are enough, for a bench that reads no file.
"""
import importlib.util
import sys
import types

NEEDED_BY = {"yaml": ("yaml", "engine.yaml_file"), "safetensors": ("safetensors", "safetensors.torch")}      # library -> modules that are nothing without it


class Absent(types.ModuleType):
    """A module that is not there: every name in it is a class of errors, to be caught, derived from, and of no other use."""

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (Exception,), {})


def stand_in():
    """Put stand-ins in the place of the libraries that are not installed."""
    for library, modules in NEEDED_BY.items():
        try:
            there = importlib.util.find_spec(library) is not None
        except (ImportError, ValueError):
            there = library in sys.modules
        for module in () if there else modules:
            sys.modules.setdefault(module, Absent(module))
