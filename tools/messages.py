"""The catalogues of what the package says to learners: gathers the texts, updates the translations, compiles them.

    python tools/messages.py update [LANGUAGE ...]   # renew src/unrolled/locales/; by default all languages that are there
    python tools/messages.py compile                 # only the .mo files, after a change in a .po file; says what is wrong with a translation
    python tools/messages.py quizzes                 # compile the questions of the terminal's quizzes from the catalogues of the book
    python tools/messages.py todo [LANGUAGE ...]     # which texts of each catalogue want work, and what is wrong with a translation

Texts are found in the code, as `gettext("…")`, `ngettext("…", "…", n)` and `texts(…)`, which marks tables and constants; in the tasks
(cases, known mistakes, sections); and in the help of the commands. A translation stays when its text stays. One whose text has changed is
marked fuzzy, with the former text beside it, and is not used until somebody has looked at it.
"""

from __future__ import annotations

import argparse
import ast
import datetime
import difflib
import io
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "src" / "unrolled"
LOCALES = PACKAGE / "locales"
NO_DATE = datetime.datetime(2000, 1, 1, tzinfo=datetime.UTC)  # the same file for the same texts
# Which files of the package each catalogue holds the texts of, by the beginning of their path.
DOMAINS = {
    "checks": ("language.py", "checks/", "reference/"),
    "owndata": ("owndata/", "corpora/"),
    "grading": ("grading/",),
    "terminal": ("cli.py", "course.py", "answers.py", "quizzes.py", "quiz_terminal.py", "terminal.py", "yours/"),
}
Found = tuple[str | tuple[str, str], str]  # a text, or one thing and several, and the file that it is from


# --- Gathering ---------------------------------------------------------------------------------


def extracted() -> dict[str, Catalog]:
    """A catalogue without translations for each domain, in the order of the files. A text of several domains is in the first."""
    catalogues: dict[str, Catalog] = {}
    seen: set[str] = set()
    for domain, beginnings in DOMAINS.items():
        catalogue = catalogues[domain] = Catalog(project="Unrolled", charset="utf-8")
        for message, place in _of_domain(domain, beginnings):
            first = message if isinstance(message, str) else message[0]
            if first not in seen or first in catalogue:
                catalogue.add(message, locations=[(place, 0)])
                seen.add(first)
    return catalogues


def _of_domain(domain: str, beginnings: tuple[str, ...]) -> Iterator[Found]:
    for path in sorted(PACKAGE.rglob("*.py")):
        place = path.relative_to(PACKAGE).as_posix()
        if place.startswith(beginnings):
            yield from ((message, f"src/unrolled/{place}") for message in in_code(path.read_text(encoding="utf-8"), place))
    for path in sorted(PACKAGE.rglob("*.j2")):
        place = path.relative_to(PACKAGE).as_posix()
        if place.startswith(beginnings):
            yield from ((text, f"src/unrolled/{place}") for text in re.findall(r"'([^'\n]+)' \| said\b", path.read_text(encoding="utf-8")))
    if domain == "checks":
        yield from of_tasks()
    if domain == "terminal":
        yield from ((text, "src/unrolled/cli.py") for text in of_commands())
        yield from ((text, "src/unrolled/yours/milestones") for text in of_milestones())


def in_code(source: str, name: str = "") -> Iterator[str | tuple[str, str]]:
    """The texts that a file marks, in its order. Raises ValueError for a marked text that is put together when the program runs."""
    tree = ast.parse(source)
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)]
    for call in sorted(calls, key=lambda node: (node.lineno, node.col_offset)):
        if call.func.id in ("gettext", "_said") and call.args:
            yield from _choice(call.args[0], name)
        elif call.func.id == "ngettext":
            one, many = (_constant(argument, name) for argument in call.args[:2])
            yield one, many
        elif call.func.id == "texts":
            yield from _nested(call.args[0], name)


def _choice(node: ast.expr, name: str) -> Iterator[str]:
    """The text of a call, or the texts of which it takes one; nothing for a text that comes from elsewhere, where it is marked."""
    if isinstance(node, ast.IfExp):
        yield from _choice(node.body, name)
        yield from _choice(node.orelse, name)
    elif isinstance(node, (ast.JoinedStr, ast.BinOp)):
        raise ValueError(f"{name}:{node.lineno}: a text is put together before it is looked up: give it named places, and fill them after.")
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value


def _constant(node: ast.expr, name: str) -> str:
    if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
        raise ValueError(f"{name}:{node.lineno}: ngettext wants its two texts as they are.")
    return node.value


