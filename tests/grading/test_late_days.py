"""Late days: the bank, the rate, and that the order of grading does not matter."""

from __future__ import annotations

import csv
import itertools
import os
import shutil
import sys
import warnings
from datetime import datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbformat import v4
from nbgrader.api import Gradebook
from traitlets import TraitError
from traitlets.config import Config
from traitlets.config.loader import PyFileConfigLoader

from unrolled.grading.export import CsvExport
from unrolled.grading.late_days import AssignLateDays, Clock, Days, HandIn, LateDays, SettleLateDays, moment, spend

pytestmark = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")  # SQLAlchemy's advice to nbgrader

DUE = datetime(2030, 3, 1, 18)
DAY = timedelta(days=1)
UTC = Clock()


@pytest.mark.parametrize("late, days", [
    (timedelta(days=-3), 0), (timedelta(), 0), (timedelta(minutes=15), 0), (timedelta(minutes=15, seconds=1), 1), (DAY, 1),
    (DAY + timedelta(minutes=15), 1), (DAY + timedelta(minutes=15, seconds=1), 2), (7 * DAY, 7),
])  # fmt: skip
def test_a_day_counts_when_it_has_begun_and_the_grace_is_over(late, days):
    assert Clock(grace=timedelta(minutes=15)).days_late(HandIn("a", DUE + late, DUE)) == days


@pytest.mark.parametrize("hand_in", [HandIn("a", DUE, None), HandIn("a", None, DUE), HandIn("a", None, None)])
def test_without_due_date_or_time_of_receipt_nothing_is_late(hand_in):
    assert UTC.days_late(hand_in) == 0 and spend([hand_in], 5, UTC) == {}


def _utc(shown: str, zone: str) -> datetime:
    """The moment, in UTC, at which a clock in a zone shows a time."""
    return datetime.fromisoformat(shown).replace(tzinfo=ZoneInfo(zone)).astimezone(timezone.utc).replace(tzinfo=None)


@pytest.mark.parametrize("due, received, zone, days", [
    # The end of summer time: the day has 25 hours. Half an hour before the same clock time next day is one late day, not two.
    ("2026-10-31 20:00", "2026-11-01 19:30", "America/New_York", 1), ("2026-10-31 20:00", "2026-11-01 20:16", "America/New_York", 2),
    # Its beginning: the day has 23 hours. Half an hour after the same clock time next day is two late days, not one.
    ("2026-03-07 20:00", "2026-03-08 20:30", "America/New_York", 2), ("2026-03-07 20:00", "2026-03-08 20:15", "America/New_York", 1),
    # The time of grace holds at each day's end.
    ("2026-05-01 20:00", "2026-05-02 20:05", "America/New_York", 1), ("2026-05-01 20:00", "2026-05-08 20:15", "Asia/Shanghai", 7),
    # A day's end that the clock shows twice is the later one; one that it leaves out is the time that stands in its place.
    ("2026-10-24 02:30", "2026-10-25 02:40+01:00", "Europe/Berlin", 1), ("2026-10-24 02:30", "2026-10-25 02:46+01:00", "Europe/Berlin", 2),
    ("2026-03-28 02:30", "2026-03-29 03:45", "Europe/Berlin", 1), ("2026-03-28 02:30", "2026-03-29 03:46", "Europe/Berlin", 2),
    ("2026-06-01 18:00", "2026-12-01 18:10", "Europe/Berlin", 183),
])  # fmt: skip
def test_a_day_ends_by_the_clock_on_the_wall(due, received, zone, days):
    moment = datetime.fromisoformat(received)
    moment = moment.astimezone(timezone.utc).replace(tzinfo=None) if moment.tzinfo else _utc(received, zone)
    clock = Clock(ZoneInfo(zone), timedelta(minutes=15))
    assert clock.days_late(HandIn("a", moment, _utc(due, zone))) == days


