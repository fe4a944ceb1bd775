"""A class graded over several processes: nothing is lost, nothing is graded twice, whatever dies in between."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import distributed
import pytest
import sqlalchemy
from conftest import SAME, STRANGE, Course

from unrolled.grading import farm, referee

pytestmark = pytest.mark.slow

NAME = "02-rnn-forward"
SLOW = "import time; time.sleep(0.7)\ndef one_hot(ids, V):\n    return np.eye(V)[ids]"


def _row(printed: str, state: str) -> int:
    return int(re.search(rf"{state}[^\d]*(\d+)", printed)[1])


# --- One run -----------------------------------------------------------------------------------


def test_class_gets_its_points_and_the_table_says_how_each_fared(graded_class):
    expected = {"ada": 20, "blaise": 15.62, STRANGE: 20, "crash": 18, "loop": 18, "refused": 0}
    assert graded_class.course.points() == pytest.approx(expected, abs=0.01)
    rows = {state: _row(graded_class.printed, state) for state in ("graded ", "from the cache", "timed out", "crashed", "refused")}
    assert rows == {"graded ": 3, "from the cache": 0, "timed out": 1, "crashed": 1, "refused": 1}


def test_table_is_followed_by_who_needs_a_look_and_what_to_do_next(graded_class):
    printed = graded_class.printed
    assert "crash: crashed: one_hot: it ended the whole program (exit status 3)" in printed
    assert "refused: refused: What was handed in is not a Jupyter notebook" in printed
    assert f"nbgrader generate_feedback {NAME}" in printed and "nbgrader export" in printed


def test_second_run_leaves_alone_what_is_graded_and_force_takes_it_from_the_cache(graded_class):
    before = graded_class.course.book()
    again = graded_class.course.command("grade", NAME)
    assert _row(again.stdout, "unchanged") == 6 and _row(again.stdout, "graded ") == 0
    forced = graded_class.course.command("grade", NAME, "--force", "--student", "ada", "--student", STRANGE)
    assert _row(forced.stdout, "from the cache") == 2 and graded_class.course.book() == before


def test_plain_autograde_gives_the_same_gradebook(graded_class, same_class, monkeypatch):
    monkeypatch.chdir(same_class.folder)
    for student in SAME:
        assert same_class.grade(student)["success"]
    assert same_class.book() == graded_class.book()


# --- Bad input at the door ---------------------------------------------------------------------


def _refusal(course, *arguments: str, **environment: str) -> str:
    done = course.command("grade", *arguments, **environment)
    assert done.returncode == 2 and "Traceback" not in done.stderr and done.stderr.count("\n") == 1, done.stderr
    return done.stderr


def test_new_cases_are_drawn_for_the_whole_class_and_everybody_is_graded_again(same_class):
    before = same_class.command("grade", "02-rnn-forward", "--workers", "1")
    seeds = (same_class.folder / "class" / "seeds.json").read_text()
    assert same_class.command("grade", "02-rnn-forward", "--new-cases", "--student", "ada").returncode == 2
    done = same_class.command("grade", "02-rnn-forward", "--new-cases", "--workers", "1")
    assert before.returncode == done.returncode == 0 and "from the cache │ 0" in " ".join(done.stdout.split()).replace("┃", "│"), done.stdout
    assert (same_class.folder / "class" / "seeds.json").read_text() != seeds
    assert same_class.points()["ada"] == 20


def test_unknown_assignment_is_refused_with_the_known_ones(fresh_course):
    assert f"There is no assignment '02-rnn'; the assignments are: {NAME}." in _refusal(fresh_course, "02-rnn")


def test_empty_class_is_refused_with_the_place_where_notebooks_go(fresh_course):
    said = _refusal(fresh_course, NAME)
    assert f"Nothing was handed in for {NAME}" in said and f"class/submitted/STUDENT/{NAME}/{NAME}.ipynb" in said


def test_unknown_student_is_refused(fresh_course):
    fresh_course.hand_in("ada")
    assert "bob handed in nothing" in _refusal(fresh_course, NAME, "--student", "bob")


def test_absent_scheduler_is_refused_with_the_command_that_starts_one(fresh_course, monkeypatch):
    fresh_course.hand_in("ada")
    said = _refusal(fresh_course, NAME, "--scheduler", "127.0.0.1:1")
    assert "No scheduler answers at 127.0.0.1:1" in said and "dask scheduler" in said


def test_assignment_that_the_gradebook_does_not_know_is_refused(fresh_course):
    fresh_course.hand_in("ada")
    (fresh_course.folder / "class" / "gradebook.db").unlink()
    assert f"nbgrader generate_assignment {NAME} --force" in _refusal(fresh_course, NAME)


@pytest.mark.parametrize("url, said", [("nonsense", "UNROLLED_DB"), ("postgresql://nobody:secret@127.0.0.1:1/none", "can't be opened")])
def test_gradebook_that_is_not_there_is_refused_without_its_password(fresh_course, url, said):
    fresh_course.hand_in("ada")
    found = _refusal(fresh_course, NAME, UNROLLED_DB=url)
    assert said in found and "secret" not in found


def test_second_run_at_the_same_time_is_refused(fresh_course):
    fresh_course.hand_in("ada")
    with farm.FileLock(fresh_course.folder / "class" / ".grading.lock"):
        assert "Another run is grading this class" in _refusal(fresh_course, NAME)


def test_nobody_else_on_this_machine_can_send_work_to_the_workers(bwrap):
    """Whoever can, runs code as the instructor: on a hub, learners have accounts on the same machine."""
    with farm.Farm(None, 1, False) as made:
        address = made.client.scheduler.address
        assert made.client.submit(os.getpid).result(timeout=60)
        for protocol, security in (("tcp", None), ("tls", distributed.Security.temporary())):
            where = f"{protocol}://{address.split('://')[1]}"
            with pytest.raises((OSError, TypeError, RuntimeError)):
                distributed.Client(where, timeout=3, security=security, set_as_default=False)


def test_folder_without_a_course_is_refused(tmp_path):
    done = Course(tmp_path, {}).command("grade", NAME, UNROLLED_COURSE=str(tmp_path))
    assert done.returncode == 2 and "nbgrader_config.py" in done.stderr


@pytest.mark.parametrize("address, warned", [
    ("tcp://10.0.0.5:8786", True), ("10.0.0.5:8786", True), ("tls://10.0.0.5:8786", False), ("127.0.0.1:8786", False),
    ("tcp://localhost:8786", False),
])  # fmt: skip
def test_open_connection_that_leaves_the_machine_is_warned_of(address, warned):
    assert bool(farm.warning_about(address)) is warned


@pytest.mark.parametrize("command", ["grade", "regrade"])
def test_every_command_that_judges_on_a_cluster_warns_of_an_open_connection(tmp_path, command):
    done = Course(tmp_path, {}).command(command, NAME, "--scheduler", "tcp://10.0.0.5:8786", UNROLLED_COURSE=str(tmp_path))
    assert "neither encrypted nor protected" in done.stderr


# --- Cut off -----------------------------------------------------------------------------------


def _die_at(folder: Path, point: int) -> None:
    """End this process without warning at the n-th time that it touches a file in `folder` or asks the gradebook."""
    left = point

    def touch(*_):
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def hook(event, arguments):
        if event in ("open", "os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.chmod") and str(arguments[0]).startswith(str(folder)):
            touch()

    for event in ("before_cursor_execute", "commit"):
        sqlalchemy.event.listen(sqlalchemy.engine.Engine, event, touch)
    sys.addaudithook(hook)


def _cut_off(course, point: int, force: bool = False) -> bool:
    """Grade in a process that is killed at a point; whether it was, before it came to its end."""
    child = os.fork()
    if child == 0:
        with contextlib.suppress(BaseException):
            _die_at(course.folder / "class", point)
            farm.grade(farm.classroom(course.folder, NAME), workers=1, force=force)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL


def _go_on(course) -> None:
    assert set(farm.grade(farm.classroom(course.folder, NAME), workers=1).states.values()) <= {"cached", "unchanged", "refused"}


def test_run_that_is_killed_again_and_again_ends_in_the_same_gradebook(graded_class, same_class):
    points = list(range(10, 600, 20))
    killed = [_cut_off(same_class, point) for point in points]
    assert killed[:8] == [True] * 8
    _go_on(same_class)
    assert same_class.book() == graded_class.book()
    for student in SAME:
        found, expected = (
            referee.ClassFolder(each.folder / "class").record(student, NAME) for each in (same_class, graded_class.course)
        )
        assert found["outcome"]["tasks"] == expected["outcome"]["tasks"] and found["key"] == expected["key"]


@pytest.mark.parametrize("point", range(40, 240, 20))
def test_run_that_is_killed_once_and_gone_on_with_ends_in_the_same_gradebook(graded_class, same_class, point):
    _go_on(same_class)
    assert _cut_off(same_class, point, force=True)  # grading again what is graded removes before it writes
    _go_on(same_class)
    assert same_class.book() == graded_class.book()
    assert not list((same_class.folder / "class" / "records").rglob("*.begun"))
    for student in SAME:
        assert (same_class.folder / "class" / "autograded" / student / NAME / f"{NAME}.ipynb").exists()


def test_plain_autograde_goes_on_with_what_was_cut_off(graded_class, same_class, monkeypatch):
    _go_on(same_class)
    assert _cut_off(same_class, 150, force=True)
    monkeypatch.chdir(same_class.folder)
    for student in SAME:
        assert same_class.grade(student, force=False)["success"]
    assert same_class.book() == graded_class.book()
    assert not list((same_class.folder / "class" / "records").rglob("*.begun"))


def _marked(mark: str) -> list[str]:
    """The processes whose environment holds a mark."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if f"UNROLLED_TEST_MARK={mark}\0".encode() in (process / "environ").read_bytes():
                found.append(process.name)
    return found


