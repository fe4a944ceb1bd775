"""Stands in a page for a library that pages compare with and that a page can't hold: importing it works, using it says what to do.

So a cell that imports ten things does not fail for the one that three later cells use.
"""

import sys
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

_ROOT = __name__.split(".")[0]


def _refuse(name):
    raise ModuleNotFoundError(
        f"{name} needs {_ROOT}, which this page does not have: run this cell with Python on your machine. Cells that do without {_ROOT} run here."
    )


class _Missing:
    """A name of the library: using it in any way refuses."""

    def __init__(self, name):
        self._name = name

    def __call__(self, *args, **kwargs):
        _refuse(self._name)

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        _refuse(f"{self._name}.{name}")


def _refusing(self, *others):
    _refuse(self._name)


for _name in ("or", "and", "xor", "add", "sub", "mul", "matmul", "truediv", "floordiv", "mod", "pow", "lshift", "rshift"):
    setattr(_Missing, f"__{_name}__", _refusing)
    setattr(_Missing, f"__r{_name}__", _refusing)
for _name in ("lt", "le", "gt", "ge", "getitem", "len", "iter", "int", "float", "index", "neg", "enter"):
    setattr(_Missing, f"__{_name}__", _refusing)


class _Module(ModuleType):
    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return _Missing(f"{self.__name__}.{name}")


class _Finder(MetaPathFinder, Loader):
    """Finds every module of the library."""

    def find_spec(self, name, path=None, target=None):
        return ModuleSpec(name, self, is_package=True) if name.startswith(_ROOT + ".") else None

    def create_module(self, spec):
        return _Module(spec.name)

    def exec_module(self, module):
        pass


if __name__ == _ROOT:  # under the library's name, not where this file lies
    sys.meta_path.append(_Finder())
    sys.modules[__name__].__class__ = _Module