def test_time_of_receipt_in_the_last_year_of_the_calendar_is_late_and_no_error():
    received = datetime(9999, 12, 31, 23, 59)
    assert Clock(ZoneInfo("Pacific/Auckland")).days_late(HandIn("a", received, DUE)) == pytest.approx((received - DUE).days, abs=2)


def test_extension_of_a_day_ends_at_the_same_clock_time_and_its_hours_pass():
    clock = Clock(ZoneInfo("America/New_York"))
    due = _utc("2026-10-31 20:00", "America/New_York")
    assert clock.extended(due, DAY) == due + timedelta(hours=25)
    assert clock.extended(due, DAY + timedelta(hours=3)) == due + timedelta(hours=28)


@given(st.datetimes(datetime(1971, 1, 1), datetime(2035, 1, 1)), st.integers(0, 60 * 24 * 60), st.sampled_from(["America/New_York", "Australia/Lord_Howe", "UTC"]))
def test_days_are_the_first_whose_end_is_not_before_the_receipt(due, minutes, zone):
    clock = Clock(ZoneInfo(zone), timedelta(minutes=15))
    received = due + timedelta(minutes=minutes)
    days = clock.days_late(HandIn("a", received, due))
    assert received <= clock.later(due, days) + clock.grace
    assert days == 0 or received > clock.later(due, days - 1) + clock.grace


@pytest.mark.parametrize("name", ["Berlin", "", "../etc/passwd", "UTC+1"])
def test_time_zone_that_is_none_is_refused_with_an_example(name):
    with pytest.raises(TraitError, match="expected the name of a time zone in IANA's list, such as 'Europe/Berlin'"):
        LateDays(timezone=name)


@pytest.mark.parametrize("text, hour", [
    ("2026-11-20 18:00:00 UTC", 18), ("2026-11-20 18:00", 18), ("2026-11-20 13:00 -0500", 18), ("2026-11-20 13:00-05:00", 18),
    ("2026-11-20 13:00:00 EST", 18), ("2026-11-20 19:00 Europe/Berlin", 18), ("2026-07-20 20:00 Europe/Berlin\n", 18), ("2026-11-20 06:00 PM", 18),
    ("2026-11-20T18:00:00Z", 18), ("Nov 20, 2026 6:00 PM UTC", 18),
])  # fmt: skip
def test_time_of_receipt_is_read_as_people_and_platforms_write_it(text, hour):
    found = moment(text)
    assert (found.year, found.day, found.hour, found.minute, found.tzinfo) == (2026, 20, hour, 0, None)


@pytest.mark.parametrize("text", ["", "soon", "2026-11-20 18:00 XYZ", "2026-11-20 18:00 Europe/Nowhere", "2026-13-20 18:00 UTC"])
def test_what_is_no_time_is_refused(text):
    with pytest.raises(ValueError):
        moment(text)


def test_bank_pays_what_was_received_first():
    hand_ins = [HandIn("b", DUE + 3 * DAY, DUE), HandIn("a", DUE + 4 * DAY, DUE), HandIn("c", DUE + 5 * DAY, DUE + 4 * DAY)]
    assert spend(hand_ins, 5, UTC) == {"b": Days(3, 3), "a": Days(4, 2), "c": Days(1, 0)}


HAND_INS = st.lists(st.tuples(st.integers(-48, 240), st.integers(0, 10)), max_size=6).map(
    lambda found: [HandIn(f"a{i}", DUE + timedelta(hours=hours), DUE + days * DAY) for i, (hours, days) in enumerate(found)]
)


@given(HAND_INS, st.integers(0, 9), st.randoms(use_true_random=False))
def test_spending_does_not_depend_on_order_and_never_overdraws(hand_ins, bank, random):
    days = spend(hand_ins, bank, UTC)
    shuffled = list(hand_ins)
    random.shuffle(shuffled)
    assert spend(shuffled, bank, UTC) == days
    assert sum(each.from_bank for each in days.values()) == min(bank, sum(each.late for each in days.values()))
    assert all(0 <= each.from_bank <= each.late for each in days.values())


