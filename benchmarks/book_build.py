"""What a cold build of the book costs, per page, against the commit that the budget was set by: processor time, as ratios taken in one run.

    python benchmarks/book_build.py [--rounds 2]

Then the same for both languages: sources of the Chinese book and its build, against the English build alone. The wanted ratio is at most 2.2.

Both builds are plain `jupyter-book build .` in folders of their own, in turn. The wanted ratio is at most 0.65. The workshop in the page is left
out (`UNROLLED_TRY=off`): it is put together by another program, once per machine, and the earlier commit has none.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from common import write

COURSE = Path(__file__).resolve().parents[1]
JUPYTER_BOOK = Path(sys.executable).with_name("jupyter-book")
BEFORE = "4adde6c"
WANTED = 0.65
WANTED_BOTH = 2.2  # English and Chinese against English


def checkout(commit: str, folder: Path) -> None:
    """The course as it was at a commit. Exits with a sentence where git does not know it."""
    archive = subprocess.run(["git", "archive", commit], cwd=COURSE, capture_output=True)
    if archive.returncode:
        sys.exit(f"This benchmark compares with commit {commit}, which this checkout does not have: clone with the whole history.")
    folder.mkdir()
    subprocess.run(["tar", "-x", "-C", folder], input=archive.stdout, check=True)


def seconds(course: Path, *command: str | Path) -> float:
    """Processor seconds of a command in a checkout."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        command, cwd=course, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(course / "src"), "UNROLLED_TRY": "off"},
    )  # fmt: skip
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        sys.exit(f"The book in {course} did not build:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def build(course: Path) -> tuple[float, int]:
    """Processor seconds of a cold build, and how many pages it made."""
    shutil.rmtree(course / "_build", ignore_errors=True)
    spent = seconds(course, JUPYTER_BOOK, "build", ".")
    return spent, len(list((course / "_build/html/book").rglob("*.html")))


def build_chinese(course: Path) -> float:
    """Processor seconds that the Chinese book costs on top: its sources and a cold build."""
    return seconds(course, sys.executable, "tools/translation.py", "tree") + seconds(course, JUPYTER_BOOK, "build", "_build/zh_CN")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=2)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        before, now = Path(folder) / "before", Path(folder) / "now"
        checkout(BEFORE, before)
        checkout(subprocess.run(["git", "stash", "create"], cwd=COURSE, capture_output=True, text=True).stdout.strip() or "HEAD", now)
        rows = []
        for turn in range(rounds):
            (old, old_pages), (new, new_pages) = build(before), build(now)
            both = (new + build_chinese(now)) / new
            ratio = (new / new_pages) / (old / old_pages)
            rows.append({"before": old, "before_pages": old_pages, "now": new, "now_pages": new_pages, "ratio": ratio, "both": both})
            print(f"round {turn + 1}: {BEFORE} {old:5.1f} s for {old_pages} pages, now {new:5.1f} s for {new_pages}: {ratio:.2f} per page; both languages {both:.2f} times one", flush=True)
    ratio = statistics.median(row["ratio"] for row in rows)
    print(f"processor time per page against {BEFORE}: {ratio:.2f} (wanted: at most {WANTED})")
    both = statistics.median(row["both"] for row in rows)
    print(f"both languages against English: {both:.2f} (wanted: at most {WANTED_BOTH})")
    write("book_build", {"rounds": rows, "ratio": ratio, "wanted": WANTED, "both": both, "wanted_both": WANTED_BOTH})
    return 0 if ratio <= WANTED and both <= WANTED_BOTH else 1


if __name__ == "__main__":
    sys.exit(main())
