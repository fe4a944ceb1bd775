"""The referee judges in the sandbox as the check does at home; crashes, time-outs and faults are what they are."""

from __future__ import annotations

import dataclasses
import json
import stat
import subprocess
import sys
import threading

import numpy as np
import pytest

from unrolled.checks import TASKS
from unrolled.checks import run as checks_run
from unrolled.grading import referee, sandbox, wire
from unrolled.grading.referee import Cell

QUICK = referee.Limits(cell=2, added_cells=3, call=2, task=4, submission=30, grace=1)
SETUP = Cell(0, "setup", "import numpy as np\nfrom unrolled.checks import check")
RIGHT = "def one_hot(ids, V):\n    return np.eye(V)[ids]"
COUNT = "def num_parameters(D, H, V):\n    return D * H + H * H + H + H * V + V"
ONE_HOT, PARAMETERS = Cell(8, "task", task="one_hot"), Cell(9, "task", task="num_parameters")


def judged(*texts: str, tasks=(ONE_HOT,), kind="solution", limits=QUICK, **options) -> referee.Outcome:
    cells = [SETUP, *(Cell(i, kind, text) for i, text in enumerate(texts, 1)), *tasks]
    return referee.judge(cells, 7, limits=limits, **options)


def test_right_function_gets_its_points(bwrap):
    outcome = judged(RIGHT)
    assert outcome.incidents == [] and outcome.points == 2 and outcome.tasks["one_hot"]["passed"], outcome


HOME = {
    "wrong type": "def one_hot(ids, V):\n    return [[1.0]]",
    "None": "def one_hot(ids, V):\n    pass",
    "foreign type": "class Tensor: pass\ndef one_hot(ids, V):\n    return Tensor()",
    "wrong dtype": "def one_hot(ids, V):\n    return np.eye(V, dtype=np.float32)[ids]",
    "big-endian": "def one_hot(ids, V):\n    return np.eye(V).astype('>f8')[ids]",
    "wrong shape": "def one_hot(ids, V):\n    return np.eye(V)[ids][0]",
    "wrong value": "def one_hot(ids, V):\n    return np.eye(V)[ids] * 2",
    "changed input": "def one_hot(ids, V):\n    x = np.eye(V)[ids]\n    ids += 1\n    return x",
    "error": "def one_hot(ids, V):\n    # a comment\n    return ids.nothing",
    "error in NumPy": "def one_hot(ids, V):\n    return np.eye(V)[ids + 10**6]",
    "unwritten": "def one_hot(ids, V):\n    raise NotImplementedError()",
    "unwritten helper": "def helper():\n    raise NotImplementedError()\ndef one_hot(ids, V):\n    return helper()",
    "prints": "import warnings\ndef one_hot(ids, V):\n    print('hello')\n    warnings.warn('careful')\n    return None",
    "exit": "def one_hot(ids, V):\n    raise SystemExit(3)",
    "a long error": "def one_hot(ids, V):\n    raise ValueError(np.zeros((200, 200)).tolist())",
    "a stub's line above the code": "def one_hot(ids, V):\n    raise NotImplementedError()\n    return np.eye(V)[ids]",
    "a stub's line below the code": "def one_hot(ids, V):\n    x = np.eye(V)[ids]\n    raise NotImplementedError()",
    "a copied stub": "def one_hot(ids, V):\n    return np.eye(V)[ids]\ndef one_hot(ids, V):\n    raise NotImplementedError()",
    "scalar": "def one_hot(ids, V):\n    return np.float64(3)",
}


@pytest.mark.parametrize("text", HOME.values(), ids=HOME)
def test_report_is_the_one_that_the_check_gives_at_home(bwrap, text):
    import linecache

    import numpy as np

    space = {"np": np}
    linecache.cache["<at home>"] = (len(text), None, text.splitlines(True), "<at home>")
    exec(compile(text, "<at home>", "exec"), space)
    at_home = checks_run.run(TASKS["one_hot"], checks_run.in_process(space["one_hot"]), 7)
    graded = judged(text).tasks["one_hot"]
    assert graded == json.loads(json.dumps(at_home.as_dict()))