# --- In the gradebook --------------------------------------------------------------------------

RECEIVED = {"01": DUE + 2 * DAY, "02": DUE + 10 * DAY, "03": DUE + 4 * DAY, "04": DUE + 30 * DAY}  # 04 has no due date
SCORES = {"01": 20.0, "02": 20.0, "03": 1.0, "04": 20.0}


@pytest.fixture(scope="module")
def course_file(tmp_path_factory):
    """A gradebook with four assignments of 20 points, due on the same day but for the last."""
    path = tmp_path_factory.mktemp("book") / "gradebook.db"
    programs = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])  # nbgrader starts alembic by name
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        patch.setenv("PATH", programs)
        with Gradebook(f"sqlite:///{path}") as book:
            for name in RECEIVED:
                book.add_assignment(name, duedate=None if name == "04" else str(DUE))
                book.add_notebook(name, name)
                book.add_grade_cell("task", name, name, max_score=20, cell_type="code")
            book.add_student("ada")
    return path


@pytest.fixture
def course_book(course_file, tmp_path) -> str:
    """The address of a copy of it."""
    return f"sqlite:///{shutil.copy(course_file, tmp_path)}"


def _graded(url: str, name: str, received: datetime | None = None, **traits) -> None:
    """Enter a submission as nbgrader does, and run the step on it."""
    config = Config({"AssignLatePenalties": {"plugin_class": LateDays}, "LateDays": {"bank": 5, "rate": 0.1, "grace_minutes": 0, **traits}})
    with Gradebook(url) as book:
        book.update_or_create_submission(name, "ada", timestamp=str(received or RECEIVED[name]))
        book.find_grade("task", name, name, "ada").auto_score = SCORES[name]
        book.db.commit()
    resources = {"nbgrader": {"notebook": name, "assignment": name, "student": "ada", "db_url": url}}
    AssignLateDays(config=config).preprocess(v4.new_notebook(), resources)


def _penalties(url: str) -> dict[str, float | None]:
    with Gradebook(url) as book:
        return {each.name: each.notebooks[0].late_submission_penalty for each in book.student_submissions("ada")}


@pytest.mark.parametrize("order", [*itertools.permutations(("01", "02", "03")), ("04", "02", "03", "01")], ids="-".join)
def test_order_of_grading_does_not_matter(course_book, order):
    for name in order:
        _graded(course_book, name)
    found = _penalties(course_book)
    found.pop("04", None)
    # received: 01 (2 days, all paid), 03 (4 days, 3 paid, 2 points, of which it has 1), 02 (10 days, none paid, 20 points)
    assert found == {"01": None, "02": 20, "03": 1}


def test_assignment_without_a_due_date_costs_nothing_however_late(course_book):
    _graded(course_book, "04")
    assert _penalties(course_book) == {"04": None}


def test_extension_gives_its_days_back_to_the_bank(course_book):
    for name in ("01", "02"):
        _graded(course_book, name)
    assert _penalties(course_book)["02"] == pytest.approx(0.1 * 7 * 20)
    with Gradebook(course_book) as book:
        book.grant_extension("01", "ada", days=2)
    _graded(course_book, "01")
    assert _penalties(course_book) == {"01": None, "02": pytest.approx(0.1 * 5 * 20)}


SETTINGS = {"AssignLatePenalties": {"plugin_class": LateDays}, "LateDays": {"bank": 5, "rate": 0.1, "grace_minutes": 0}}


