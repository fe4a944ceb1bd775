"""Writes book/appendix/status.md: versions, machine, how long each page runs, and the ladder: `make status`.

    python tools/status.py                     # runs every page of the book, one after the other
    python tools/status.py --root COURSE --jobs 2

Nothing on that page is written by hand. The pages are run from the top in fresh kernels and thrown away; the stored notebooks
stay as they are. The ladder is what the pages print in these runs: every table with the heading of `plots.ladder_table`.
When a page fails, the status page stays as it was.
"""

from __future__ import annotations

import argparse
import datetime
import importlib.metadata
import os
import platform
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import nbformat
import notebooks
import yaml

VERSIONS = ("numpy", "torch", "matplotlib", "jupyter-book", "nbgrader", "nbval")
LADDER_HEADING = "nats/char  perplexity  bits/char"
INTRODUCTION = """\
(status)=
# Status

When the pages were last run from the top, on what, how long each took, and what came out. Nothing here is written by hand: `make status` runs every page and
writes this one.
"""


@dataclass(frozen=True)
class Page:
    """A page as it came out of a run: its place, seconds, and the ladders that it printed; and the yardstick around it."""

    place: str
    seconds: float
    ladders: list[list[str]]
    yardstick: float


def pages(root: Path) -> Iterator[Path]:
    """The notebooks of the table of contents, in its order."""
    for part in yaml.safe_load((root / "_toc.yml").read_text(encoding="utf-8"))["parts"]:
        for chapter in part["chapters"]:
            path = root / f"{chapter['file']}.ipynb"
            if path.exists():
                yield path


def run(path: Path, root: Path) -> Page:
    """Run one page in a fresh kernel. Raises notebooks.Refused with the cell that failed."""
    nb = notebooks.clean(nbformat.read(path, as_version=4))
    before = yardstick()
    start = time.perf_counter()
    notebooks.execute(nb, path.parent)
    seconds = time.perf_counter() - start
    texts = [output.text for cell in nb.cells for output in cell.get("outputs", []) if output.output_type == "stream"]
    found = [rows for text in texts for rows in ladders(text)]
    return Page(path.relative_to(root).with_suffix("").as_posix(), seconds, found, (before + yardstick()) / 2)


def yardstick() -> float:
    """Seconds that ten million additions take in a plain loop: rented machines change their speed from hour to hour."""
    total, start = 0, time.perf_counter()
    for number in range(10_000_000):
        total += number
    return time.perf_counter() - start


def ladders(text: str) -> Iterator[list[str]]:
    """The ladders in what a page printed: a heading and the rows below it."""
    lines = text.splitlines()
    for start, line in enumerate(lines):
        if line.endswith(LADDER_HEADING):
            rows = []
            for row in lines[start + 1 :]:
                if not _is_rung(row):
                    break
                rows.append(row)
            yield [line, *rows]


def _is_rung(line: str) -> bool:
    numbers = line.split()[-3:]
    try:
        return len(numbers) == 3 and all(float(number) >= 0 for number in numbers)
    except ValueError:
        return False


def device() -> str:
    """What judges and trains here."""
    from unrolled import reference

    return reference.describe()


def conditions(today: datetime.date, jobs: int, threads: int) -> dict[str, str]:
    """On what the pages were run. The names are translated, so what changes from run to run stands beside them as code."""
    versions = {name: importlib.metadata.version(name).split("+")[0] for name in VERSIONS}
    return {
        "Date": f"{today:%Y-%m-%d}",
        "Python": platform.python_version(),
        "System": f"{platform.system()} {platform.machine()}",
        "Processor cores": str(os.cpu_count()),
        "References": device(),
        "Libraries": ", ".join(f"{name} {version}" for name, version in versions.items()),
        "Pages side by side": str(jobs),
        "Threads for the arrays of each page": str(threads),
    }


def report(results: list[Page], today: datetime.date, jobs: int, threads: int) -> str:
    """The page as Markdown."""
    lines = [INTRODUCTION, "## Versions and machine", "", "| what | which |", "|---|---|"]
    lines += [f"| {what} | `{which}` |" for what, which in conditions(today, jobs, threads).items()]
    lines += ["", "## Time of each page", ""]
    lines += ["The last column shows the machine's slow hours, not how fast its matrix products are: seconds for ten million additions in a Python loop, before and after.", ""]
    lines += ["| page | seconds | yardstick |", "|---|---:|---:|"]
    lines += [f"| {{doc}}`/{page.place}` | {page.seconds:.0f} | {page.yardstick:.2f} |" for page in results]
    lines += [f"| all | {sum(page.seconds for page in results):.0f} | |", ""]
    lines += ["## The ladder", "", "Held-out loss, page by page, as these runs printed it, below the name of the page; a page that compares three texts prints three ladders. A rung that appears on",
              "several pages was trained anew on each, with that page's recipe; the one that is named after another page is copied from it."]  # fmt: skip
    for page in results:
        if page.ladders:
            lines += ["", f"{{doc}}`/{page.place}`", "", "```text", "\n\n".join("\n".join(rows) for rows in page.ladders), "```"]
    return "\n".join(lines) + "\n"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parents[1], help="the course (default: this one)")
    parser.add_argument("--jobs", type=int, default=1, help="pages side by side, which share the cores (default: %(default)s)")
    options = parser.parse_args(arguments)
    root, jobs = options.root.resolve(), max(1, options.jobs)
    threads = max(1, (os.cpu_count() or 1) // jobs)
    os.environ.update(OMP_NUM_THREADS=str(threads))  # for the kernels
    notebooks.own_kernel()
    results = []
    with ProcessPoolExecutor(jobs) as pool:
        runs = {path: pool.submit(run, path, root) for path in pages(root)}
        for path, running in runs.items():
            try:
                results.append(running.result())
            except notebooks.Refused as error:
                pool.shutdown(cancel_futures=True)
                print(f"{path.relative_to(root)} failed; the status page stays as it was.\n{error}", file=sys.stderr)
                return 1
            print(f"{results[-1].seconds:6.1f} s  {results[-1].place}", flush=True)
    page = report(results, datetime.date.today(), jobs, threads)
    notebooks.write_whole(root / "book" / "appendix" / "status.md", page)
    return 0


if __name__ == "__main__":
    sys.exit(main())
