"""What do checks say of wrong functions? `python benchmarks/diagnosis.py FOLDER`

FOLDER holds one file for each wrong function; its first line names the task (`# check: rnn_step`). Every function is checked as at home.
A row for each says how it was explained, and what was said of it; then come the counts:

- passed: the check found nothing wrong;
- exactly: an error's failing part, an argument that is never read, a known mistake, an edit of a right answer, or a simple relation;
- located: where it is wrong and where it is right;
- unexplained: only that it differs.

`--seed N` judges with other cases, as a class would. `--json` writes `_build/benchmarks/diagnosis.json`, too.
"""

from __future__ import annotations

import argparse
import collections
import linecache
import sys
import textwrap
import time
from pathlib import Path

import numpy as np

from unrolled.checks import find
from unrolled.checks import run as checks_run
from unrolled.checks.record import Record

EXACT = ("shape", "unread", "known", "edit", "relation")


def function_of(path: Path) -> tuple[str, object]:
    """The task's name, and the function that the file defines for it."""
    text = path.read_text(encoding="utf-8")
    first = text.splitlines()[0] if text else ""
    if not first.startswith("# check:"):
        sys.exit(f"{path}: expected a first line like `# check: rnn_step`, found {first[:60]!r}.")
    name = first.removeprefix("# check:").strip()
    linecache.cache[str(path)] = (len(text), None, text.splitlines(True), str(path))
    space: dict[str, object] = {"__name__": "learner"}
    exec(compile(text, str(path), "exec"), space)
    if name not in space:
        sys.exit(f"{path}: expected a function {name}, found none of that name.")
    return name, space[name]


def checked(path: Path, seed: int) -> tuple[Record, float]:
    """The record of a check, and the processor time that it took."""
    name, function = function_of(path)
    task = find(name)
    cases = checks_run.drawn(task, seed)
    for case in (cases.form, *cases.values):  # the truth is there before the clock starts
        if case.judge is None and not case.costly:
            cases.truth(case)
    began = time.process_time()
    record = checks_run.run(task, checks_run.in_process(function), seed)
    return record, time.process_time() - began


def said(record: Record) -> str:
    """What a learner reads of it, in one paragraph."""
    return " ".join([record.explanation or record.message, *record.signs])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=checks_run.PUBLIC_SEED)
    parser.add_argument("--json", action="store_true", help="write the result as a file, too")
    options = parser.parse_args()
    paths = sorted(options.folder.glob("*.py"))
    if not paths:
        sys.exit(f"{options.folder} holds no wrong functions: expected files NAME.py with a first line like `# check: rnn_step`.")
    rows, width = [], max(len(path.stem) for path in paths)
    for path in paths:
        with np.errstate(all="ignore"):
            record, seconds = checked(path, options.seed)
        how = "passed" if record.passed else record.explained
        rows.append({"name": path.stem, "how": how, "seconds": seconds, "said": said(record)})
        print(f"{path.stem:<{width}}  {how:<8}  {seconds:5.2f} s")
        print(textwrap.indent(textwrap.fill(said(record), 110), "    "))
    counts = collections.Counter(row["how"] for row in rows)
    groups = {"passed": counts["passed"], "exactly": sum(counts[how] for how in EXACT), "located": counts["location"], "unexplained": counts["none"]}
    print("\n" + ", ".join(f"{name} {count}" for name, count in counts.items()))
    print(f"{len(rows)} functions: " + ", ".join(f"{name} {count}" for name, count in groups.items())
          + f"; {sum(row['seconds'] for row in rows):.1f} s, the slowest {max(row['seconds'] for row in rows):.2f} s")
    if options.json:
        from common import write

        write("diagnosis", {"rows": rows, "counts": groups})


if __name__ == "__main__":
    main()
