"""What a cold build of the book costs, per page, against the commit that the budget was set by: processor time, as ratios taken in one run.

    python benchmarks/book_build.py [--rounds 2]

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
BEFORE = "4adde6c"
WANTED = 0.65


def checkout(commit: str, folder: Path) -> None:
    """The course as it was at a commit. Exits with a sentence where git does not know it."""
    archive = subprocess.run(["git", "archive", commit], cwd=COURSE, capture_output=True)
    if archive.returncode:
        sys.exit(f"This benchmark compares with commit {commit}, which this checkout does not have: clone with the whole history.")
    folder.mkdir()
    subprocess.run(["tar", "-x", "-C", folder], input=archive.stdout, check=True)


def build(course: Path) -> tuple[float, int]:
    """Processor seconds of a cold build, and how many pages it made."""
    shutil.rmtree(course / "_build", ignore_errors=True)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [Path(sys.executable).with_name("jupyter-book"), "build", "."], cwd=course, capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": str(course / "src"), "UNROLLED_TRY": "off"},
    )  # fmt: skip
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        sys.exit(f"The book in {course} did not build:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    pages = len(list((course / "_build/html/book").rglob("*.html")))
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, pages


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
            ratio = (new / new_pages) / (old / old_pages)
            rows.append({"before": old, "before_pages": old_pages, "now": new, "now_pages": new_pages, "ratio": ratio})
            print(f"round {turn + 1}: {BEFORE} {old:5.1f} s for {old_pages} pages, now {new:5.1f} s for {new_pages}: {ratio:.2f} per page", flush=True)
    ratio = statistics.median(row["ratio"] for row in rows)
    print(f"processor time per page against {BEFORE}: {ratio:.2f} (wanted: at most {WANTED})")
    write("book_build", {"rounds": rows, "ratio": ratio, "wanted": WANTED})
    return 0 if ratio <= WANTED else 1


if __name__ == "__main__":
    sys.exit(main())