def _exported(url: str, folder: Path, settings: dict = SETTINGS) -> dict[str, tuple[float, ...]]:
    """Penalty, score, late days and those from the bank by assignment, as the export writes them."""
    to = folder / "grades.csv"
    config = Config({**settings, "ExportPlugin": {"to": str(to)}, "Judge": {"class_folder": str(folder)}})
    with Gradebook(url) as book:
        CsvExport(config=config).export(book)
    columns = ("late_submission_penalty", "score", "late_days", "late_days_from_bank")
    return {row["assignment"]: tuple(float(row[column]) for column in columns) for row in csv.DictReader(to.open(encoding="utf-8"))}


def test_export_agrees_with_itself_after_an_extension_and_another_due_date_though_nobody_is_graded_again(course_book, tmp_path):
    for name in ("01", "02"):
        _graded(course_book, name)
    assert _exported(course_book, tmp_path)["02"] == (14, 6, 10, 3)
    with Gradebook(course_book) as book:
        book.grant_extension("01", "ada", days=2)
    found = _exported(course_book, tmp_path)
    assert (found["01"], found["02"]) == ((0, 20, 0, 0), (10, 10, 10, 5)) and _penalties(course_book)["02"] == 10
    with Gradebook(course_book) as book:
        book.update_or_create_assignment("02", duedate=str(DUE + 9 * DAY))
    assert _exported(course_book, tmp_path)["02"] == (0, 20, 1, 1)


def test_export_leaves_alone_what_another_plugin_took_off(course_book, tmp_path):
    _graded(course_book, "02")
    stock = {"AssignLatePenalties": {"plugin_class": "nbgrader.plugins.LateSubmissionPlugin"}}
    with Gradebook(course_book) as book:
        book.grant_extension("02", "ada", days=30)
    assert _exported(course_book, tmp_path, stock)["02"] == (10, 10, 0, 0)


def test_feedback_begins_with_settling_late_days(course_book):
    _graded(course_book, "02")
    with Gradebook(course_book) as book:
        book.grant_extension("02", "ada", days=9)
    resources = {"nbgrader": {"notebook": "02", "assignment": "02", "student": "ada", "db_url": course_book}}
    SettleLateDays(config=Config(SETTINGS)).preprocess(v4.new_notebook(), resources)
    assert _penalties(course_book) == {"02": None}


def test_settings_of_the_course_settle_late_days_before_feedback(course):
    config = PyFileConfigLoader("nbgrader_config.py", path=str(course)).load_config()
    assert config.GenerateFeedback.preprocessors[0] == "unrolled.grading.late_days.SettleLateDays"


def test_later_submission_counts_as_received_later(course_book):
    _graded(course_book, "01")
    _graded(course_book, "01", DUE + 7 * DAY)
    assert _penalties(course_book) == {"01": pytest.approx(0.1 * 2 * 20)}


def test_rate_of_nothing_costs_nothing(course_book):
    _graded(course_book, "02", rate=0.0)
    assert _penalties(course_book) == {"02": None}


@pytest.mark.slow
def test_grading_takes_late_days_and_feedback_and_table_show_them(same_class, monkeypatch):
    import sample_class

    name = sample_class.ASSIGNMENT
    monkeypatch.chdir(same_class.folder)
    (same_class.folder / "class" / "submitted" / "ada" / name / "timestamp.txt").write_text(f"{DUE + 7 * DAY} UTC")
    with Gradebook(same_class.config.CourseDirectory.db_url, "unrolled") as book:
        book.update_or_create_assignment(name, duedate=f"{DUE} UTC")
    assert same_class.grade("ada")["success"] and same_class.api.generate_feedback(name, "ada")["success"]
    page = (same_class.folder / "class" / "feedback" / "ada" / name / f"{name}.html").read_text(encoding="utf-8")
    assert "Handed in late" in page and "−4<" in page and "16 of 20 points" in page
    row = next(csv.DictReader(same_class.plugin("table").splitlines()))
    assert (row["raw_score"], row["late_submission_penalty"], row["score"], row["late_days"], row["late_days_from_bank"]) == (
        "20.0", "4.0", "16.0", "7", "5"
    )  # fmt: skip
