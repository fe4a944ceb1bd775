"""Names that come from outside, cleaned once where they come in: of files, of students, of whatever a learner could choose."""

from __future__ import annotations

from collections.abc import Iterable

LONGEST = 255  # bytes in the name of a file or a folder


def shown(text: object, limit: int = 200) -> str:
    """Text from outside as one line that a terminal, a log, a table and a page can show: nothing in it is obeyed, breaks a line or
    turns the direction of writing, and it is not too long."""
    kept = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in str(text)[: limit + 1])
    return kept if len(kept) <= limit else kept[: limit - 4] + " ..."


def listed(names: Iterable[object], most: int = 5) -> str:
    """“a”, “b” and “c”, each shown; of more than `most` the first ones, and how many there are."""
    names = [f"“{shown(name, 80)}”" for name in names]
    if len(names) > most:
        return f"{', '.join(names[:most])} and {len(names) - most} more"
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]])) if names else "nothing"


def unfit(name: str) -> str:
    """Why a name can't be that of a student's folder, as the end of a sentence (“it …”); nothing when it can."""
    if not name.strip():
        return "is blank"
    if "/" in name or "\0" in name:
        return "has a “/” in it"
    if not name.isprintable():
        return "has characters that can't be shown"
    if name != name.strip():
        return "begins or ends with a space"
    if name.startswith("."):
        return "begins with a dot, as hidden folders do"
    if len(name.encode("utf-8", "replace")) > LONGEST:
        return f"is longer than {LONGEST} bytes"
    return ""
