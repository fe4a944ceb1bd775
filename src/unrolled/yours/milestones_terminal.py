"""Milestones in the terminal: which there are, and running one with its progress, its picture and a record of it."""

from __future__ import annotations

import datetime
import difflib
import json
import os
import textwrap
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from .. import __version__
from .milestones import MILESTONES, MilestoneError, Run, run
from .milestones.base import own_functions

FOLDER = "milestones"  # in work/
RECORD = "record.json"


def list_all(work: Path, console: Console) -> None:
    """A table of the milestones, with how many of their functions are in the learner's package."""
    own, done = own_functions(work), read_record(work)
    table = Table("name", "", "yours", "run")
    for one in MILESTONES.values():
        mine = sum(name in own for name in one.functions)
        table.add_row(one.name, one.title, f"{mine} of {len(one.functions)}", done.get(one.name, {}).get("date", ""))
    console.print(table)


def run_one(name: str, work: Path, picture: Path | None, console: Console) -> Run:
    """Run a milestone on the functions of `work/mine/`, write its picture and keep a record of it. Raises MilestoneError, OSError."""
    if name not in MILESTONES:
        near = difflib.get_close_matches(name, MILESTONES, n=1)
        hint = f"did you mean {near[0]}? " if near else ""
        raise MilestoneError(f"There is no milestone {name!r}; {hint}they are: {', '.join(MILESTONES)}.")
    if picture and picture.suffix not in (".png", ".svg", ".pdf"):
        raise MilestoneError(f"A picture is written as .png, .svg or .pdf; received {picture.name}.")
    file = picture or work / FOLDER / f"{name}.png"
    file.parent.mkdir(parents=True, exist_ok=True)
    with console.status(name) as status:
        done = run(MILESTONES[name], own_functions(work), tell=status.update)
    done.picture(file)
    _tell(done, file, console)
    if picture is None:
        _keep(done, file)
    return done


def _tell(done: Run, file: Path, console: Console) -> None:
    def say(text: str) -> None:
        console.print(textwrap.fill(text, min(console.width, 110)), markup=False, highlight=False)

    one = done.milestone
    console.rule(one.title)
    say(f"Run on your own {', '.join(done.own)}." if done.own else "Run on the course's functions: yours are not in work/mine/ yet; `unrolled package` puts them there.")
    if done.own and done.course:
        say(f"The course's stood in for {', '.join(done.course)}.")
    say(f"What the paper found ({one.paper}): {one.found}")
    for sentence in done.result.said:
        say(f"Here: {sentence}")
    say(f"Where that differs: {done.result.differs}")
    if done.cut:
        say(f"Careful: {done.cut}")
    say(f"It took {done.seconds:.0f} s. The picture is {file}.")


def read_record(work: Path) -> dict[str, dict[str, Any]]:
    """What was run before, by name; nothing where there is no record that can be understood."""
    try:
        record = json.loads((work / FOLDER / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {name: entry for name, entry in record.items() if isinstance(entry, dict)} if isinstance(record, dict) else {}


def _keep(done: Run, file: Path) -> None:
    """Add a run to the record: whole or not at all."""
    record = read_record(file.parents[1])
    record[done.milestone.name] = {
        "date": datetime.date.today().isoformat(), "course": __version__, "own": done.own, "missing": done.course, "said": done.result.said,
        "differs": done.result.differs, "alt": done.result.alt, "picture": file.name, "cut": done.cut,
    }  # fmt: skip
    beside = file.parent / f".{RECORD}.new"
    beside.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    os.replace(beside, file.parent / RECORD)
