"""Folders whose files each declare one kind of thing: transforms, walks, outputs, commands. Adding a file adds the thing."""
import importlib
import pkgutil
import sys


def load_all(package: str, named=lambda name: True):
    """Import every module of a package whose name named(name) accepts, so that what they declare is there.

    A package calls it at its end. Called again after another folder was added to the package's __path__, it imports the new ones.
    """
    for module in pkgutil.iter_modules(sys.modules[package].__path__):
        if named(module.name):
            importlib.import_module(f"{package}.{module.name}")
