"""Texts with a label each: a learner's own, from CSV, TSV, JSON lines or a folder for each class, and their split into three parts."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..language import gettext, listed, texts
from ._ask import whole_number
from ._short import Short
from .files import LARGEST_MB, decoded, read_bytes

# Column names that people use, the likeliest first; written small, with single spaces. Texts of several such columns are joined.
_TEXT_NAMES = ("text", "review", "review text", "reviewtext", "review body", "sentence", "content", "comment", "tweet", "message", "body", "sms",
               "headline", "title", "description", "abstract", "summary", "question", "document", "phrase", "utterance", "name", "word")  # fmt: skip
_LABEL_NAMES = ("label", "class", "class index", "sentiment", "category", "target", "polarity", "topic", "intent", "language", "lang", "genre",
                "emotion", "stars", "overall", "rating", "score", "y", "type")  # fmt: skip
# News come as a title and a text that goes on from it: both are read.
_JOINED = (("title", "description"), ("title", "content"), ("title", "text"), ("title", "body"), ("title", "abstract"), ("headline", "content"))
# Folders of texts without a label, beside the folders of the classes: IMDB's.
_UNLABELLED_FOLDERS = ("unsup",)
EITHER, ALL = texts(("{first} or {second}", "{first} and {second}"))
HELD_OUT = texts(("validation", "test"))
FEW_GROUPS, FEW_TEXTS = texts((
    "Three parts should each have some rows, but the {rows} rows have {count} groups, too few to share out; bring more data, or name another group column.",
    "Three parts should each have some rows, but the {rows} rows have {count} different texts, too few to share out; bring more data, or name another group column.",
))  # fmt: skip
# Why rows are left out, by the names in `LabelledTexts.dropped`.
REASONS = texts({
    "not readable": "{count:,} not readable", "without text": "{count:,} without text", "without label": "{count:,} without label",
    "without group": "{count:,} without group", "repeated": "{count:,} repeated",
})  # fmt: skip


@dataclass(frozen=True, repr=False)
class LabelledTexts(Short):
    """Texts, a label for each, and a group for each where a group column was named; all of one length.

    dropped: how many rows were left out, for each reason. notes: what a reader should know, each a whole sentence (guessed columns, a guessed
    encoding, what was dropped).
    """

    texts: list[str]
    labels: list[str]
    groups: list[str] | None = None
    dropped: dict[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.texts)

    @property
    def classes(self) -> list[str]:
        """The labels that occur, sorted: numbers by size, words by the alphabet."""
        return sorted(set(self.labels), key=_by_size)

    def take(self, rows: Iterable[int]) -> LabelledTexts:
        """The rows of these numbers, in this order."""
        rows = [int(row) for row in rows]
        groups = None if self.groups is None else [self.groups[row] for row in rows]
        return replace(self, texts=[self.texts[row] for row in rows], labels=[self.labels[row] for row in rows], groups=groups)

    def split(self, fractions: Sequence[float] = (0.8, 0.1, 0.1), seed: int = 0) -> Parts:
        """Parts for training, validation and test: each class has about the same share of every part.

        Rows that belong together stay in one part: those of one group or, where there are no groups, those with the same text. Raises
        ValueError for fractions that are not three positive numbers with the sum 1, and where there are too few groups for three parts.
        """
        fractions = _checked_fractions(fractions)
        rng = np.random.default_rng(whole_number(seed, "seed"))
        parts = _stratified(self.groups or self.texts, self.labels, fractions, rng)
        if any(not rows for rows in parts):
            few = gettext(FEW_GROUPS if self.groups else FEW_TEXTS)
            raise ValueError(few.format(rows=len(self), count=len(set(self.groups or self.texts))))
        train, validation, test = (self.take(rows) for rows in parts)
        notes = []
        for name, part in zip(HELD_OUT, (validation, test), strict=True):
            unseen = sorted(set(part.labels) - set(train.labels), key=_by_size)
            if unseen:
                notes.append(gettext("The {name} part has {labels}, which no training example has: no model can know it.").format(name=gettext(name), labels=_few(unseen)))
            absent = sorted(set(train.labels) - set(part.labels), key=_by_size)
            if absent:
                notes.append(gettext("The {name} part has no example of {labels}: it says nothing about that.").format(name=gettext(name), labels=_few(absent)))
            seen = set(train.texts)
            if repeated := sum(text in seen for text in part.texts):
                repetition = gettext("{repeated:,} of the {count:,} texts of the {name} part stand in the training part, too, in another group.")
                notes.append(repetition.format(repeated=repeated, count=len(part), name=gettext(name)))
        return Parts(train, validation, test, tuple(notes))


class Parts(NamedTuple):
    """train, validation, test: the three parts. notes: what a reader should know about the split, each a whole sentence; often none."""

    train: LabelledTexts
    validation: LabelledTexts
    test: LabelledTexts
    notes: tuple[str, ...]


def labelled(
    path: str | os.PathLike,
    text: str | Sequence[str] | None = None,
    label: str | None = None,
    group: str | None = None,
    encoding: str | None = None,
    largest_mb: float = LARGEST_MB,
) -> LabelledTexts:
    """Read a file of labelled texts: CSV, TSV or JSON lines, or a folder that holds one folder of .txt files for each class.

    text, label, group: names of columns; where a file has no header they are "column 1", "column 2", … Text and label are guessed where they are
    not named, and `notes` say which were taken; several text columns (as title and description) are joined. The group is what must not be torn
    apart by a split, as all reviews of one film; it is never guessed. Rows without text, label or group, rows that can't be read and repetitions of the
    same text with the same label are dropped and counted. AG News' CSV files, IMDB's folders and IMDB's CSV file can be read as they are.

    encoding, largest_mb, and what is raised for files that can't be read: as for `text_file`. Raises ValueError as well for a file without a
    label column, with one class, or without a usable row.
    """
    path = Path(path).expanduser()
    if path.is_dir():
        return _from_folder(path, encoding, largest_mb)
    file = decoded(read_bytes(path, largest_mb), path, encoding)
    table = _read_table(file.text, path)
    texts, label_column = _columns(table, path, text, label)
    group_column = None if group is None else _named(group, "group", table, path)
    notes = list(file.notes)
    if text is None or label is None:
        notes.append(gettext(
            "Texts are taken from {columns}, labels from {label_column!r}: name other columns by text= and label= if that is "
            "wrong."
        ).format(columns=_few(texts, ALL), label_column=label_column))
    rows = [
        (
            " ".join(part for name in texts if (part := row.get(name, "").strip())),
            row.get(label_column, "").strip(),
            None if group_column is None else row.get(group_column, "").strip(),
        )
        for row in table.rows
    ]
    return _cleaned(rows, Counter({"not readable": table.unreadable}), notes, path, gettext("column {name!r}").format(name=label_column))


def _cleaned(rows: list[tuple[str, str, str | None]], dropped: Counter, notes: list[str], path: Path, where: str) -> LabelledTexts:
    """Drop what can't be learned from, and count it."""
    kept: dict[tuple[str, str], str | None] = {}
    for text, label, group in rows:
        if not text:
            dropped["without text"] += 1
        elif not label:
            dropped["without label"] += 1
        elif group == "":
            dropped["without group"] += 1
        elif (text, label) in kept:
            dropped["repeated"] += 1
        else:
            kept[text, label] = group
    dropped = Counter({reason: count for reason, count in dropped.items() if count})
    total = len(kept) + sum(dropped.values())
    counted = listed(gettext(REASONS[reason]).format(count=count) for reason, count in dropped.items())
    if not kept:
        raise ValueError(gettext(
            "{path} should have rows with a text and a label, but none of its {total:,} rows has both ({counted}); check the "
            "names of the columns."
        ).format(path=path, total=total, counted=counted or gettext('no row at all')))  # fmt: skip
    classes = Counter(label for _, label in kept)
    if len(classes) == 1:
        raise ValueError(
            gettext(
                "{path} should have texts of at least two classes, but all {count:,} usable rows have the label {label!r} ({where}); "
                "there is nothing to tell apart: name another label column, or add texts of another class."
            ).format(path=path, count=len(kept), label=next(iter(classes)), where=where)
        )
    if len(classes) > 0.5 * len(kept) and len(kept) > 10:
        raise ValueError(
            gettext(
                "Labels should recur, but {where} of {path} has {different:,} different ones in {count:,} rows; name the label "
                "column (label=...)."
            ).format(where=where, path=path, different=len(classes), count=len(kept))
        )
    if dropped:
        notes.append(gettext("Of {total:,} rows, {lost:,} were dropped: {counted}.").format(total=total, lost=sum(dropped.values()), counted=counted))
    contradicting = len(kept) - len({text for text, _ in kept})
    if contradicting:
        notes.append(gettext(
            "{contradicting:,} texts occur again with another label: no classifier can be right about both."
        ).format(contradicting=contradicting))
    groups = None if None in kept.values() else list(kept.values())
    return LabelledTexts([text for text, _ in kept], [label for _, label in kept], groups, dict(dropped), tuple(notes))


