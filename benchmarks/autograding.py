"""How fast is grading, beside stock nbgrader whose test cells import torch and compare in the kernel?

One class of 40 submissions of 02-rnn-forward: a third are the model answers, a third hold one known mistake, a third another style; no two are
the same text. The same answers are graded

- by stock nbgrader: an assignment of the same six functions, each test cell of which imports torch, computes the reference with it and
  compares in the kernel, as autograding notebooks usually do; in one process, and in two on half of the class each;
- by ours, with the plain `nbgrader autograde`, in one process; then in two, and by `unrolled grade`, on all cores; then in one process once
  more, which the cache serves.

Times are those of the whole command on the wall, its start included; submissions a minute follow. `nbgrader generate_assignment`, which
every class needs once before it, is not counted on either side; ours computes there what the references give on the secret cases. The
class and its gradebook are made afresh before each run (but the one from the cache). Ours is short beside stock, so a moment in which the
machine is slow weighs more: it is run three times, and the median counts. Where our time goes is measured by a clock around each stage of
one run in this process. Stock grades only `--stock` of the 40 when asked to (its time is proportional but for its start). What is printed
is written to `_build/benchmarks/autograding.json`.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
from common import write
from nbformat import NotebookNode, v4

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools"))

import sample_class  # noqa: E402

ASSIGNMENT = sample_class.ASSIGNMENT
GOALS = {"ours, one process": 10, "ours, two processes": 20}  # times stock in one process
EINSUM = """
def rnn_step(X_t, H_prev, W_xh, W_hh, b_h):
    return np.tanh(np.einsum("nd,dh->nh", X_t, W_xh) + np.einsum("nh,hk->nk", H_prev, W_hh) + b_h)
"""

# The test cells of the stock assignment: what a careful author writes without a package of checks.
BEGIN = """
import torch
rng = np.random.default_rng(0)
T, N, D, H, V = 5, 3, 4, 6, 7
X, H_0 = rng.normal(size=(T, N, D)), rng.normal(size=(N, H))
W_xh, W_hh, b_h = rng.normal(size=(D, H)), rng.normal(size=(H, H)), rng.normal(size=H)
W_hq, b_q, ids = rng.normal(size=(H, V)), rng.normal(size=V), rng.integers(V, size=(T, N))
"""
RNN = """
rnn = torch.nn.RNN(D, H).double()
with torch.no_grad():
    for weight, value in zip(rnn.parameters(), (W_xh.T, W_hh.T, b_h, 0 * b_h)):
        weight.copy_(torch.tensor(value))
    states = rnn(torch.tensor(X), torch.tensor(H_0)[None])[0].numpy()
