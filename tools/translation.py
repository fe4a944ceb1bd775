"""Translations of the book: keep the catalogues in step with the sources, see what is to be done, and enter what was written.

    python tools/translation.py update                       # every catalogue follows its source; what needs work is listed
    python tools/translation.py status                       # the list alone
    python tools/translation.py todo recurrence/rnn          # the entries without a translation, to fill in
    python tools/translation.py enter recurrence/rnn FILE    # checks what was filled in, and stores it
    python tools/translation.py tree                         # writes the translated sources, _build/zh_CN, which jupyter-book builds
    python tools/translation.py --language pt_BR todo site   # for another language than Chinese; update, status and tree take all that there are

`todo` writes numbered blocks. A translation goes below the line of three dashes; what is left empty stays to be done:

    ### 1
    A network that reads one word at a time keeps a state.
    ---
    逐词读取的网络会保存一个状态。

Whoever completes README gets the translated file beside the English one. `enter` looks an entry up by its source text; a block whose source was left out counts by its number. A pair that fails a check is not stored; the
reason is listed. A page without any translation has no catalogue.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable
from pathlib import Path

from unrolled.editions import blocks, catalogues, sources, tree

COURSE = Path(__file__).resolve().parents[1]
BUILT = COURSE / "_build"
HEAD = re.compile(r"^### (\d+)[ \t]*$", re.MULTILINE)
DASHES = re.compile(r"^---[ \t]*$", re.MULTILINE)


class Refused(Exception):
    """Nothing is done; the message says why."""


def messages_of(course: Path, name: str) -> list[str]:
    """The messages of a catalogue. Raises Refused for a name that is none."""
    try:
        return sources.messages(course, name)
    except KeyError:
        raise Refused(f"There is no catalogue {name!r}. There are: {', '.join(sources.catalogues(course))}.") from None


def todo(course: Path, language: str, name: str, everything: bool = False) -> str:
    """The entries without a translation, or all with `everything`, as numbered blocks. Numbers count all messages of the catalogue from 1."""
    path = catalogues.path_of(course, language, name)
    messages = messages_of(course, name)
    known = catalogues.read(path, language)
    open_ = set(messages) if everything else {*(standing := catalogues.standing(path, language, messages)).missing, *standing.fuzzy}
    return "\n".join(_block(number, message, known.get(message)) for number, message in enumerate(messages, 1) if message in open_)


def _block(number: int, message: str, entry: object) -> str:
    text = str(entry.string) if entry is not None and entry.string else ""  # a fuzzy one is a good beginning
    return f"### {number}\n{message}\n---\n{text}\n"


def parse(text: str) -> list[tuple[int, str, str]]:
    """Number, source and translation of each block."""
    found = []
    heads = list(HEAD.finditer(text))
    for head, after in zip(heads, [*heads[1:], None], strict=False):
        body = text[head.end() : after.start() if after else len(text)].strip("\n")
        if not (dashes := DASHES.search(body)):
            raise Refused(f"Block {head[1]} should have a line --- between its source and its translation, and has none.")
        found.append((int(head[1]), body[: dashes.start()].strip(), body[dashes.end() :].strip()))
    if not found:
        raise Refused("The file should hold blocks that begin with a line such as ### 1, as todo writes them, and holds none.")
    return found


def enter(course: Path, language: str, name: str, text: str, problems: Callable[[str, str], list[str]]) -> tuple[int, list[str]]:
    """Store what a file translates. Returns how many entries were stored, and a sentence for each that was not."""
    messages = messages_of(course, name)
    by_text = {message.strip(): message for message in messages}  # a comma with its space is a message, too
    path = catalogues.path_of(course, language, name)
    catalogue = catalogues.updated(catalogues.read(path, language), messages, language)
    stored, refused = 0, []
    for number, source, translation in parse(text):
        if not source and 0 < number <= len(messages):
            source = messages[number - 1]
        if not translation:
            continue
        entry = catalogue.get(by_text.get(source.strip(), source))
        if entry is None:
            refused.append(f"### {number}: the source text is not one of {name}; it may have changed: {source[:80]!r}")
        elif found := problems(source, translation):
            refused.append(f"### {number}: {' '.join(found)}")
        else:
            entry.string = translation
            entry.flags.discard("fuzzy")
            entry.previous_id = []
            stored += 1
    if stored:
        catalogues.write(path, catalogue)
        write_readme(course, language)
    return stored, refused


def update(course: Path, language: str) -> None:
    """Let every catalogue that there is follow its sources; one whose page has gone goes."""
    known = sources.catalogues(course)
    folder = course / catalogues.FOLDER / language
    for path in sorted(folder.rglob("*.po")):
        name = path.relative_to(folder).with_suffix("").as_posix()
        if name in known:
            catalogues.write(path, catalogues.updated(catalogues.read(path, language), sources.messages(course, name), language))
        else:
            path.unlink()
    write_readme(course, language)


def readme(course: Path, language: str) -> Path:
    """The translated README."""
    return course / f"README.{language.replace('_', '-')}.md"


def write_readme(course: Path, language: str) -> None:
    """Write the translated README beside the English one, once its catalogue is complete."""
    path = catalogues.path_of(course, language, sources.README)
    if catalogues.standing(path, language, sources.messages(course, sources.README)).complete:
        readme(course, language).write_text(sources.replaced(course / "README.md", catalogues.translations(path, language)), encoding="utf-8")


def status(course: Path, language: str) -> list[str]:
    """A line for each catalogue that needs work."""
    lines = []
    for name in sources.catalogues(course):
        path = catalogues.path_of(course, language, name)
        messages = sources.messages(course, name)
        standing = catalogues.standing(path, language, messages)
        if not path.is_file():
            lines.append(f"{name}: not begun, {len(messages)} entries")
        elif not standing.complete:
            lines.append(f"{name}: {len(standing.missing)} missing, {len(standing.fuzzy)} changed, of {len(messages)} entries")
    return lines


def checks(course: Path, language: str) -> Callable[[str, str], list[str]]:
    """What is asked of a pair of source and translation."""
    from unrolled.site import pairs

    rules = pairs.load(course / "book", language)
    return lambda source, translation: pairs.problems(source, translation, rules)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--language", help="the catalogues' language; by default all that there are, or for a page zh_CN")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("update")
    commands.add_parser("status")
    commands.add_parser("tree")
    for name in ("todo", "enter"):
        command = commands.add_parser(name)
        command.add_argument("page", help="such as recurrence/rnn, pictures, site or README")
        if name == "todo":
            command.add_argument("--all", action="store_true", help="translated entries, too: to revise them")
        else:
            command.add_argument("file", type=Path)
    given = parser.parse_args(arguments)
    of_a_page = given.language or "zh_CN"
    languages = [given.language] if given.language else catalogues.languages(COURSE)
    try:
        if given.command == "todo":
            print(todo(COURSE, of_a_page, given.page, given.all), end="")
        elif given.command == "enter":
            stored, refused = enter(COURSE, of_a_page, given.page, given.file.read_text(encoding="utf-8"), checks(COURSE, of_a_page))
            print("\n".join([f"{stored} entries stored in {catalogues.path_of(COURSE, of_a_page, given.page).relative_to(COURSE)}.", *refused]))
            return 1 if refused else 0
        elif given.command == "tree":
            for language in languages:
                tree.write(COURSE, language, BUILT / language, BUILT / "html")
        else:
            for language in languages if given.command == "update" else ():
                update(COURSE, language)
            wanting = [f"{language} {line}" for language in languages for line in status(COURSE, language)]
            print("\n".join(wanting) or "Every catalogue is complete.")
    except (Refused, blocks.UnknownDirective, OSError) as reason:
        print(reason, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
