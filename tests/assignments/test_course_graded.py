"""A small class, graded by the plain nbgrader commands in a folder of its own."""

from __future__ import annotations

import csv
import html.parser
import re
import warnings

import pytest

ASSIGNMENT = "02-rnn-forward"

pytestmark = pytest.mark.slow

NOISY = """
import sys, warnings
def one_hot(ids, V):
    print("hello")
    print("a line for stderr", file=sys.stderr)
    warnings.warn("a warning")
    return np.eye(V)[ids]
"""


@pytest.fixture(scope="session")
def graded(course, tmp_path_factory):
    """The folder of a course after generate_assignment, autograde, generate_feedback and export."""
    import sample_class

    folder = tmp_path_factory.mktemp("class") / "course"
    sample_class.new_course(course, folder)
    answers = sample_class.model_answers(folder)
    sample_class.hand_in(folder, "ada", answers)
    sample_class.hand_in(folder, "blaise", {**answers, "rnn_forward-code": sample_class.NOT_CARRIED})
    sample_class.hand_in(folder, "charles", {})
    sample_class.hand_in(folder, "dora", {**answers, "one_hot-code": NOISY})
    sample_class.grade(folder)
    return folder


@pytest.fixture(scope="session")
def scores(graded):
    import sample_class

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # SQLAlchemy's advice to nbgrader
        return sample_class.scores(graded)


def _total(tasks: dict) -> float:
    return sum(score for score, _ in tasks.values())


def _feedback(folder, student: str) -> str:
    return (folder / "class" / "feedback" / student / ASSIGNMENT / f"{ASSIGNMENT}.html").read_text(encoding="utf-8")


def test_model_answers_get_twenty_of_twenty(scores):
    assert _total(scores["ada"]) == 20 and sum(most for _, most in scores["ada"].values()) == 20


def test_released_notebook_gets_zero(scores):
    assert _total(scores["charles"]) == 0


def test_state_that_is_not_carried_costs_its_task_alone(scores):
    failed = {name for name, (score, most) in scores["blaise"].items() if score < most}
    assert failed == {"rnn_forward"} and 15 < _total(scores["blaise"]) < 20


def test_prints_and_warnings_cost_nothing(scores):
    assert _total(scores["dora"]) == 20


def test_exported_table_holds_the_scores(graded):
    with (graded / "class" / "grades.csv").open(newline="") as table:
        rows = {row["student_id"]: row for row in csv.DictReader(table)}
    found = {name: round(float(row["score"]), 2) for name, row in rows.items()}
    assert found == {"ada": 20, "blaise": 15.62, "charles": 0, "dora": 20}
    assert {row["max_score"] for row in rows.values()} == {"20.0"}


def test_feedback_names_the_mistake_and_the_section(graded):
    page = _feedback(graded, "blaise")
    assert "a network whose state is not carried from step to step" in page
    assert "A hidden state is not a hidden layer" in page and "15.62 of 20 points" in page


def test_feedback_lists_the_score_of_every_task(graded):
    page = _feedback(graded, "blaise")
    rows = dict(re.findall(r'<a href="#(\w+)"><code>.*?<span class="\w+">([\d.]+)</span>', page))
    assert rows == {"one_hot": "2", "rnn_step": "4", "rnn_forward": "0.62", "output_logits": "2", "cross_entropy": "5",
                    "num_parameters": "2"}  # fmt: skip


class _Loads(html.parser.HTMLParser):
    """Collects whatever a browser would fetch for a page."""

    def __init__(self):
        super().__init__()
        self.found: list[str] = []
        self.anchors: set[str] = set()
        self.targets: set[str] = set()

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag in {"script", "link", "iframe", "object", "embed", "base", "form"}:
            self.found.append(tag)
        source = attributes.get("src") or attributes.get("data") or attributes.get("srcset") or ""
        if source and not source.startswith("data:"):
            self.found.append(source)
        if "url(" in (attributes.get("style") or ""):
            self.found.append(attributes["style"])
        self.anchors.add(attributes.get("id", ""))
        if tag == "a" and (attributes.get("href") or "").startswith("#"):
            self.targets.add(attributes["href"][1:])


@pytest.mark.parametrize("student", ["ada", "blaise", "charles", "dora"])
def test_feedback_page_loads_nothing(graded, student):
    page = _feedback(graded, student)
    reader = _Loads()
    reader.feed(page)
    assert reader.found == []
    assert "default-src 'none'" in page and "@import" not in page and "url(" not in page.split("</style>")[0]


def test_links_of_the_feedback_table_lead_to_the_reports(graded):
    reader = _Loads()
    reader.feed(_feedback(graded, "ada"))
    tasks = {"one_hot", "rnn_step", "rnn_forward", "output_logits", "cross_entropy", "num_parameters"}
    assert tasks <= reader.targets and tasks <= reader.anchors


def test_unfinished_notebook_shows_no_traceback(graded):
    page = _feedback(graded, "charles")
    assert "Traceback" not in page and page.count("is not written yet") >= 6


def test_closing_cell_of_an_unfinished_notebook_asks_for_the_functions(graded):
    assert "This comes alive when all six functions are written." in _feedback(graded, "charles")


def test_closing_cells_are_not_run_when_grading(graded):
    assert "it is not run when grading" in _feedback(graded, "ada")


def test_second_run_is_served_from_the_cache_and_says_so(graded):
    import sample_class

    log = sample_class.nbgrader(graded, "autograde", ASSIGNMENT, "--force")
    assert log.count("from the cache") == 4


def test_validate_passes_the_model_answers(graded):
    import sample_class

    log = sample_class.nbgrader(graded, "validate", f"solutions/{ASSIGNMENT}/{ASSIGNMENT}.ipynb")
    assert "passes all the tests" in log


def test_validate_fails_every_check_of_the_released_notebook(graded):
    import sample_class

    log = sample_class.nbgrader(graded, "validate", f"assignments/{ASSIGNMENT}/{ASSIGNMENT}.ipynb")
    assert "VALIDATION FAILED ON 6 CELL(S)" in log


def test_model_answers_do_not_reach_the_release(graded):
    files = {path.name for path in (graded / "assignments").rglob("*") if path.is_file()}
    assert files == {f"{ASSIGNMENT}.ipynb"}
    assert "np.tanh(X_t" not in (graded / "assignments" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb").read_text(encoding="utf-8")