def _wait_until(true, seconds: float = 300) -> bool:
    deadline = time.monotonic() + seconds
    while not true() and time.monotonic() < deadline:
        time.sleep(0.1)
    return true()


def test_command_that_is_killed_while_workers_judge_leaves_no_process_and_goes_on(bwrap, fresh_course):
    import sample_class

    mark = f"killed-{os.getpid()}-{time.time()}"
    for student in ("ada", "slow 1", "slow 2", "slow 3"):
        fresh_course.hand_in(student, one_hot_code=f"{SLOW}  # {student}")
    grading = subprocess.Popen(
        [sys.executable, "-m", "unrolled.cli", "grade", NAME, "--workers", "1"], cwd=fresh_course.folder, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, env={**sample_class.environment(), "UNROLLED_TEST_MARK": mark},
    )  # fmt: skip
    cache = fresh_course.folder / "class" / "cache"
    assert _wait_until(lambda: len(list(cache.glob("*.json"))) >= 1) and len(_marked(mark)) >= 2
    grading.kill()
    grading.wait()
    assert _wait_until(lambda: not _marked(mark), 60)
    done = fresh_course.command("grade", NAME, "--workers", "1")
    assert done.returncode == 0 and _row(done.stdout, "graded ") < 4
    assert fresh_course.points() == dict.fromkeys(("ada", "slow 1", "slow 2", "slow 3"), 20)


