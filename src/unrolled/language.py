"""The language in which the course speaks to a learner, and what it says in it.

English is the source, and texts are looked up in the catalogues of gettext below `locales/LANGUAGE/LC_MESSAGES/`, one for each domain:
when they are said and never when a module is imported, since the language may be chosen later. A text is a whole sentence with named
places, `gettext("{name} is missing.").format(name=name)`; `tools/messages.py` gathers them.
"""

from __future__ import annotations

import contextlib
import functools
import os
import re
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextvars import ContextVar
from gettext import GNUTranslations, NullTranslations
from pathlib import Path
from typing import TypeVar

SOURCE = "en"
FOLDER = Path(__file__).with_name("locales")
TRADITIONAL = {"TW", "HK", "MO"}  # where Chinese is written in traditional characters

_chosen: list[str] = []  # by `use`: one at most
_within: ContextVar[str | None] = ContextVar("language", default=None)


# --- Which language ----------------------------------------------------------------------------


def language() -> str:
    """The language that is spoken now: of the block around (`using`), else as it was chosen (`use`), else `$UNROLLED_LANGUAGE`, else
    that of the locale. English where a language has no catalogue."""
    if within := _within.get():
        return within
    if _chosen:
        return _chosen[0]
    named = os.environ.get("UNROLLED_LANGUAGE") or next(filter(None, map(os.environ.get, ("LC_ALL", "LC_MESSAGES", "LANG"))), "") or _of_windows()
    return known(named) or SOURCE


def use(name: str) -> None:
    """Speak this language from now on in this process. Raises ValueError for one that there is no catalogue for."""
    _chosen[:] = [_wanted(name)]


@contextlib.contextmanager
def using(name: str) -> Iterator[None]:
    """Speak this language inside the block. Raises ValueError for one that there is no catalogue for."""
    token = _within.set(_wanted(name))
    try:
        yield
    finally:
        _within.reset(token)


def languages() -> list[str]:
    """The languages that there are: English, and those with catalogues."""
    return [SOURCE, *_translated(FOLDER)]


@functools.lru_cache(maxsize=8)
def _translated(folder: Path) -> tuple[str, ...]:
    return tuple(sorted(path.parent.name for path in folder.glob("*/LC_MESSAGES")))


def known(name: str) -> str | None:
    """The language that a name stands for, of those that there are: `zh-Hans`, `zh` and `zh_CN.UTF-8` are all zh_CN, and zh_TW is none."""
    asked = _parts(name)
    found = [one for one in languages() if _parts(one)[:2] == asked[:2]]
    return next((one for one in found if _parts(one) == asked), found[0] if found else None)


@functools.lru_cache(maxsize=64)
def _parts(name: str) -> tuple[str, str, str]:
    """Language, script (of Chinese alone) and territory of the name of a locale."""
    first, *rest = [part for part in re.split(r"[-_]", re.split(r"[.@]", name)[0]) if part] or [""]
    territory = next((part.upper() for part in rest if len(part) == 2), "")
    script = next((part.title() for part in rest if len(part) == 4), "")
    if first.lower() != "zh":
        return first.lower(), "", territory
    return "zh", script or ("Hant" if territory in TRADITIONAL else "Hans"), territory


def _wanted(name: str) -> str:
    found = known(name)
    if found is None:
        raise ValueError(gettext("There is no language {name!r}; the languages are: {names}.").format(name=name, names=listed(languages())))
    return found


def _of_windows() -> str:
    """The language of Windows' own texts, which has no environment variable; nothing elsewhere."""
    if sys.platform != "win32":
        return ""
    import ctypes
    import locale

    return locale.windows_locale.get(ctypes.windll.kernel32.GetUserDefaultUILanguage(), "")


# --- What is said ------------------------------------------------------------------------------


T = TypeVar("T")


def texts(found: T) -> T:
    """The same texts. It marks those of a table or a constant, which are looked up only where they are said, for `tools/messages.py`."""
    return found


def gettext(text: str) -> str:
    """The text in the language that is spoken now; itself where the catalogues lack it."""
    return _catalogue(FOLDER, language()).gettext(text) if text else ""


def ngettext(one: str, many: str, count: int) -> str:
    """Of two texts, for one thing and for several, that for `count` things, in the language that is spoken now."""
    return _catalogue(FOLDER, language()).ngettext(one, many, count)


@functools.lru_cache(maxsize=16)
def _catalogue(folder: Path, name: str) -> NullTranslations:
    """The catalogues of all domains of a language as one."""
    whole = NullTranslations()
    for path in sorted((folder / name / "LC_MESSAGES").glob("*.mo")):
        with path.open("rb") as stream:
            one = GNUTranslations(stream)
        one.add_fallback(whole)
        whole = one
    return whole


def listed(items: Iterable[str]) -> str:
    """Short items in a row."""
    return _chained("{first}, {second}", items)


def listed_long(items: Iterable[str]) -> str:
    """Longer items in a row."""
    return _chained("{first}; {second}", items)


def all_of(items: Iterable[str]) -> str:
    """Items of which all are meant."""
    return _chained("{first} and {second}", items)


def sentences(*parts: str) -> str:
    """Whole sentences one after another; empty ones are left out."""
    return _chained("{first} {second}", filter(None, parts))


LINKS = texts(("{first}, {second}", "{first}; {second}", "{first} and {second}", "{first} {second}"))  # of items in a row: a language has its own


def _chained(link: str, items: Iterable[str]) -> str:
    whole, *rest = [*items] or [""]
    for item in rest:
        whole = gettext(link).format(first=whole, second=item)
    return whole


# --- Texts that come from where no language can be chosen ---------------------------------------


def again(text: str, texts: Collection[str]) -> str:
    """An English text in the language that is spoken now, found among `texts` (with named places) by its form, and so what fills its places;
    as it came where none fits.

    For what is said where this package is not at hand: by the program inside the sandbox.
    """
    if language() == SOURCE:
        return text
    for known_text in texts:
        if found := _form(known_text).fullmatch(text):
            return gettext(known_text).format_map({name: again(part, texts) for name, part in found.groupdict().items()})
    return text


@functools.lru_cache(maxsize=512)
def _form(text: str) -> re.Pattern:
    pieces = re.split(r"\{(\w+)[^}]*\}", text)
    return re.compile("".join(f"(?P<{piece}>.*)" if place % 2 else re.escape(piece) for place, piece in enumerate(pieces)), re.DOTALL)


def filled(text: str, fills: Mapping[str, str]) -> str:
    """The text in the language that is spoken now with its places filled; a text without places is no pattern, whatever is in it."""
    return gettext(text).format_map(fills) if fills else gettext(text)