def test_a_stub_in_a_later_cell_is_named(bwrap):
    message = judged(RIGHT, "def one_hot(ids, V):\n    raise NotImplementedError()").tasks["one_hot"]["message"]
    assert message.startswith("A cell that ran later defines one_hot once more, without code")


def test_a_cell_that_looks_at_the_inputs_of_a_case_costs_nothing_when_graded(bwrap):
    outcome = judged(RIGHT, "x = check.case('one_hot')\nprint(sorted(x))", kind="added")
    assert outcome.points == 2 and outcome.incidents == [] and outcome.cells["2"]["problems"] == []


@pytest.mark.parametrize("text", [
    "one_hot = {'\\x1b[2J': 1, 'a\\nb': 2}",
    "one_hot = {'\\u202eevil': 1}",
    "one_hot = type('\\x1b[31m\\u202e', (), {})()",
    "def one_hot(ids, V):\n    return {'\\x1b[2J': 1}",
    "def one_hot(ids, V):\n    raise ValueError('\\x1b[2J\\u202e\\x9b')",
    "def one_hot(ids, V):\n    print('\\x1b[2J\\u202e\\x9b')",
])  # fmt: skip
def test_no_words_of_a_learners_reach_a_report_as_control_characters(bwrap, text):
    record = judged(text).tasks["one_hot"]
    assert all(c.isprintable() or c == "\n" for c in record["message"] + record["printed"]), record


FLOOD = """
import sys
player = sys.modules["player"]
send = player.Connection.send
def flood(self, answer):
    if "problems" in answer:
        answer = {**answer, "problems": [chr(0x4e2d) * 4000] * 50, "printed": "x" * 4000}
    return send(self, answer)
player.Connection.send = flood
"""


def test_words_of_cells_are_kept_up_to_a_share_of_the_cell_and_of_the_notebook_whatever_the_player_claims(bwrap):
    outcome = judged(FLOOD, *("1" for _ in range(30)), RIGHT)
    said = [len(cell["printed"]) + sum(map(len, cell["problems"])) for cell in outcome.cells.values()]
    assert max(said) <= referee.CELL_TEXT + len(referee.LEFT_OUT) and sum(said) <= referee.NOTEBOOK_TEXT + 31 * len(referee.LEFT_OUT)
    assert list(outcome.cells.values())[-1]["printed"] == referee.LEFT_OUT
    assert outcome.points == 2  # and it costs nothing else


def test_incidents_are_kept_up_to_a_number(bwrap):
    dies = 'import sys\nsys.modules["player"].Connection.send = lambda self, answer: __import__("os")._exit(0)'
    outcome = judged(*(f"{dies}  # {i}" for i in range(referee.INCIDENTS + 2)), limits=dataclasses.replace(QUICK, submission=600))
    assert len(outcome.incidents) == referee.INCIDENTS + 1 and outcome.incidents[-1] == "and 2 more"


@pytest.mark.parametrize("fat", ["np.zeros(2**20)", "[np.zeros(0)] * 10**5", "'x' * 2**23"])
def test_fat_results_end_the_calls_of_their_task_before_they_fill_the_memory(bwrap, monkeypatch, fat):
    held, call = [], referee.Session.call

    def counted(self, task, *rest):
        seen = call(self, task, *rest)
        held.append(referee.weight(seen.value) if task.name == "one_hot" else 0)
        return seen

    monkeypatch.setattr(referee.Session, "call", counted)
    patient = dataclasses.replace(QUICK, call=20, task=100, submission=200)
    outcome = judged(f"fat = {fat}\ndef one_hot(ids, V):\n    return fat", COUNT, tasks=(ONE_HOT, PARAMETERS), limits=patient)
    assert referee.RESULTS < sum(held) <= referee.RESULTS + max(held)
    assert outcome.points == 2 and not outcome.incidents


