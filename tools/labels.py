"""Names that others rely on: ids of questions and choices, and the labels of the book's sections, exercises, figures and equations.

    python tools/labels.py           # what is new and what is missing, against book/labels.txt; status 1 if anything is missing
    python tools/labels.py extend    # adds what is new to book/labels.txt

A learner's answers are kept by the ids of questions and choices, and links from everywhere lead to labels. Once published a name stays: the
text may be edited, and a question or a section may move to another page, but its name is neither removed nor given to something else.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from unrolled import quizzes

COURSE = Path(__file__).resolve().parents[1]
LIST = COURSE / "book" / "labels.txt"

# In MyST: a target before a heading, the label or name that a directive is given, the label behind a formula
LABELS = re.compile(
    r"^\(([^()\s]+)\)=[ \t]*$|^:(?:label|name):[ \t]*(\S+)[ \t]*$|\$\$[ \t]*\(([^()\s]+)\)[ \t]*$", re.MULTILINE
)
FENCE = re.compile(r"^(`{3,}|~{3,}|:{3,})[ \t]*(.*)$")


def without_listings(text: str) -> str:
    """MyST without the contents of its listings; what stands in directives stays."""
    lines, open_fences = [], []  # the fences of directives that are open, and of a listing, which is the last
    for line in text.split("\n"):
        fence = FENCE.match(line)
        if fence and open_fences and line.startswith(open_fences[-1][0]) and not fence[2]:
            open_fences.pop()
        elif open_fences and not open_fences[-1][1]:
            continue
        elif fence:
            open_fences.append((fence[1], fence[2].startswith("{")))
        else:
            lines.append(line)
    return "\n".join(lines)


def labels_of_text(text: str) -> set[str]:
    """The labels that a page's MyST sets; what a listing shows sets none."""
    return {label for groups in LABELS.findall(without_listings(text)) for label in groups if label}


def labels_of_page(path: Path) -> set[str]:
    """The labels of a page: of its text, and of the figures that its code draws."""
    if path.suffix == ".md":
        return labels_of_text(path.read_text(encoding="utf-8"))
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    found = set[str]()
    for cell in cells:
        if cell["cell_type"] == "markdown":
            found |= labels_of_text("".join(cell["source"]))
        for kind in cell.get("metadata", {}).get("mystnb", {}).values():
            if isinstance(kind, dict) and "name" in kind:
                found.add(kind["name"])
    return found


def _names(course: Path) -> Iterator[str]:
    book = course / "book"
    for quiz in quizzes.find_all(book / "quizzes"):
        for question in quiz.before + quiz.after:
            yield f"question {question.id}"
            yield from (f"choice {question.id}/{choice.id}" for choice in question.choices)
    pages = (path for suffix in (".md", ".ipynb") for path in book.rglob(f"*{suffix}") if not path.name.endswith(".nb.md"))
    for page in pages:
        yield from (f"label {label}" for label in labels_of_page(page))


def names(course: Path = COURSE) -> set[str]:
    """All names of the course as it stands: `question ID`, `choice QUESTION/ID`, `label LABEL`."""
    return set(_names(course))


def listed(file: Path = LIST) -> set[str]:
    """The names that were published."""
    return set(file.read_text(encoding="utf-8").split("\n")) - {""} if file.exists() else set()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="?", choices=["compare", "extend"], default="compare")
    today, before = names(), listed()
    new, missing = sorted(today - before), sorted(before - today)
    if parser.parse_args().what == "extend":
        LIST.write_text("\n".join(sorted(today | before)) + "\n", encoding="utf-8")
        print(f"{len(new)} names were added to {LIST.relative_to(COURSE)}.")
    else:
        print("\n".join([f"new      {name}" for name in new] + [f"missing  {name}" for name in missing]) or "All names are as listed.")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