# --- A cluster ---------------------------------------------------------------------------------

# A worker that ends when it is asked to judge a notebook with this word in it, as one would that runs out of memory.
POISON = """
import os
from unrolled.grading import referee
def or_die(judge):
    def judge_or_die(cells, *arguments, **options):
        if any("POISON" in cell.text for cell in cells):
            os._exit(1)
        return judge(cells, *arguments, **options)
    return judge_or_die
referee.judge = or_die(referee.judge)
"""


@pytest.fixture(scope="module")
def cluster(bwrap, tmp_path_factory):
    """The address of a scheduler and its workers, three processes of this machine."""
    import sample_class

    folder = tmp_path_factory.mktemp("cluster")
    (folder / "poison.py").write_text(POISON)
    where = folder / "scheduler.json"
    dask = [sys.executable, "-m", "dask"]
    commands = [[*dask, "scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", where]]
    worker = [*dask, "worker", "--scheduler-file", where, "--nthreads", "1", "--no-dashboard", "--preload", folder / "poison.py",
              "--local-directory", folder]  # fmt: skip
    with contextlib.ExitStack() as stack:
        started = []
        for command in [*commands, worker, worker]:
            with (folder / f"log{len(started)}").open("wb") as log:
                process = subprocess.Popen(
                    [str(part) for part in command], stdout=log, stderr=log, env=sample_class.environment(), start_new_session=True
                )
            started.append(process)
            stack.callback(process.wait)
            stack.callback(_end, process)
        assert _wait_until(lambda: _address(where), 120), (folder / "log0").read_text()
        yield _address(where), started