def test_crash_costs_its_task_alone(bwrap):
    crash = "import os\ndef one_hot(ids, V):\n    os._exit(3)"
    outcome = judged(crash, COUNT, tasks=(ONE_HOT, PARAMETERS))
    assert {name: record["points"] for name, record in outcome.tasks.items()} == {"one_hot": 0, "num_parameters": 2}
    assert "ended the whole program (exit status 3)" in outcome.tasks["one_hot"]["message"] and outcome.incidents


def test_endless_call_costs_its_task_alone(bwrap):
    outcome = judged("def one_hot(ids, V):\n    while True: pass", COUNT, tasks=(ONE_HOT, PARAMETERS))
    assert outcome.points == 2 and "a call may take 2 s" in outcome.tasks["one_hot"]["message"]


def test_cell_that_ends_the_program_is_left_out_and_the_rest_judged(bwrap):
    outcome = judged(RIGHT, "import os; os._exit(0)", COUNT, tasks=(ONE_HOT, PARAMETERS))
    assert outcome.points == 4 and "left out of grading" in outcome.cells["2"]["problems"][0]


@pytest.mark.parametrize("text, printed", [
    ("import math\nimport numpy as np\nprint(math.pi)", "3.141592653589793\n"),
    ("seen = 'again'\nimport  numpy   as np; seen = 'once'\nprint(seen)", "again\n"),  # what the course wrote is not run again
    ("seen = 'once'; seen = 'once'\nprint(seen)", "once\n"),
    ("def f(:\n    pass", ""),
])  # fmt: skip
def test_statements_of_the_course_in_a_changed_cell_run_once(bwrap, text, printed):
    course = "import numpy as np\nseen = 'once'"
    cells = [Cell(0, "setup", course), Cell(1, "added", text, without=course), Cell(2, "solution", RIGHT), ONE_HOT]
    outcome = referee.judge(cells, 7, limits=QUICK)
    assert outcome.points == 2 and outcome.cells.get("1", {}).get("printed", "") == printed
    assert ("SyntaxError" in str(outcome.cells.get("1"))) == ("(:" in text)


def test_own_cells_share_their_time_and_solutions_still_run(bwrap):
    slow = [Cell(i, "added", f"import time; time.sleep(9)  # {i}") for i in range(1, 5)]
    outcome = referee.judge([SETUP, *slow, Cell(6, "solution", RIGHT), ONE_HOT], 7, limits=QUICK)
    assert outcome.points == 2 and "the time for your own cells was over" in outcome.cells["4"]["problems"][0]


def test_failing_statement_costs_only_what_depends_on_it(bwrap):
    outcome = judged(f"1 / 0\n{RIGHT}\nundefined_name\nprint('end')")
    cell = outcome.cells["1"]
    assert outcome.points == 2 and cell["printed"] == "end\n"
    assert [problem.split(":")[0] for problem in cell["problems"]] == ["ZeroDivisionError", "NameError"]


def test_missing_import_stands_for_something_that_fails_when_used(bwrap):
    outcome = judged(f"import matplotlib.pyplot as plt, math\n{RIGHT}\nplt.plot([1])\nmath.pi")
    assert outcome.points == 2 and outcome.cells["1"]["printed"] == "3.141592653589793\n"
    assert "matplotlib.pyplot is not there when grading" in outcome.cells["1"]["problems"][1]


def test_missing_function_is_said(bwrap):
    message = judged("x = 1").tasks["one_hot"]["message"]
    assert message == "There is no function one_hot when this check is reached."
    assert "A cell before this one failed" in judged("def one_hot(ids V): pass").tasks["one_hot"]["message"]
    assert "received int 3" in judged("one_hot = 3").tasks["one_hot"]["message"]


def test_function_is_judged_as_it_is_where_the_check_stands(bwrap):
    cells = [SETUP, Cell(1, "solution", RIGHT), ONE_HOT, Cell(10, "added", "one_hot = None"), Cell(11, "solution", COUNT), PARAMETERS]
    assert referee.judge(cells, 7, limits=QUICK).points == 4


