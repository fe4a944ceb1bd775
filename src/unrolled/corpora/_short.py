"""What a record of a corpus shows of itself at the end of a cell: its beginning, never the whole text."""

import reprlib
from dataclasses import fields

_SHORT = reprlib.Repr()
_SHORT.maxlist = _SHORT.maxtuple = _SHORT.maxdict = 4
_SHORT.maxstring = _SHORT.maxother = 160


class Short:
    """A dataclass whose representation is cut: the first four entries of each long field, the two ends of each long string."""

    def __repr__(self) -> str:
        shown = (f"{field.name}={_SHORT.repr(getattr(self, field.name))}" for field in fields(self))
        return f"{type(self).__name__}({', '.join(shown)})"