# --- Tables ------------------------------------------------------------------------------------


class _Table(NamedTuple):
    """columns: names in their order. rows: a string for each column that a row has. unreadable: lines that are no row."""

    columns: list[str]
    rows: list[dict[str, str]]
    unreadable: int


def _read_table(text: str, path: Path) -> _Table:
    """JSON where the text begins like it, or the name says so; else values that a separator parts."""
    begins = text.lstrip()[:1]
    if path.suffix.lower() in (".jsonl", ".ndjson", ".json") or (begins in "{[" and path.suffix.lower() not in (".csv", ".tsv")):
        return _read_json(text, path)
    return _read_separated(text, path)


def _read_json(text: str, path: Path) -> _Table:
    """JSON lines, or one list of objects."""
    records, unreadable, problem = [], 0, None
    if text.lstrip().startswith("["):
        try:
            records = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ValueError(gettext(
                "{path} should be a JSON list of objects, but it can't be read ({error}); write one object a line instead."
            ).format(path=path, error=error)) from None
    else:
        for number, line in enumerate(text.split("\n"), 1):  # splitlines would cut at separators that may stand inside JSON strings
            if line.strip():
                try:
                    records.append(json.loads(line))
                except (ValueError, RecursionError) as error:
                    unreadable += 1
                    problem = problem or gettext("line {number}: {error}").format(number=number, error=error)
    objects = [record for record in records if isinstance(record, dict)]
    if len(objects) < len(records):
        problem = problem or gettext("{value} is no object").format(value=json.dumps(next(record for record in records if not isinstance(record, dict)))[:60])
    unreadable += len(records) - len(objects)
    if not objects or unreadable > len(objects):
        raise ValueError(
            gettext(
                '{path} should have one JSON object a line, such as {{"text": "...", "label": "..."}}, but {unreadable:,} of '
                "{total:,} can't be read so ({problem}); write it again as JSON lines or CSV."
            ).format(path=path, unreadable=unreadable, total=unreadable + len(objects), problem=problem)
        )
    columns = list(dict.fromkeys(str(name) for record in objects for name in record))
    rows = [{str(name): _as_text(value) for name, value in record.items()} for record in objects]
    return _Table(columns, rows, unreadable)


