"""What does one more submission cost in a class of 40, 400 and 4,000?

A class of that size is written into a fresh gradebook, and then 20 more submissions of one assignment are graded as `unrolled
grade` does. What is counted is processor time, because that is what a larger machine divides: `sandbox`
is the player's (its start, NumPy, the learner's code) and `judging` the referee's side of a submission, which any number of workers
share; `entering` one (two conversions and the gradebook) is done by one process for all. `clock` is what grading the 20 took here by the clock, with the start of the workers in it.

    python benchmarks/grading_scale.py            # 40, 400, 4,000
    python benchmarks/grading_scale.py --sizes 40 100000

What is printed is written to `_build/benchmarks/grading_scale.json`.
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import tempfile
import time
import warnings
from pathlib import Path
from uuid import uuid4

from common import write

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools"))
MORE = 20


def fill(url: str, assignment: str, many: int) -> None:
    """Write `many` graded submissions into the gradebook, in bulk."""
    from nbgrader import api
    from sqlalchemy import insert

    with api.Gradebook(url, "unrolled") as book:
        found = book.find_assignment(assignment)
        notebook = found.notebooks[0]
        students, submissions, notebooks, grades, comments = [], [], [], [], []
        for i in range(many):
            submission, handed_in = uuid4().hex, uuid4().hex
            students.append({"id": f"earlier-{i:06d}"})
            submissions.append({"id": submission, "assignment_id": found.id, "student_id": f"earlier-{i:06d}"})
            notebooks.append({"id": handed_in, "assignment_id": submission, "notebook_id": notebook.id})
            for cell in notebook.grade_cells:
                grade = {"id": uuid4().hex, "cell_id": cell.id, "notebook_id": handed_in, "auto_score": 1.0, "needs_manual_grade": False}
                grades.append(grade)
            comments += [{"id": uuid4().hex, "cell_id": cell.id, "notebook_id": handed_in} for cell in notebook.solution_cells]
        for table, rows in ((api.Student, students), (api.SubmittedAssignment, submissions), (api.SubmittedNotebook, notebooks),
                            (api.Grade, grades), (api.Comment, comments)):  # fmt: skip
            if rows:
                book.db.execute(insert(table), rows)
        book.db.commit()


def cpu() -> float:
    """Seconds of processor time of this process and of its children that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def bytes_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def judging(room, students: list[str]) -> tuple[float, float]:
    """Seconds of processor time to judge a submission when torch is loaded: in the sandbox, and outside of it."""
    import psutil

    from unrolled.grading import referee, sandbox

    notebooks = [notebook for student in students for notebook in room.read(student).notebooks]
    referee.judge(notebooks[0].cells, room.seed)
    inside, close = 0.0, sandbox._Child.close

    def counted(child: sandbox._Child) -> None:
        """A sandbox is ended by a kill: what it used is read before."""
        nonlocal inside
        for process in psutil.Process(child.process.pid).children(recursive=True):
            inside += sum(process.cpu_times()[:2])
        close(child)

    sandbox._Child.close = counted
    try:
        used = cpu()
        for notebook in notebooks:
            referee.judge(notebook.cells, room.seed)
        return inside / len(notebooks), (cpu() - used) / len(notebooks)
    finally:
        sandbox._Child.close = close


def measure(size: int, workers: int) -> dict[str, float]:
    """Seconds and bytes for each of `MORE` submissions in a class that had `size` before."""
    import sample_class

    from unrolled.grading import farm

    with tempfile.TemporaryDirectory() as folder:
        course = Path(folder) / "course"
        sample_class.new_course(ROOT, course)
        answers, name = sample_class.model_answers(course), sample_class.ASSIGNMENT
        fill(f"sqlite:///{course / 'class' / 'gradebook.db'}", name, size)
        students = [f"s{i}" for i in range(MORE)]
        for student in students:
            sample_class.hand_in(course, student, {**answers, "one_hot-code": f"{answers['one_hot-code']}\n# {student}\n"})
        room = farm.classroom(course, name)
        began = time.perf_counter()
        report = farm.grade(room, workers=workers)
        clock = time.perf_counter() - began
        if set(report.states.values()) != {"graded"}:
            raise SystemExit(f"Not all were graded: {report}")
        used = cpu()
        farm.grade(room, workers=workers, force=True)  # from the cache: nothing is judged, no worker is started
        entering = cpu() - used
        parts = ("autograded", "records", "cache")
        inside, outside = judging(room, students[:5])
        return {
            "class": size, "sandbox": inside, "judging": outside, "entering": entering / MORE, "clock": clock / MORE,
            **{part: bytes_of(course / "class" / part) / MORE for part in parts},
            "gradebook": (course / "class" / "gradebook.db").stat().st_size / (size + MORE),
        }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[40, 400, 4000])
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    chosen = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    warnings.simplefilter("ignore")  # SQLAlchemy's advice to nbgrader
    columns = {"sandbox": 1, "judging": 1, "entering": 1, "clock": 1, "autograded": 1e3, "records": 1e3, "cache": 1e3, "gradebook": 1e3}
    print("for each submission, in seconds and kB")
    print(f"{'class':>8}" + "".join(f"{name:>12}" for name in columns))
    rows = []
    for size in chosen.sizes:
        rows.append(measure(size, chosen.workers))
        print(f"{size:>8,}" + "".join(f"{rows[-1][name] / unit:>12.{1 if unit > 1 else 3}f}" for name, unit in columns.items()), flush=True)
    write("grading_scale", {"rows": rows, "more": MORE, "workers": chosen.workers})


if __name__ == "__main__":
    main()
