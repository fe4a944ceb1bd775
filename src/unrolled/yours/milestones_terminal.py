"""Milestones in the terminal: which there are, and running one with its progress, its picture and a record of it."""

from __future__ import annotations

import datetime
import difflib
import json
import os
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from .. import __version__
from ..language import gettext, listed
from ..terminal import wrapped
from .milestones import MILESTONES, MilestoneError, Run, run
from .milestones.base import own_functions

FOLDER = "milestones"  # in work/
RECORD = "record.json"


def list_all(work: Path, console: Console) -> None:
    """A table of the milestones, with how many of their functions are in the learner's package."""
    own, done = own_functions(work), read_record(work)
    table = Table(gettext("name"), "", gettext("yours"), gettext("run"))
    for one in MILESTONES.values():
        mine = sum(name in own for name in one.functions)
        table.add_row(one.name, gettext(one.title), gettext("{count} of {all}").format(count=mine, all=len(one.functions)), done.get(one.name, {}).get("date", ""))
    console.print(table)


def run_one(name: str, work: Path, picture: Path | None, console: Console) -> Run:
    """Run a milestone on the functions of `work/mine/`, write its picture and keep a record of it. Raises MilestoneError, OSError."""
    if name not in MILESTONES:
        near = difflib.get_close_matches(name, MILESTONES, n=1)
        if near:
            text = gettext("There is no milestone {name}; did you mean {near}? they are: {names}.")
        else:
            text = gettext("There is no milestone {name}; they are: {names}.")
        raise MilestoneError(text.format(name=repr(name), near="".join(near), names=listed(MILESTONES)))
    if picture and picture.suffix not in (".png", ".svg", ".pdf"):
        raise MilestoneError(gettext("A picture is written as .png, .svg or .pdf; received {file}.").format(file=picture.name))
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
        console.print("\n".join(wrapped(text, min(console.width, 110))), markup=False, highlight=False)

    one = done.milestone
    console.rule(gettext(one.title))
    if done.own:
        say(gettext("Run on your own {names}.").format(names=listed(done.own)))
    else:
        say(gettext("Run on the course's functions: yours are not in work/mine/ yet; `unrolled package` puts them there."))
    if done.own and done.course:
        say(gettext("The course's stood in for {names}.").format(names=listed(done.course)))
    say(gettext("What the paper found ({paper}): {found}").format(paper=one.paper, found=gettext(one.found)))
    for sentence in done.result.said:
        say(gettext("Here: {result}").format(result=sentence))
    say(gettext("Where that differs: {what}").format(what=done.result.differs))
    if done.cut:
        say(gettext("Careful: {warning}").format(warning=done.cut))
    say(gettext("It took {seconds} s. The picture is {file}.").format(seconds=f"{done.seconds:.0f}", file=file))


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
