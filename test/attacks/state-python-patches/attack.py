import builtins
import codecs
import collections
import copyreg
import importlib.abc
import importlib.machinery
import json
import logging
import sys
import warnings

import fused


class Finder(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        return importlib.machinery.ModuleSpec(name, self) if name == "left_by_finder" else None

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        pass


class Handler(logging.Handler):
    def emit(self, record):
        pass


def imports(name):
    try:
        __import__(name)
        return True
    except ImportError:
        return False


def has_codec():
    try:
        codecs.lookup("left")
        codecs.lookup_error("left")
        return True
    except LookupError:
        return False


@fused.udf
def udf():
    traces = {
        "builtin": abs(-1) == "left",
        "global": hasattr(builtins, "left"),
        "json": json.dump.__name__ == "<lambda>",
        "class": hasattr(collections.Counter, "left"),
        "planted": imports("left_in_modules"),
        "finder": imports("left_by_finder"),
        "codec": has_codec(),
        "filter": any("left" in str(entry) for entry in warnings.filters),
        "copyreg": any(kind.__name__ == "Finder" for kind in copyreg.dispatch_table),
        "logging": any(type(handler).__name__ == "Handler" for handler in logging.getLogger().handlers),
        "registered": issubclass(complex, collections.abc.Sized),
        "fused": hasattr(fused, "left"),
    }
    reached = [name for name, found in traces.items() if found]

    builtins.abs = lambda value: "left"
    builtins.left = 1
    json.dump = lambda *args, **kwargs: "left"
    collections.Counter.left = 1
    sys.modules["left_in_modules"] = sys
    sys.meta_path.insert(0, Finder())
    codecs.register(lambda name: codecs.lookup("utf-8") if name == "left" else None)
    codecs.register_error("left", lambda error: ("", error.end))
    warnings.filterwarnings("ignore", message="left")
    copyreg.pickle(Finder, lambda finder: (Finder, ()))
    logging.getLogger().addHandler(Handler())
    collections.abc.Sized.register(complex)
    fused.left = 1
    return reached