def _nested(node: ast.expr, name: str) -> Iterator[str]:
    """The texts in a table, in order; its keys are no texts."""
    if isinstance(node, ast.Dict):
        for value in node.values:
            yield from _nested(value, name)
    elif isinstance(node, (ast.Tuple, ast.List)):
        for value in node.elts:
            yield from _nested(value, name)
    elif isinstance(node, ast.JoinedStr):
        raise ValueError(f"{name}:{node.lineno}: a text in a table is put together when the program runs: give it named places.")
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value


def of_tasks() -> Iterator[Found]:
    """What the tasks say: titles of sections, names of cases, and for each known mistake what the results are and what to do."""
    import numpy as np

    from unrolled.checks import TASKS
    from unrolled.checks.drawn import PUBLIC_SEED

    modules = {id(module.TASK): name for name, module in sys.modules.items() if name.startswith("unrolled.checks.tasks.") and hasattr(module, "TASK")}
    for task in TASKS.values():
        place = f"src/{modules[id(task)].replace('.', '/')}.py"
        rng = np.random.default_rng(PUBLIC_SEED)
        sections = [task.section, *(mistake.section for mistake in task.mistakes if mistake.section)]
        names = [section.title for section in sections] + [case.name for case in [task.form_case(rng), *task.value_cases(rng)]]
        for text in dict.fromkeys(names):
            yield text, place
        for mistake in task.mistakes:
            yield from ((text, place) for text in mistake.messages())


def of_commands() -> Iterator[str]:
    """The help of the command `unrolled`, of those in it, and of their arguments and options."""
    import typer

    from unrolled import cli

    def helps(command: Any) -> Iterator[str]:
        for part in [command, *command.get_params(typer.Context(command))]:
            if getattr(part, "help", None):
                yield " ".join(part.help.split())
        for inner in getattr(command, "commands", {}).values():
            yield from helps(inner)

    return helps(typer.main.get_command(cli.app))


def of_milestones() -> Iterator[str]:
    """What each milestone is called, and what the paper found."""
    from unrolled.yours.milestones import MILESTONES

    return (text for one in MILESTONES.values() for text in (one.title, one.found))


# --- Catalogues --------------------------------------------------------------------------------


def po_file(language: str, domain: str) -> Path:
    return LOCALES / language / "LC_MESSAGES" / f"{domain}.po"


def updated(language: str) -> dict[str, Catalog]:
    """The catalogues of a language with all texts as they are now, and the translations that are there, whichever catalogue they were in."""
    former = {}
    for domain in DOMAINS:
        if po_file(language, domain).exists():
            former |= {message.id: message for message in read(po_file(language, domain)) if message.id and message.string}
    found, wanted = {}, extracted()
    texts = {message.id for template in wanted.values() for message in template}
    left = {_first(message.id): message for message in former.values() if message.id not in texts}  # translations whose text has changed
    for domain, template in wanted.items():
        catalogue = found[domain] = Catalog(locale=language, charset="utf-8")
        for message in template:
            if message.id:
                _take_over(catalogue.add(message.id, locations=message.locations), former.get(message.id), left)
    return found


def _first(text: str | tuple[str, str]) -> str:
    return text if isinstance(text, str) else text[0]


def _take_over(message: Message, same: Message | None, left: dict[str, Message]) -> None:
    """Give a text its translation, or, fuzzy, that of a former text that is much like it."""
    if same is not None:
        message.string, message.flags, message.previous_id = same.string, message.flags | (same.flags & {"fuzzy"}), same.previous_id
        return
    for like in difflib.get_close_matches(_first(message.id), left, n=1, cutoff=0.7):
        if left[like].pluralizable == message.pluralizable:
            message.string, message.previous_id = left[like].string, [like]
            message.flags.add("fuzzy")


def read(path: Path) -> Catalog:
    """A catalogue from its file."""
    with path.open("rb") as stream:
        return read_po(stream, locale=path.parts[-3])


def as_po(catalogue: Catalog) -> bytes:
    """The file of a catalogue: the same for the same texts and translations."""
    whole = io.BytesIO()
    write_po(whole, catalogue, width=0, include_lineno=False, include_previous=True, omit_header=True)
    head = ["# What the package says to learners. Renewed by tools/messages.py.", 'msgid ""', 'msgstr ""']
    head += [f'"{line}\\n"' for line in ("Content-Type: text/plain; charset=utf-8", f"Plural-Forms: {catalogue.plural_forms}")]
    return "\n".join([*head, "", ""]).encode() + whole.getvalue()


def as_mo(catalogue: Catalog) -> bytes:
    """The compiled catalogue: translated texts that are not fuzzy."""
    done = Catalog(locale=catalogue.locale, charset="utf-8", creation_date=NO_DATE, revision_date=NO_DATE)
    for message in catalogue:
        if message.id and is_done(message):
            done.add(message.id, message.string)
    whole = io.BytesIO()
    write_mo(whole, done)
    return whole.getvalue()