def test_problem_is_an_explained_zero_without_running_anything(monkeypatch):
    monkeypatch.setattr(sandbox, "require", lambda unsafe: pytest.fail("nothing may run"))
    outcome = judged(RIGHT, problem="What was handed in is empty.")
    assert outcome.points == 0 and outcome.tasks["one_hot"]["message"] == "What was handed in is empty."


def test_time_that_a_reference_takes_is_not_the_learners(bwrap, monkeypatch):
    import time

    def slow(*arguments):
        time.sleep(0.5)
        return TASKS["one_hot"].reference(*arguments)

    task = dataclasses.replace(TASKS["one_hot"], reference=slow)
    monkeypatch.setattr(referee, "find", lambda name: task)
    assert judged(RIGHT, limits=dataclasses.replace(QUICK, task=2)).points == 2


def test_broken_reference_is_a_fault_and_no_zero(bwrap, monkeypatch):
    def broken(*_):
        raise RuntimeError("CUDA is on fire")

    task = dataclasses.replace(TASKS["one_hot"], reference=broken)
    monkeypatch.setattr(referee, "find", lambda name: task)
    with pytest.raises(referee.Fault, match="one_hot.*CUDA is on fire"):
        judged(RIGHT)


def test_without_sandbox_nothing_is_run_unless_asked_for(monkeypatch):
    monkeypatch.setattr(sandbox.shutil, "which", lambda *_, **__: None)
    sandbox._require_works.cache_clear()
    try:
        with pytest.raises(sandbox.SandboxError, match="apt-get install bubblewrap"):
            judged(RIGHT, unsafe=False)
        monkeypatch.setenv("UNROLLED_UNSAFE", "1")
        outcome = judged(RIGHT)
        assert outcome.points == 2 and outcome.sandbox == "none"
    finally:
        sandbox._require_works.cache_clear()


# --- What a class keeps ------------------------------------------------------------------------