def _as_text(value: object) -> str:
    """A JSON value as a cell of a table; null, lists and objects are empty."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, str | int | float) else ""


def _read_separated(text: str, path: Path) -> _Table:
    separator = None
    if named := re.match(r"sep=(.)\n", text):  # Excel's way to say it
        separator, text = named[1], text[named.end() :]
    elif path.suffix.lower() in (".tsv", ".tab"):
        separator = "\t"
    if separator is None:
        separator = max(",\t;|", key=lambda one: _regularity(text, one))
    records = _best_reading(text, separator)
    if not records:
        raise ValueError(gettext("{path} should have rows of values, but it holds separators alone; choose another file.").format(path=path))
    width, _ = _commonest_width(records)
    if width < 2:
        raise ValueError(
            gettext(
                "{path} should have a text and a label in each row, parted by comma, tab, semicolon or bar, but most rows have one "
                "value; write it as CSV, TSV or JSON lines."
            ).format(path=path)
        )
    whole = [record for record in records if len(record) == width]
    header = whole[0] if records[0] is whole[0] and _is_header(whole) else None
    columns = _unique([cell.strip() for cell in header]) if header else [f"column {i}" for i in range(1, width + 1)]
    rows = [dict(zip(columns, record, strict=True)) for record in whole[1 if header else 0 :]]
    if not rows:
        raise ValueError(gettext("{path} should have rows below its header, but it has none; choose another file.").format(path=path))
    return _Table(columns, rows, len(records) - len(whole))


def _regularity(text: str, separator: str) -> tuple[float, int]:
    """How alike the first rows are when cut by that separator: the share of rows with the commonest number of values, if more than one."""
    records = _cells(text[:100_000], separator, csv.QUOTE_MINIMAL)[:200]
    width, rows = _commonest_width(records)
    return (rows / len(records), width) if width > 1 else (0.0, 0)


def _commonest_width(records: list[list[str]]) -> tuple[int, int]:
    """How many values most rows have, and how many rows these are."""
    return Counter(map(len, records)).most_common(1)[0] if records else (0, 0)


def _best_reading(text: str, separator: str) -> list[list[str]]:
    """The cells of each row; quotation marks hold a value together, unless the file does not mean them so.

    Tab-separated files often have loose quotation marks, which would swallow rows: the reading with fewer odd rows is taken, then the one with more
    rows, then the usual one.
    """
    readings = [_cells(text, separator, quoting) for quoting in (csv.QUOTE_MINIMAL, csv.QUOTE_NONE)]
    return min(readings, key=lambda records: (len(records) - _commonest_width(records)[1], -len(records)))


def _cells(text: str, separator: str, quoting: int) -> list[list[str]]:
    before = csv.field_size_limit(sys.maxsize if sys.maxsize < 2**31 else 2**31 - 1)  # 131,072 characters otherwise: less than a long review
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, quoting=quoting, skipinitialspace=separator == ",")
        return [record for record in reader if any(cell.strip() for cell in record)]
    finally:
        csv.field_size_limit(before)


def _is_header(records: list[list[str]]) -> bool:
    """Is the first row names of columns? Names that people use say so; else short words that differ and don't come again below."""
    first = [cell.strip() for cell in records[0]]
    if any(_plain(cell) in _TEXT_NAMES + _LABEL_NAMES for cell in first):
        return True
    if len(set(first)) < len(first) or any(not cell or len(cell) > 40 or len(cell.split()) > 4 or _is_number(cell) for cell in first):
        return False
    return not any(cell in {record[i].strip() for record in records[1:]} for i, cell in enumerate(first))