"""
STOCK = {
    "one_hot": "assert np.array_equal(one_hot(ids, V), torch.nn.functional.one_hot(torch.tensor(ids), V).double().numpy())",
    "rnn_step": RNN + "np.testing.assert_allclose(rnn_step(X[0], H_0, W_xh, W_hh, b_h), states[0])",
    "rnn_forward": RNN + "np.testing.assert_allclose(rnn_forward(X, H_0, W_xh, W_hh, b_h), states)",
    "output_logits": "np.testing.assert_allclose(output_logits(X @ W_xh, W_hq, b_q), (torch.tensor(X @ W_xh @ W_hq) + torch.tensor(b_q)).numpy())",
    "cross_entropy": "logits = rng.normal(size=(T, N, V))\n"
    "truth = torch.nn.functional.cross_entropy(torch.tensor(logits).reshape(-1, V), torch.tensor(ids).reshape(-1))\n"
    "np.testing.assert_allclose(cross_entropy(logits, ids), truth.item())",
    "num_parameters": "assert num_parameters(D, H, V) == sum(p.numel() for p in torch.nn.RNN(D, H, bias=False).parameters()) + H + H * V + V",
}
STOCK_CONFIG = """
import os, sys
os.environ["PATH"] = os.path.dirname(sys.executable) + os.pathsep + os.environ.get("PATH", "")
c = get_config()
c.CourseDirectory.course_id = "stock"
c.CourseDirectory.root = os.getcwd()
c.CourseDirectory.submitted_directory = "class/submitted"
c.CourseDirectory.autograded_directory = "class/autograded"
c.CourseDirectory.feedback_directory = "class/feedback"
"""


# --- Two courses, one class --------------------------------------------------------------------


def stock_course(ours: Path, folder: Path) -> None:
    """A course for stock nbgrader: the model notebook of ours, with test cells that import torch and compare in the kernel."""
    notebook = nbformat.read(ours / "solutions" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb", as_version=4)
    notebook.cells = [cell for cell in notebook.cells if "closing" not in cell.metadata.get("tags", [])]
    for cell in notebook.cells:
        name = cell.metadata.get("nbgrader", {}).get("grade_id")
        if name in STOCK:
            cell.source = BEGIN + STOCK[name]
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    where = folder / "source" / ASSIGNMENT
    where.mkdir(parents=True)
    nbformat.write(notebook, where / f"{ASSIGNMENT}.ipynb")
    (folder / "nbgrader_config.py").write_text(STOCK_CONFIG, encoding="utf-8")
    sample_class.nbgrader(folder, "generate_assignment", ASSIGNMENT)


def texts(answers: dict[str, str], place: int) -> dict[str, str]:
    """The answers of one student; no two hand in the same text."""
    change = ({}, {"rnn_forward-code": sample_class.NOT_CARRIED}, {"rnn_step-code": EINSUM})[place % 3]
    return {name: f"{text.rstrip()}\n# {place}\n" for name, text in {**answers, **change}.items()}


def hand_in(release: Path, folder: Path, answers: dict[str, str], count: int) -> None:
    notebook = nbformat.read(release, as_version=4)
    for place in range(count):
        given = texts(answers, place)
        filled: NotebookNode = v4.new_notebook(
            metadata=notebook.metadata, cells=[v4.nbbase.NotebookNode(cell) for cell in notebook.cells]
        )
        for cell in filled.cells:
            cell.source = given.get(cell.metadata.get("nbgrader", {}).get("grade_id"), cell.source)
        where = folder / "class" / "submitted" / f"s{place:03}" / ASSIGNMENT
        where.mkdir(parents=True)
        nbformat.write(filled, where / f"{ASSIGNMENT}.ipynb")


def ungraded(course: Path, clean: Path) -> None:
    """The course as it was before anything was graded; itself, when it is its own model."""
    if course == clean:
        return
    shutil.rmtree(course, ignore_errors=True)
    shutil.copytree(clean, course)


# --- Runs --------------------------------------------------------------------------------------


def autograde(course: Path, *patterns: str, force: bool = False) -> float:
    """Seconds of `nbgrader autograde`, one process for each pattern of student names, at the same time."""
    command = [sys.executable, "-m", "nbgrader", "autograde", ASSIGNMENT, *(["--force"] if force else [])]
    began = time.perf_counter()
    running = [
        subprocess.Popen([*command, f"--student={pattern}"], cwd=course, env=sample_class.environment(), stdout=subprocess.DEVNULL,
                         stderr=subprocess.DEVNULL) for pattern in patterns
    ]  # fmt: skip
    if codes := [code for process in running if (code := process.wait())]:
        raise SystemExit(f"nbgrader autograde ended with the exit status {codes[0]} in {course}")
    return time.perf_counter() - began


def grade(course: Path) -> float:
    """Seconds of `unrolled grade` on all cores."""
    command = [sys.executable, "-m", "unrolled.cli", "grade", ASSIGNMENT]
    environment = {**sample_class.environment(), "UNROLLED_COURSE": str(course)}
    began = time.perf_counter()
    subprocess.run(command, cwd=course, env=environment, check=True, capture_output=True)
    return time.perf_counter() - began


HALVES = ("s??[02468]", "s??[13579]")


def graded(course: Path) -> int:
    """How many submissions of a course have been graded."""
    return len(list((course / "class" / "autograded").glob(f"*/{ASSIGNMENT}/{ASSIGNMENT}.ipynb")))


# --- Where our time goes -----------------------------------------------------------------------


@contextlib.contextmanager
def clocks(stages: dict[str, tuple[object, str]]) -> Iterator[Counter]:
    """Time the functions `owner.name` while inside; a stage's time does not hold that of the stages inside it."""
    spent: Counter = Counter()
    stack: list[str] = []
    last = time.perf_counter()

    def switch(to: Callable[[], None]) -> None:
        nonlocal last
        now = time.perf_counter()
        spent[stack[-1] if stack else "other"] += now - last
        last = now
        to()

    def timed(stage: str, function: Callable) -> Callable:
        @functools.wraps(function)
        def run(*arguments, **options):
            switch(lambda: stack.append(stage))
            try:
                return function(*arguments, **options)
            finally:
                switch(stack.pop)

        return run

    before = [(owner, name, getattr(owner, name)) for owner, name in stages.values()]
    try:
        for stage, (owner, name) in stages.items():
            setattr(owner, name, timed(stage, getattr(owner, name)))
        yield spent
    finally:
        for owner, name, function in before:
            setattr(owner, name, function)
        switch(lambda: None)


def by_stage(course: Path) -> dict[str, float]:
    """Seconds a submission by stage, of the whole class graded once in this process."""
    from nbgrader.apps import NbGraderAPI
    from nbgrader.preprocessors import OverwriteCells, SaveAutoGrades
    from traitlets.config.loader import PyFileConfigLoader

    from unrolled.checks import run as checks_run
    from unrolled.grading import late_days, rebuild, referee, sandbox, steps

    here = Path.cwd()
    os.chdir(course)
    try:
        api = NbGraderAPI(config=PyFileConfigLoader("nbgrader_config.py", path=str(course)).load_config())
        with api.gradebook:
            pass
        api.coursedir.assignment_id, api.coursedir.student_id = ASSIGNMENT, "*"
        converter = steps.Autograde(coursedir=api.coursedir, config=api.config)
        with clocks({
            "reading and rebuilding": (rebuild, "of_file"),
            "waiting for the sandbox to start": (sandbox.Player, "__init__"),
            "learners' code and the way to it": (referee.Session, "_ask"),
            "cases, references, comparison, diagnosis": (checks_run, "run"),
            "the rest of the referee (cache, record)": (steps.Judge, "preprocess"),
            "nbgrader: the assignment's entry": (steps.Autograde, "init_assignment"),
            "nbgrader: cells overwritten": (OverwriteCells, "preprocess"),
            "nbgrader: grades saved": (SaveAutoGrades, "preprocess"),
            "nbgrader: late days": (late_days.AssignLateDays, "preprocess"),
            "nbgrader: reading, checking, writing": (steps.Autograde, "convert_single_notebook"),
        }) as spent:  # fmt: skip
            converter.start()
    finally:
        os.chdir(here)
    return dict(spent)


