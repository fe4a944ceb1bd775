"""Catalogues in PO, which hold the translations: one for each page, one for the drawings, one for the words of the site itself.

    book/locales/zh_CN/recurrence/rnn.po

An entry's msgid is the message as it stands in the source. What changes in the source makes its entry fuzzy, with the former text beside it; an entry
that is fuzzy or empty is not used. What is no longer in the source goes. Babel reads and writes the files.
"""

from __future__ import annotations

import io
import os
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po, unescape, write_po

FOLDER = "book/locales"
THEN = datetime(2026, 1, 1, tzinfo=UTC)  # a date that changes with each run would make every catalogue differ
QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
UNBROKEN = 1_000_000  # characters of a line: at 0 Babel breaks former texts, which no program could read then
HEADER = "# Translations for Unrolled: sequence models from scratch. CONTRIBUTING.md says how to work on them.\n#"


@dataclass(frozen=True)
class Standing:
    """What a catalogue needs: messages without a translation, and those whose source has changed since."""

    missing: list[str]
    fuzzy: list[str]

    @property
    def complete(self) -> bool:
        return not (self.missing or self.fuzzy)


def path_of(course: Path, language: str, name: str) -> Path:
    """Where a catalogue lies; name: such as recurrence/rnn."""
    return course / FOLDER / language / f"{name}.po"


def languages(course: Path) -> list[str]:
    """The languages, beside English, that have a folder of catalogues."""
    folder = course / FOLDER
    return sorted(path.name for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []


def read(path: Path, language: str) -> Catalog:
    """A catalogue; an empty one where there is no file."""
    if not path.is_file():
        return _new(language)
    with path.open("rb") as file:
        catalogue = read_po(file, locale=language)
    for entry in catalogue:
        take_former_text(entry)
    return catalogue


def take_former_text(entry: Message) -> None:
    """Take the former text of an entry, `#| msgid "…"`, out of its remarks, among which Babel puts it."""
    former = " ".join(remark.removeprefix("|") for remark in entry.user_comments if remark.startswith("|"))
    if former:
        entry.previous_id = ["".join(unescape(quoted) for quoted in QUOTED.findall(former))]
        entry.user_comments = [remark for remark in entry.user_comments if not remark.startswith("|")]


def _new(language: str) -> Catalog:
    return Catalog(
        locale=language, project="Unrolled", version="1", charset="utf-8", fuzzy=False, header_comment=HEADER,
        creation_date=THEN, revision_date=THEN, msgid_bugs_address="The Unrolled authors", last_translator="The Unrolled authors", language_team="The Unrolled authors",
    )  # fmt: skip


def updated(catalogue: Catalog, messages: list[str], language: str) -> Catalog:
    """The catalogue with an entry for each message, in the order of the source. Translations stay; those of messages that changed are fuzzy."""
    template = _new(language)
    for message in messages:
        template.add(message)
    former = {entry.id: entry.previous_id for entry in catalogue}
    catalogue.update(template)
    fresh = _new(language)
    for message in messages:
        entry = catalogue.get(message)
        before = (entry.previous_id or former.get(message, ())) if entry.fuzzy else ()
        fresh.add(message, entry.string, flags=entry.flags, user_comments=entry.user_comments, previous_id=before)
    for entry in fresh:  # Babel takes the sign of per cent for a placeholder
        entry.flags.discard("python-format")
    return fresh


def write(path: Path, catalogue: Catalog) -> None:
    """Write the catalogue in place of the file; the same catalogue gives the same bytes."""
    content = io.BytesIO()
    write_po(content, catalogue, width=UNBROKEN, ignore_obsolete=True, include_previous=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.write_bytes(content.getvalue())
    os.replace(beside, path)


def translations(path: Path, language: str) -> dict[str, str]:
    """What a catalogue translates: neither empty entries nor fuzzy ones."""
    return {str(entry.id): str(entry.string) for entry in read(path, language) if entry.id and entry.string and not entry.fuzzy}


def standing(path: Path, language: str, messages: list[str]) -> Standing:
    """How far a catalogue has come, against the messages that its sources have now."""
    known = read(path, language)
    entries = {message: known.get(message) for message in messages}
    missing = [message for message, entry in entries.items() if entry is None or not (entry.string or entry.fuzzy)]
    return Standing(missing, [message for message, entry in entries.items() if entry is not None and entry.fuzzy])