def update(language: str) -> list[Path]:
    """Renew the catalogues of a language and compile them; return the files that changed."""
    changed = []
    for domain, catalogue in updated(language).items():
        path = po_file(language, domain)
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_bytes() != as_po(catalogue):
            path.write_bytes(as_po(catalogue))
            changed.append(path)
    return changed + compiled(language)


def compiled(language: str) -> list[Path]:
    """Compile the catalogues of a language; return the files that changed."""
    changed = []
    for path in sorted((LOCALES / language / "LC_MESSAGES").glob("*.po")):
        target, content = path.with_suffix(".mo"), as_mo(read(path))
        if not target.exists() or target.read_bytes() != content:
            target.write_bytes(content)
            changed.append(target)
    return changed


def compile_quizzes(language: str) -> list[Path]:
    """Compile the questions of the terminal's quizzes. The file is not kept in the repository: it would change with each page."""
    target = LOCALES / language / "LC_MESSAGES" / "quizzes.mo"
    target.write_bytes(as_mo(of_quizzes(language)))
    return [target]


def of_quizzes(language: str) -> Catalog:
    """What the terminal asks: each text of a quiz as a whole, with its translation, which the catalogues of the book hold block by block."""
    from unrolled import quizzes
    from unrolled.editions import blocks, catalogues, sources

    found = Catalog(locale=language, charset="utf-8")
    for name, paths in sources.catalogues(ROOT).items():
        path = catalogues.path_of(ROOT, language, name)
        known = catalogues.translations(path, language) if path.is_file() else {}
        for quiz in (quizzes.load(path) for path in paths if known and path.suffix == ".yml"):
            for text in _texts_of(quiz.before + quiz.after):
                if all(known.get(message) for message in blocks.messages(text)):
                    found.add(text, blocks.replace(text, known))
    return found


def _texts_of(questions: Iterable[Any]) -> Iterator[str]:
    """All that `quiz_terminal.spoken` looks up."""
    for one in [part for question in questions for part in (question, *question.choices, *question.mistakes)]:
        yield from filter(None, (getattr(one, name, "") for name in ("prompt", "text", "feedback", "right", "wrong", "unit") if isinstance(getattr(one, name, ""), str)))


def wanting(catalogue: Catalog) -> list[Message]:
    """The texts that have no translation, or one that wants to be looked at."""
    return [message for message in catalogue if message.id and not is_done(message)]


def is_done(message: Message) -> bool:
    """Whether a text has a translation that may be used."""
    strings = message.string if isinstance(message.string, (tuple, list)) else (message.string,)
    return not message.fuzzy and bool(strings) and all(strings)


def pairs_of(catalogue: Catalog) -> Iterator[tuple[str, str]]:
    """Each text with its translation: what is said of several things with each form of it."""
    for message in catalogue:
        if message.id and is_done(message):
            source = message.id if isinstance(message.id, str) else message.id[-1]
            yield from ((source, string) for string in ([message.string] if isinstance(message.string, str) else message.string))


def faults(language: str) -> list[str]:
    """What is wrong with the translations of a language, a sentence each: they are held to what the book's are held to."""
    from unrolled.site import pairs
    from unrolled.site.pairs.said import said_problems

    rules = pairs.load(ROOT / "book", language)
    return [
        f"{language} {domain}: {source} → {translation}: {problem}"
        for domain in DOMAINS
        for source, translation in pairs_of(read(po_file(language, domain)))
        for problem in said_problems(source, translation, rules)
    ]


def languages() -> list[str]:
    return sorted(path.parent.name for path in LOCALES.glob("*/LC_MESSAGES"))


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("do", choices=("update", "compile", "quizzes", "todo"))
    parser.add_argument("language", nargs="*", help="by default all that are there")
    options = parser.parse_args(arguments)
    work = {"update": update, "compile": compiled, "quizzes": compile_quizzes, "todo": lambda language: []}[options.do]
    for language in options.language or languages():
        for path in work(language):
            print(f"{path.relative_to(ROOT)} written")
        for domain in DOMAINS:
            catalogue = read(po_file(language, domain))
            print(f"{language} {domain}: {len(wanting(catalogue))} of {len(catalogue)} texts want work")
            if options.do == "todo":
                print(*(f"    {_first(message.id)}" for message in wanting(catalogue)), sep="\n", end="\n" if wanting(catalogue) else "")
        if options.do in ("compile", "todo"):
            print(*(found := faults(language)), sep="\n", end="\n" if found else "")
    return 0


if __name__ == "__main__":
    sys.exit(main())
