"""Pairs of what the package says: plain text, in which code has no marks around it and a place may be filled by a word of either script."""

from __future__ import annotations

import re

from . import Rules, chinese, problems, spans

PLACE = re.compile(r"\{[^{}]*\}")
RUN = re.compile(r"[!-~](?:[ -~]*[!-~])?")  # what stands in a Chinese sentence without being Chinese
CODE = re.compile(r"[_()\[\]=<>/*\"\\^]|--|\w\.\w")
NAME = re.compile(r"[_\[\]=\\]|--|\w\.\w|\w\((?!s\b)")  # in a word: it belongs to code, whatever stands around it
AROUND = ".,;:!?'\"()[]`"
MARKED = re.compile("(`[^`]*`)")
AGAINST_HAN = re.compile(rf"(?<=[{chinese.HAN}])(?={{)|(?<=}})(?=[{chinese.HAN}])")
SET_APART = re.compile(rf"(?<=[{chinese.FULL}])\s{{2,}}")  # a command or a table, on a line or behind two spaces


def said_problems(source: str, translation: str, rules: Rules) -> list[str]:
    """What is wrong with a translation of something that the package says, in sentences; none when all is well."""
    before, after = with_marks(source, translation)
    after = SET_APART.sub("", AGAINST_HAN.sub(" ", after))
    excused = tuple(beginning for own, beginning in rules.excused if own == spans.joined(source))
    found = [*names(source, translation), *problems(before, after, rules)]
    return [problem for problem in found if not problem.startswith(excused)]


def names(source: str, translation: str) -> list[str]:
    """The words of code that one of them has and the other has not."""
    source, translation = PLACE.sub("{}", source), PLACE.sub("{}", translation)
    found = [f"The code {word} of the source is missing." for word in _code(source.split()) if word not in translation]
    return found + [f"The code {word} does not stand in the source." for word in _code(" ".join(RUN.findall(translation)).split()) if word not in source]


def _code(words: list[str]) -> list[str]:
    return [word for word in dict.fromkeys(word.strip(AROUND) for word in words) if re.search("[A-Za-z]", word) and NAME.search(word)]


def with_marks(source: str, translation: str) -> tuple[str, str]:
    """Both texts with marks around what is code: what stands in the translation just as it does in the source, and looks like it."""
    parts = MARKED.split(source)

    def marked(run: re.Match[str]) -> str:
        if CODE.search(PLACE.sub("", run[0])) and (place := _place(parts, run[0])):
            number, start = place
            text = parts[number]
            parts[number : number + 1] = [text[:start], f"`{run[0]}`", text[start + len(run[0]) :]]
            return f"`{run[0]}`"
        return run[0]

    pieces = MARKED.split(translation)
    pieces[::2] = [RUN.sub(marked, piece) for piece in pieces[::2]]
    return "".join(parts), "".join(pieces)


def _place(parts: list[str], run: str) -> tuple[int, int] | None:
    """Where a run stands by itself in a part that has no marks yet: the part and the place in it."""
    alone = re.compile(rf"(?<![\w{{]){re.escape(run)}(?!\w)")
    return next(((number, found.start()) for number, part in enumerate(parts) if not part.startswith("`") and (found := alone.search(part))), None)
