"""Call students by their logins: `unrolled roster FILE.csv` renames what was collected under the platform's numbers.

The platform's zips know students by a number, its gradebook, and so `nbgrader export`, by a login; a table that the platform gives
has both. What it says is kept in `class/roster.json`, so that later collections use the logins at once.
"""

from __future__ import annotations

import csv
import io
import os
import re
import shutil
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from . import referee
from .names import listed, shown, unfit

MAX_TABLE = 64 * 2**20  # bytes
# The columns of the tables that Canvas and Moodle give: the number, and what their imports find a student by.
KNOWN = (("ID", "SIS Login ID"), ("Identifier", "Email address"), ("Identifier", "Username"))


class RosterError(ValueError):
    """Nothing was moved; the message says why, a line for each row or folder that is in the way."""


@dataclass(frozen=True)
class Row:
    """A student in the table. line: where it stands there."""

    line: int
    number: str
    login: str


@dataclass
class Plan:
    """What is to be moved: pairs of folders, and the folders that this leaves empty. logins: whom the table knows, by number.
    remarks: what else to tell."""

    logins: dict[str, str]
    moves: list[tuple[Path, Path]] = field(default_factory=list)
    emptied: list[Path] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


# --- The table ---------------------------------------------------------------------------------


def read_table(file: Path) -> tuple[list[str], list[tuple[int, dict[str, str]]]]:
    """The columns of a CSV file and its rows by their line. Commas, semicolons or tabs, in UTF-8 or UTF-16. Raises RosterError."""
    try:
        with open(file, "rb") as opened:
            data = opened.read(MAX_TABLE + 1)
    except OSError as error:
        raise RosterError(f"{shown(file)} can't be read: {error.strerror}.") from None
    if len(data) > MAX_TABLE:
        raise RosterError(f"{shown(file)} has more than {MAX_TABLE // 2**20} MB: that is no list of students.")
    try:
        text = data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError:
        raise RosterError(f"{shown(file)} is not in UTF-8: save it as “CSV UTF-8”, or take the file as the platform gave it.") from None
    header = text.lstrip("\r\n").partition("\n")[0]
    separator = max(",;\t", key=header.count)
    try:
        reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=separator, restkey="", restval="")
        columns = [column.strip() for column in reader.fieldnames or []]
        reader.fieldnames = columns
        return columns, [(reader.line_num, row) for row in reader]
    except csv.Error as error:
        raise RosterError(f"{shown(file)} is no CSV file ({error}).") from None


def columns_of(columns: list[str], number: str | None, login: str | None) -> tuple[str, str]:
    """The two columns to read: those named, else those of Canvas's or Moodle's tables. Raises RosterError when they aren't there."""
    if number is None and login is None:
        found = next((pair for pair in KNOWN if set(pair) <= set(columns)), None)
        if found:
            return found
    known_number = number or next((a for a, _ in KNOWN if a in columns), None)
    known_login = login or next((b for _, b in KNOWN if b in columns), None)
    if known_number in columns and known_login in columns:
        return known_number, known_login
    raise RosterError(
        "The table must have a column with the platform's number of each student and one with their login; name them by --number and "
        f"--login. Its columns are {listed(columns, 20)}."
    )


def rows_of(file: Path, number: str | None = None, login: str | None = None) -> list[Row]:
    """The students of a table. Rows without a number, such as Canvas's “Points Possible”, are none."""
    columns, table = read_table(file)
    of_number, of_login = columns_of(columns, number, login)
    rows = []
    for line, row in table:
        # Moodle writes the number after a word in the language of its user: “Participant 657713”.
        found = re.fullmatch(r"(?:[^0-9]*[^0-9.,+-])?([0-9]+)", row[of_number].strip())
        if found:
            rows.append(Row(line, found[1], row[of_login].strip(" \t\r\n\ufeff\xa0")))
        elif row[of_number].strip():
            raise RosterError(f"Line {line}: “{shown(row[of_number])}” in the column “{shown(of_number)}” is no student's number.")
    if not rows:
        raise RosterError(f"{shown(file)} has no student in it.")
    return rows


# --- What is to be moved -----------------------------------------------------------------------


def problems_of(rows: list[Row]) -> Iterator[tuple[set[str], str]]:
    """What is wrong with the rows of a table: the numbers that each problem concerns, and a sentence."""
    logins, numbers = defaultdict(list), defaultdict(list)
    for row in rows:
        logins[row.login].append(row)
        numbers[row.number].append(row)
    for row in rows:
        if problem := unfit(row.login):
            yield {row.number}, f"Line {row.line}: the login “{shown(row.login)}” of {row.number} {problem}."
        elif row.login in numbers and row.login != row.number:
            yield {row.number, row.login}, f"Line {row.line}: the login {row.login} of {row.number} is another student's number."
    for login, same in logins.items():
        if login and len(of := {row.number for row in same}) > 1:
            yield of, f"Lines {_lines(same)}: the login “{shown(login)}” stands for {listed(sorted(of))}."
    for number, same in numbers.items():
        if len(of := {row.login for row in same}) > 1:
            yield {number}, f"Lines {_lines(same)}: the number {number} has the logins {listed(sorted(of))}."


def _lines(rows: list[Row]) -> str:
    return " and ".join(str(row.line) for row in rows)


def plan(rows: list[Row], submitted: Path, folder: referee.ClassFolder, force: bool = False) -> Plan:
    """What to move so that everybody's folders in `submitted` have their logins. Raises RosterError when anything is in the way.

    A bad row stops it when one whom it concerns has handed in; else it is a remark. force: a login's work for an assignment is
    replaced by that which was collected under the number.
    """
    made = Plan({row.number: row.login for row in rows})
    problems = []
    for numbers, problem in problems_of(rows):
        concerned = any(os.path.lexists(submitted / number) for number in numbers)
        (problems if concerned else made.remarks).append(problem)
        for number in numbers:
            made.logins.pop(number, None)
    for number, login in sorted(made.logins.items()):
        source = submitted / number
        if login == number or not os.path.lexists(source):
            continue
        if source.is_symlink() or not source.is_dir():
            problems.append(f"{source} is no folder.")
            continue
        made.emptied.append(source)
        for assignment in sorted(source.iterdir()):
            target = submitted / login / assignment.name
            if os.path.lexists(target) and not force:
                problems.append(
                    f"“{shown(login)}” handed in “{shown(assignment.name)}” already, and so did {number}: remove one of the two folders, or "
                    "give --force to keep that of the number."
                )
            made.moves.append((assignment, target))
        if folder.record_path(number, "", "").parent.is_dir():
            made.remarks.append(
                f"{number} was graded under this number, and keeps these grades in the gradebook: `nbgrader db student remove {number} "
                f"--force` removes them. “{shown(login)}” is to be graded."
            )
    if problems:
        raise RosterError("\n".join(["Nothing was moved.", *problems]))
    return made


def carry_out(made: Plan, folder: referee.ClassFolder) -> None:
    """Move the folders, each as a whole. Whoever stops it in the middle runs it again: what was moved is not there to be moved."""
    folder.keep_roster({**folder.roster(), **made.logins})
    for source, target in made.moves:
        target.parent.mkdir(parents=True, exist_ok=True)
        replaced = target.with_name(f".{target.name}.replaced")
        _remove(replaced)
        if os.path.lexists(target):
            target.rename(replaced)
        source.rename(target)
        _remove(replaced)
    for source in made.emptied:
        source.rmdir()


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
