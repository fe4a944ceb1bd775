"""The words of the site itself: the captions of the table of contents, the book's title, and what our scripts and Sphinx extensions say.

In Python a sentence is marked by `_("…")` of `unrolled.site.words`, in JavaScript by `_("…")` or `_("… {name} …", {name})`. Babel finds them.
"""

from __future__ import annotations

from pathlib import Path

import yaml
from babel.messages.extract import extract_from_file

from unrolled import quizzes

# What other extensions say in English in every language, by the setting that changes it.
SETTINGS = {
    "nb_code_prompt_show": "Show the code",
    "nb_code_prompt_hide": "Hide the code",
    "togglebutton_hint": "Click to show",
    "togglebutton_hint_hide": "Click to hide",
}
SITE = Path(__file__).parents[1] / "site"


def messages(course: Path) -> list[str]:
    """All of them, each once."""
    toc = yaml.safe_load((course / "_toc.yml").read_text(encoding="utf-8"))
    config = yaml.safe_load((course / "_config.yml").read_text(encoding="utf-8"))
    found = [config["title"], *(part["caption"] for part in toc.get("parts", []) if "caption" in part)]
    found += [*SETTINGS.values(), quizzes.INCOMPLETE]  # which quizzes in a terminal say as well
    for path in sorted(SITE.glob("*.py")):
        found += _marked("python", path)
    for path in scripts(course):
        found += _marked("javascript", path)
    return list(dict.fromkeys(found))


def scripts(course: Path) -> list[Path]:
    """Our JavaScript: what the site's extensions bring, and what the book adds."""
    return [*sorted((SITE / "static").glob("*.js")), *sorted((course / "book" / "_static").glob("*.js"))]


def in_scripts(course: Path) -> list[str]:
    """Those that a script in the browser looks up."""
    return list(dict.fromkeys(message for path in scripts(course) for message in _marked("javascript", path)))


def _marked(language: str, path: Path) -> list[str]:
    if b"_(" not in path.read_bytes():  # the weights of a network are a script as well, and a long one
        return []
    return [message for _, message, _, _ in extract_from_file(language, path, keywords={"_": None}, options={"encoding": "utf-8"}) if isinstance(message, str)]