def _unique(names: list[str]) -> list[str]:
    """Names of columns, where an empty or repeated one is given its number."""
    return [name if name and names.index(name) == i else f"column {i + 1}" for i, name in enumerate(names)]


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _plain(name: str) -> str:
    return " ".join(re.findall(r"[a-z0-9]+", name.lower()))


# --- Columns -----------------------------------------------------------------------------------


def _columns(table: _Table, path: Path, text: str | Sequence[str] | None, label: str | None) -> tuple[list[str], str]:
    """The names of the text columns and of the label column, as named or else guessed."""
    texts = None if text is None else [_named(name, "text", table, path) for name in ([text] if isinstance(text, str) else text)]
    if texts == []:
        raise ValueError(gettext("text should name at least one column, but the list is empty; name one."))
    label = None if label is None else _named(label, "label", table, path)
    if label is None:
        label = _guessed_label(table, path, texts or [])
    if texts is None:
        texts = _guessed_texts(table, path, label)
    if label in texts:
        raise ValueError(gettext(
            "text and label should be different columns, but both are {label!r}; the columns of {path} are {columns}."
        ).format(label=label, path=path, columns=_few(table.columns, ALL)))
    return texts, label


def _named(name: str, what: str, table: _Table, path: Path) -> str:
    """The column of that name; small and large letters are alike where that is clear."""
    if name in table.columns:
        return name
    alike = [column for column in table.columns if _plain(column) == _plain(str(name))]
    if len(alike) == 1:
        return alike[0]
    raise ValueError(gettext(
        "{what} should name a column of {path}, but there is no {name!r}; its columns are {columns}."
    ).format(what=what, path=path, name=name, columns=_few(table.columns, ALL)))


