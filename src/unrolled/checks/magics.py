"""A cell's text without IPython's own lines, so that Python alone can read it.

This file imports nothing of the package: the sandbox runs it, too.
"""

from __future__ import annotations

import ast
import re

MAGIC = re.compile(r"^(\s*)(%%?|!|\?)")
ASSIGNED = re.compile(r"^(\s*)[\w, .\[\]]+=\s*[!%]")
HELP = re.compile(r"^(\s*)[\w.]+\?\??\s*$")
TIMING = re.compile(r"^(\s*)%(?:time|prun|memit)\s+(?!-)(\S.*)$")
PYTHON_CELLS = ("time", "timeit", "capture", "prun", "memit", "mprun")  # cell magics whose body is Python


def without_magics(text: str) -> str:
    """The cell without IPython's own lines; every other line keeps its number. A cell in another language becomes empty.

    A line is taken for a magic only where Python can't read it, so a string that begins with % stays as it is.
    """
    lines = text.split("\n")
    first = next((i for i, line in enumerate(lines) if line.strip()), None)
    if first is not None and (match := re.match(r"\s*%%(\w+)", lines[first])):
        if match[1] not in PYTHON_CELLS:
            return ""
        lines[first] = ""
    for _ in range(min(len(lines), 200)):
        try:
            ast.parse("\n".join(lines))
        except SyntaxError as error:
            at = (error.lineno or 0) - 1
            if not 0 <= at < len(lines):
                break
            without = _without_magic(lines[at])
            if without is None:
                break
            lines[at] = without
        except ValueError:
            break
        else:
            break
    return "\n".join(lines)


def _without_magic(line: str) -> str | None:
    """A line with its magic taken out, or None when there is none in it."""
    if timed := TIMING.match(line):
        return timed[1] + timed[2]
    match = MAGIC.match(line) or ASSIGNED.match(line) or HELP.match(line)
    return f"{match[1]}pass" if match else None