def test_seed_is_drawn_once_and_kept_secret(tmp_path):
    folder = referee.ClassFolder(tmp_path / "class")
    found: list[int] = []
    threads = [threading.Thread(target=lambda: found.append(folder.seed("02"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1 and folder.seed("03") != found[0]
    assert stat.S_IMODE((tmp_path / "class" / "seeds.json").stat().st_mode) == 0o600


def test_forgotten_seed_is_drawn_anew_and_no_others(tmp_path):
    folder = referee.ClassFolder(tmp_path / "class")
    folder.forget_seed("02")  # there is none yet
    before = folder.seed("02"), folder.seed("03")
    folder.forget_seed("02")
    assert folder.seed("02") != before[0] and folder.seed("03") == before[1]


def test_second_judging_is_served_from_the_cache_until_something_changes(bwrap, tmp_path):
    folder = referee.ClassFolder(tmp_path)
    cells = [SETUP, Cell(1, "solution", RIGHT), ONE_HOT]
    first, key = referee.judge_cached(folder, "02", cells, limits=QUICK)
    second, again = referee.judge_cached(folder, "02", cells, limits=QUICK)
    assert not first.cached and second.cached and key == again
    assert second.tasks == json.loads(json.dumps(first.tasks))
    other = [SETUP, Cell(1, "solution", RIGHT + "\n"), ONE_HOT]
    assert not referee.judge_cached(folder, "02", other, limits=QUICK)[0].cached


JUDGE_IN_A_FRESH_PROCESS = """
import sys
from pathlib import Path
from unrolled.grading import referee
cells = [referee.Cell(0, "setup", "import numpy as np"), referee.Cell(1, "solution", sys.argv[2]), referee.Cell(2, "task", task="one_hot")]
outcome, _ = referee.judge_cached(referee.ClassFolder(Path(sys.argv[1])), "02", cells)
print(outcome.points, outcome.tasks["one_hot"]["judge"].split()[0], "torch" in sys.modules)
"""


def judged_in_a_fresh_process(folder, text):
    done = subprocess.run([sys.executable, "-c", JUDGE_IN_A_FRESH_PROCESS, folder, text], capture_output=True, text=True)
    return done.stdout.split() or done.stderr


def test_what_the_references_gave_is_kept_and_the_next_run_loads_no_torch(bwrap, tmp_path):
    assert judged_in_a_fresh_process(tmp_path, RIGHT) == ["2.0", "torch", "True"]
    assert judged_in_a_fresh_process(tmp_path, RIGHT + "\n") == ["2.0", "torch", "False"]
    assert judged_in_a_fresh_process(tmp_path, "def one_hot(ids, V): return np.zeros((*ids.shape, V))") == ["0.0", "torch", "False"]


def test_kept_truths_that_cannot_be_read_are_computed_anew(bwrap, tmp_path):
    judged_in_a_fresh_process(tmp_path, RIGHT)
    (kept,) = (tmp_path / "truths").iterdir()
    whole = kept.read_bytes()
    kept.write_bytes(whole[: len(whole) // 2])
    assert judged_in_a_fresh_process(tmp_path, RIGHT + "\n") == ["2.0", "torch", "True"]
    assert kept.read_bytes() == whole and stat.S_IMODE(kept.stat().st_mode) == 0o600


def test_truths_of_another_seed_or_other_tasks_are_others(tmp_path):
    folder, other = referee.ClassFolder(tmp_path / "a"), referee.ClassFolder(tmp_path / "b")
    folder.prepare("02", ["one_hot"])
    folder.prepare("02", ["one_hot", "rnn_step"])
    other.prepare("02", ["one_hot"])
    names = [path.name for path in [*(tmp_path / "a" / "truths").iterdir(), *(tmp_path / "b" / "truths").iterdir()]]
    assert len(set(names)) == 3


@pytest.mark.parametrize("name", TASKS)
def test_truths_come_back_from_the_file_as_they_went(name):
    known = checks_run.drawn(TASKS[name], 5).known()
    back = wire.decode(wire.encode(known))
    np.testing.assert_equal(back, known)
    assert repr(back) == repr(known)  # types, too


def test_crash_and_time_out_are_never_cached(bwrap, tmp_path):
    folder = referee.ClassFolder(tmp_path)
    for text in ("import os; os._exit(0)", "while True: pass"):
        for _ in range(2):
            assert not referee.judge_cached(folder, "02", [SETUP, Cell(1, "added", text), ONE_HOT], limits=QUICK)[0].cached


def test_damaged_cache_file_counts_as_none(tmp_path):
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "abc.json").write_text('{"tasks":')
    assert referee.ClassFolder(tmp_path).cached("abc") is None


@pytest.mark.parametrize("change", [{"seed": 8}, {"problem": "x"}, {"unsafe": True}, {"limits": referee.Limits(cell=3)}])
def test_key_depends_on_everything(change):
    everything = {"cells": [SETUP], "seed": 7, "problem": None, "limits": QUICK, "unsafe": False}
    assert referee.key_of(**everything) != referee.key_of(**{**everything, **change})
    assert referee.key_of(**everything) == referee.key_of(**everything)


def test_control_characters_of_a_learner_are_taken_out():
    assert referee.clean("a\x1b[2Jb\x00\n\tc\u202e") == "a\ufffd[2Jb\ufffd\n\tc\ufffd"
    assert referee.clean("x" * 5000).endswith(" ...")


@pytest.mark.parametrize("incident, status", [
    ("one_hot: a call did not end in time", "timed out"), ("The cell “x”: stopped after 10 s", "timed out"),
    ("The cell “x”: it did not answer in time and was stopped", "timed out"), ("The cell “x”: no time left", "timed out"),
    ("one_hot: the time for the whole notebook, 120 s, was over", "timed out"),
    ("The cell “import time”: it ended the whole program (exit status 0)", "crashed"),
    ("The cell “# stopped after 3 s”: it was ended by the signal SIGKILL", "crashed"),
])  # fmt: skip
def test_status_tells_a_time_out_from_a_crash_whatever_the_cell_says(incident, status):
    assert referee.status(referee.Outcome(incidents=[incident]), None) == status