def _guessed_label(table: _Table, path: Path, texts: list[str]) -> str:
    plain = {_plain(name): name for name in reversed(table.columns) if name not in texts}
    for name in _LABEL_NAMES:
        if name in plain:
            return plain[name]
    # Without a telling name: the only column whose values recur, unless there are several.
    recurring = [name for name in table.columns if name not in texts and _recurs([row.get(name, "").strip() for row in table.rows])]
    if len(recurring) == 1:
        return recurring[0]
    if recurring:
        problem = gettext("{path} should have a column of labels, but it could be {names}; name it: label=... (the columns are {columns}).")
        raise ValueError(problem.format(path=path, names=_few(recurring), columns=_few(table.columns, ALL)))
    problem = gettext("{path} should have a column of labels, but no column is named like one and has values that recur; name it: label=... (the columns are {columns}).")
    raise ValueError(problem.format(path=path, columns=_few(table.columns, ALL)))


def _recurs(values: list[str]) -> bool:
    values = [value for value in values if value]
    return 2 <= len(set(values)) <= len(values) / 2 and max(map(len, set(values))) <= 60


def _guessed_texts(table: _Table, path: Path, label: str) -> list[str]:
    plain = {_plain(name): name for name in reversed(table.columns) if name != label}
    for pair in _JOINED:
        if all(name in plain for name in pair):
            return [plain[name] for name in pair]
    for name in _TEXT_NAMES:
        if name in plain:
            return [plain[name]]
    # Without a telling name: columns of words, as AG News' two without a header.
    others = [name for name in table.columns if name != label]
    words = {name: np.mean([len(row.get(name, "").split()) for row in table.rows[:1000]]) for name in others}
    wordy = [name for name in others if words[name] >= 3]
    if wordy or len(others) == 1:
        return wordy or others
    raise ValueError(gettext("{path} should have a column of texts, but it could be {columns}; name it: text=...").format(path=path, columns=_few(others)))


def _few(names: Sequence[str], link: str = EITHER) -> str:
    """At most eight names in quotation marks, as one reads them aloud."""
    *before, last = [repr(name) for name in names[:8]] + ([gettext("{count} more").format(count=len(names) - 8)] if len(names) > 8 else [])
    return gettext(link).format(first=listed(before), second=last) if before else last


def _by_size(label: str) -> tuple[float, str]:
    return (float(label) if _is_number(label) and np.isfinite(float(label)) else np.inf, label)


# --- Folders -----------------------------------------------------------------------------------


def _from_folder(path: Path, encoding: str | None, largest_mb: float) -> LabelledTexts:
    """One folder of .txt files for each class, as IMDB's."""
    classes = [folder for folder in sorted(path.iterdir()) if folder.is_dir() and any(folder.glob("*.txt"))]
    if not classes:
        inner = [folder.name for folder in sorted(path.iterdir()) if folder.is_dir() and any(folder.glob("*/*.txt"))]
        if inner:
            problem = gettext("{path} should hold one folder of .txt files for each class, but it does not; name one of {names} in it.")
            raise ValueError(problem.format(path=path, names=_few(inner)))
        problem = gettext("{path} should hold one folder of .txt files for each class, but it does not; name a CSV, TSV or JSON lines file instead.")
        raise ValueError(problem.format(path=path))
    files = [(folder.name, file) for folder in classes if folder.name not in _UNLABELLED_FOLDERS for file in sorted(folder.glob("*.txt"))]
    size = sum(file.stat().st_size for _, file in files)
    if size > largest_mb * 1e6:
        raise ValueError(gettext(
            "{path} should have at most {largest_mb:g} MB of texts, but it has {size:.0f} MB; take a part of it, or pass a "
            "larger largest_mb."
        ).format(path=path, largest_mb=largest_mb, size=size / 1e6))
    dropped: Counter = Counter()
    for folder in classes:
        if folder.name in _UNLABELLED_FOLDERS:
            dropped["without label"] += sum(1 for _ in folder.glob("*.txt"))
    rows, notes = [], []
    for label, file in files:
        raw = read_bytes(file, largest_mb)
        if not raw.strip():
            dropped["without text"] += 1
            continue
        read = decoded(raw, file, encoding)
        rows.append((read.text.strip(), label, None))
        notes += read.notes[: 1 - len(notes)]  # one guessed encoding stands for all
    return _cleaned(rows, dropped, notes, path, gettext("the name of the folder"))