def _address(where: Path) -> str | None:
    """What a scheduler has written, once it is there to its end."""
    try:
        return json.loads(where.read_text())["address"]
    except (FileNotFoundError, json.JSONDecodeError):
        return None


def _end(process: subprocess.Popen) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _workers(address: str, many: int) -> None:
    import distributed

    with distributed.Client(address, set_as_default=False) as client:
        client.wait_for_workers(many, timeout=120)


def test_submission_that_ends_its_worker_does_not_travel_and_the_others_are_graded(cluster, fresh_course):
    address, _ = cluster
    _workers(address, 2)
    for student in ("ada", "blaise", "carol", "zoe"):
        fresh_course.hand_in(student)
    fresh_course.hand_in("mallory", one_hot_code="# POISON")
    done = fresh_course.command("grade", NAME, "--scheduler", address)
    assert done.returncode == 1 and fresh_course.points() == {"ada": 20, "blaise": 20, "carol": 20, "zoe": 20}, done.stdout + done.stderr
    assert _row(done.stdout, "graded ") == 4 and _row(done.stdout, "not graded") == 1
    assert "mallory: not graded: the worker that judged it died, twice" in done.stdout


def _under_way(course, address: str, students: list[str]) -> tuple[subprocess.Popen, int]:
    """The command that grades slow submissions on the cluster, and how many it has entered: one at least."""
    import sample_class

    for student in students:
        course.hand_in(student, one_hot_code=f"{SLOW}  # {student}")
    command = [sys.executable, "-m", "unrolled.cli", "grade", NAME, "--scheduler", address]
    grading = subprocess.Popen(
        command, cwd=course.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=sample_class.environment()
    )
    records = course.folder / "class" / "records"
    _wait_until(lambda: list(records.glob("*/*.json")) or grading.poll() is not None)
    return grading, len(list(records.glob("*/*.json")))


def test_worker_that_is_killed_in_the_middle_loses_nothing_and_nothing_is_graded_twice(cluster, fresh_course):
    address, (_, *workers) = cluster
    _workers(address, 2)
    students = [f"student {i}" for i in range(8)]
    grading, entered = _under_way(fresh_course, address, students)
    _end(workers[0])
    printed, _ = grading.communicate(timeout=300)
    assert grading.returncode == 0 and 0 < entered < len(students), printed
    assert fresh_course.points() == dict.fromkeys(students, 20)
    assert _row(printed, "graded ") == len(students) and _row(printed, "unchanged|not graded|cache") == 0
    assert len(fresh_course.book()) == len(students)


def test_worker_with_other_versions_is_refused(cluster, monkeypatch):
    address, _ = cluster
    here = referee.versions()
    monkeypatch.setattr(referee, "versions", lambda: {**here, "numpy": "1.0"})
    with pytest.raises(farm.FarmError, match=r"a worker has numpy 2\S+, and here it is 1\.0"), farm.Farm(address, 1, False):
        pass


def test_scheduler_that_dies_ends_the_run_with_a_sentence_and_the_next_run_goes_on(cluster, fresh_course):
    """The last test of this cluster."""
    address, (scheduler, *_) = cluster
    _workers(address, 1)
    students = [f"student {i}" for i in range(6)]
    grading, _ = _under_way(fresh_course, address, students)
    _end(scheduler)
    printed, _ = grading.communicate(timeout=300)
    assert grading.returncode == 2 and "Run the same command again to go on." in printed and "Traceback" not in printed, printed
    done = fresh_course.command("grade", NAME, "--workers", "1")
    assert done.returncode == 0 and fresh_course.points() == dict.fromkeys(students, 20), done.stdout