# --- What is printed ---------------------------------------------------------------------------


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--students", type=int, default=40)
    parser.add_argument("--stock", type=int, help="how many of them stock nbgrader grades; by default all")
    parser.add_argument("--repeat", type=int, default=3, help="how often ours is run; the median counts (default: %(default)s)")
    arguments = parser.parse_args()
    count, stock_count = arguments.students, arguments.stock or arguments.students
    warnings.simplefilter("ignore")  # SQLAlchemy's advice to nbgrader
    load = os.getloadavg()[0]
    print(f"grading {count} submissions of {ASSIGNMENT}, {os.cpu_count()} cores; times of whole commands, their start included", flush=True)
    if load > 0.5:
        print(f"Other programs are running (load {load:.1f}): the clock shows them, too. Only the ratios mean something.", flush=True)
    with tempfile.TemporaryDirectory(prefix="unrolled-bench-") as name:
        results, stages = measure(Path(name), count, stock_count, arguments.repeat)
    one = results["stock, one process"]
    print(f"\n{'':<36}  {'seconds':>8}  {'a submission':>12}  {'a minute':>9}  {'times stock':>11}")
    for what, row in results.items():
        row["per_minute"] = 60 * row["submissions"] / row["seconds"]
        row["ratio"] = row["per_minute"] / (60 * one["submissions"] / one["seconds"])
        each = row["seconds"] / row["submissions"]
        print(f"{what:<36}  {row['seconds']:8.1f}  {each:12.2f}  {row['per_minute']:9.1f}  {row['ratio']:10.1f}x")
    total = sum(stages.values())
    print(f"\nwhere our time goes, one process, its start left out: {total / count:.3f} s a submission")
    for stage, seconds in sorted(stages.items(), key=lambda pair: -pair[1]):
        print(f"  {stage:<44}{1000 * seconds / count:8.1f} ms  {seconds / total:5.0%}")
    print()
    for what, goal in GOALS.items():
        ratio = results[what]["ratio"]
        print(f"budget: {what}, {goal} times stock in one process: {ratio:.1f}, {'met' if ratio >= goal else 'MISSED'}")
    write("autograding", {"students": count, "load_at_start": load, "runs": results, "stages_seconds_a_submission": {
        stage: seconds / count for stage, seconds in stages.items()}})  # fmt: skip


def measure(folder: Path, count: int, stock_count: int, repeat: int) -> tuple[dict[str, dict], dict[str, float]]:
    """Every run, and our stages."""
    clean, stock_clean, ours, stock = (folder / name for name in ("clean", "stock-clean", "ours", "stock"))
    sample_class.new_course(ROOT, clean)
    stock_course(clean, stock_clean)
    answers = sample_class.model_answers(clean)
    hand_in(clean / "assignments" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb", clean, answers, count)
    hand_in(stock_clean / "release" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb", stock_clean, answers, stock_count)
    results: dict[str, dict] = {}

    def run(what: str, course: Path, fresh: Path, submissions: int, work: Callable[[], float], times: int = 1) -> None:
        """Time a command on a class that nobody has graded, several times; the median counts."""
        seconds = []
        for _ in range(times):
            ungraded(course, fresh)
            seconds.append(work())
            if graded(course) != submissions:
                raise SystemExit(f"{what}: {graded(course)} of {submissions} submissions were graded")
        results[what] = {"seconds": statistics.median(seconds), "submissions": submissions, "all_seconds": seconds}
        print(f"  {what}: {', '.join(f'{each:.1f}' for each in seconds)} s", flush=True)

    run("ours, one process", ours, clean, count, lambda: autograde(ours, "*"), repeat)
    run("ours, again: from the cache", ours, ours, count, lambda: autograde(ours, "*", force=True))
    run("ours, two processes", ours, clean, count, lambda: autograde(ours, *HALVES), repeat)
    run("ours, `unrolled grade`", ours, clean, count, lambda: grade(ours), repeat)
    ungraded(ours, clean)
    stages = by_stage(ours)
    run("stock, one process", stock, stock_clean, stock_count, lambda: autograde(stock, "*"))
    run("stock, two processes", stock, stock_clean, stock_count, lambda: autograde(stock, *HALVES))
    return results, stages


if __name__ == "__main__":
    main()