# --- Splitting ---------------------------------------------------------------------------------


def _checked_fractions(fractions: Sequence[float]) -> np.ndarray:
    shares = np.asarray(fractions, dtype=np.float64)
    if shares.shape != (3,) or not (shares > 0).all() or abs(shares.sum() - 1) > 1e-9:
        raise ValueError(gettext(
            "fractions should be three numbers above 0 with the sum 1, for training, validation and test, but they are "
            "{fractions!r}."
        ).format(fractions=fractions))
    return shares


def _stratified(together: Sequence[str], labels: Sequence[str], fractions: np.ndarray, rng: np.random.Generator) -> list[list[int]]:
    """Numbers of rows for each part, in rising order. Rows with the same value in `together` share a part, and each class is shared out by `fractions`.

    Bundles come in random order, and each goes to the part that lacks the largest share of what it should have of the bundle's classes (the idea of
    iterative stratification, Sechidis et al. 2011). Were they sorted by size, as is often done, all large ones would end in the largest part, and the
    test would ask for something else than training told. Bundles of one row come last, class by class, and fill what is missing. No part stays empty
    where there are as many bundles as parts.
    """
    number = {label: i for i, label in enumerate(sorted(set(labels)))}
    bundles: dict[str, list[int]] = {}
    for row, key in enumerate(together):
        bundles.setdefault(key, []).append(row)
    items = list(bundles.values())
    shuffled = [items[i] for i in rng.permutation(len(items))]
    per_class = np.bincount([number[label] for label in labels], minlength=len(number))
    wanted = fractions[:, None] * per_class  # (parts, classes): rows that each part should have
    missing = wanted.copy()
    largest = fractions.argmax()
    parts: list[list[list[int]]] = [[] for _ in fractions]
    for rows in shuffled:
        if len(rows) > 1:
            counts = np.bincount([number[labels[row]] for row in rows], minlength=len(number))
            lacking = (missing / wanted) @ counts  # (parts,)
            lacking[(len(rows) > fractions * len(labels)) & (np.arange(len(parts)) != largest)] = -np.inf  # larger than the whole part
            part = int(lacking.argmax())
            parts[part].append(rows)
            missing[part] -= counts
    singles: list[list[list[int]]] = [[] for _ in number]
    for rows in shuffled:
        if len(rows) == 1:
            singles[number[labels[rows[0]]]].append(rows)
    for label, rows in enumerate(singles):
        open_places = np.maximum(missing[:, label], 0)
        shares = open_places / open_places.sum() if open_places.sum() > 0 else fractions
        cuts = np.round(np.cumsum(shares) * len(rows)).astype(int)[:-1]
        if len(rows) >= len(parts) and (open_places > 0).all():  # a class with a row for each part is met in each
            cuts = np.clip(cuts, np.arange(1, len(parts)), len(rows) - np.arange(1, len(parts))[::-1])
        for part, start, stop in zip(parts, [0, *cuts], [*cuts, len(rows)], strict=True):
            part += rows[start:stop]
    for part in parts:
        richest = max(parts, key=len)
        if not part and len(richest) > 1:
            part.append(richest.pop(min(range(len(richest)), key=lambda i: len(richest[i]))))
    return [sorted(row for rows in part for row in rows) for part in parts]

