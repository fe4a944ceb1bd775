"""nbgrader's exchange: what learners put there, and what is taken from it. As root, with accounts that every system has as learners."""

from __future__ import annotations

import logging
import os
import pwd
import shutil
import subprocess
import sys
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

import nbformat
import pytest
from nbformat import v4
from nbgrader.auth import Authenticator
from nbgrader.coursedir import CourseDirectory
from nbgrader.exchange import ExchangeError
from nbgrader.utils import notebook_hash, parse_utc

from unrolled.grading import exchange

NAME = "02-rnn-forward"
ADA, EVE = "daemon", "nobody"  # a learner, and another one
SECRET = "5e" * 64
LONG_AGO = "2020-01-01 00:00:00.000000 UTC"

pytestmark = pytest.mark.skipif(
    os.name != "posix" or os.geteuid() != 0, reason="needs root, to hand in as several accounts: sudo make test"
)


class Exchange:
    """A course and its exchange."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "exchange"
        self.course = folder / "course"
        self.course.mkdir()
        (self.course / "class").mkdir(mode=0o700)
        (self.course / "assignments" / NAME).mkdir(parents=True)
        (self.course / "assignments" / NAME / f"{NAME}.ipynb").write_text("released")
        self.run(exchange.ReleaseAssignment)
        self.inbound = self.root / "unrolled" / "inbound"

    def run(self, what: type, **settings):
        from traitlets.config import Config

        config = Config()
        config.CourseDirectory.update(
            course_id="unrolled", root=str(self.course), release_directory="assignments", submitted_directory="class/submitted",
            feedback_directory="class/feedback", db_url=f"sqlite:///{self.course}/class/gradebook.db", assignment_id=NAME,
        )  # fmt: skip
        config.Exchange.root = str(self.root)
        config[what.__name__].update(settings)
        made = what(coursedir=CourseDirectory(config=config), authenticator=Authenticator(), config=config)
        made.start()
        return made

    def hand_in(self, student: str, owner: str | None = None, when: str | None = None, text: str = "work", random: str = "abc") -> Path:
        """What `nbgrader submit` leaves in the exchange, with a name that may say anything."""
        when = when or f"{datetime.now(timezone.utc):%Y-%m-%d %H:%M:%S.%f} UTC"
        folder = self.inbound / f"{student}+{NAME}+{when}+{random}"
        folder.mkdir(mode=0o777)
        (folder / f"{NAME}.ipynb").write_text(text)
        (folder / "timestamp.txt").write_text(when)
        (folder / "submission_secret.txt").write_text(SECRET)
        for path in (folder, *folder.iterdir()):
            shutil.chown(path, owner or student)
        folder.chmod(0o777)
        return folder

    def collected(self, student: str = ADA) -> Path:
        return self.course / "class" / "submitted" / student / NAME

    def text(self, student: str = ADA) -> str | None:
        path = self.collected(student) / f"{NAME}.ipynb"
        return path.read_text() if path.exists() else None

    def received(self, student: str = ADA) -> datetime:
        return parse_utc((self.collected(student) / "timestamp.txt").read_text().strip())


@pytest.fixture(scope="module")
def empty_book(tmp_path_factory) -> Path:
    """A gradebook in which nothing is; making one takes a second."""
    from nbgrader.api import Gradebook

    path = tmp_path_factory.mktemp("book") / "gradebook.db"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))  # nbgrader calls alembic
        Gradebook(f"sqlite:///{path}", "unrolled").close()
    return path


@pytest.fixture
def place(tmp_path, empty_book) -> Exchange:
    tmp_path.chmod(0o755)
    made = Exchange(tmp_path)
    shutil.copy(empty_book, made.course / "class")
    return made


def near_now(time: datetime) -> bool:
    return abs(time - datetime.now(timezone.utc).replace(tzinfo=None)) < timedelta(minutes=2)


# --- What is taken -----------------------------------------------------------------------------


def test_a_submission_is_collected_for_nobody_elses_eyes(place):
    place.hand_in(ADA)
    place.run(exchange.Collect)
    folder = place.collected()
    assert sorted(path.name for path in folder.iterdir()) == [f"{NAME}.ipynb", "submission_secret.txt", "timestamp.txt"]
    assert place.text() == "work" and exchange.secret_beside(folder) == SECRET and near_now(place.received())
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    assert [path.stat().st_mode & 0o777 for path in (folder, folder.parent)] == [0o700, 0o700]
    assert {path.stat().st_uid for path in (folder, *folder.iterdir())} == {0}
    assert [path.name for path in folder.parent.iterdir()] == [NAME]


@pytest.mark.parametrize("student, random", [("li+lei", "+xyz"), ("li+lei", "")])
def test_a_login_with_a_plus_is_read_whole(place, student, random):
    folder = place.hand_in(student, owner="root")
    folder.rename(folder.with_name(f"{student}+{NAME}+2026-01-02 03:04:05 UTC{random}"))
    place.run(exchange.Collect)
    assert place.text(student) == "work"


class Translated:
    """A release in two languages, and work in either."""

    def __init__(self, place: Exchange) -> None:
        self.place, self.release = place, place.course / "assignments" / NAME
        (self.release / "zh_CN").mkdir()
        for folder, prose in ((self.release, "Write."), (self.release / "zh_CN", "写。")):
            cells = [v4.new_markdown_cell(prose, id="prose"), v4.new_code_cell("# YOUR CODE HERE", id="answer", metadata={"nbgrader": {"grade_id": "rnn_step-code", "solution": True}})]
            (folder / f"{NAME}.ipynb").write_text(nbformat.writes(v4.new_notebook(cells=cells)))

    def hand_in(self, **work: str) -> None:
        """The fetched folder, with an answer written in the notebook of each language named: en, zh_CN."""
        folder = self.place.hand_in(ADA)
        (folder / "zh_CN").mkdir()
        for language, place in (("en", "."), ("zh_CN", "zh_CN")):
            notebook = nbformat.read(self.release / place / f"{NAME}.ipynb", as_version=4)
            notebook.cells[1].source = work.get(language, notebook.cells[1].source)
            notebook.cells[1].outputs = [v4.new_output("stream", text="it was run")]
            (folder / place / f"{NAME}.ipynb").write_text(nbformat.writes(notebook))
        for path in folder.rglob("*"):
            shutil.chown(path, ADA)

    def answer(self) -> str:
        return nbformat.reads(self.place.text(), as_version=4).cells[1].source


@pytest.fixture
def translated(place):
    return Translated(place)


@pytest.mark.parametrize("work, taken, remark", [
    ({"zh_CN": "step = 2"}, "step = 2", f"zh_CN/{NAME}.ipynb is taken: nothing was written in {NAME}.ipynb"),
    ({"en": "step = 1"}, "step = 1", ""),
    ({"en": "step = 1", "zh_CN": "step = 2"}, "step = 1", f"left out: zh_CN/{NAME}.ipynb (something was written in {NAME}.ipynb, too"),
])  # fmt: skip
def test_the_notebook_in_which_somebody_wrote_is_taken_in_whatever_language_it_is(translated, caplog, work, taken, remark):
    translated.hand_in(**work)
    translated.place.run(exchange.Collect)
    assert translated.answer() == taken and remark in caplog.text and ("zh_CN" in caplog.text) == bool(remark)
    assert not (translated.place.collected() / "zh_CN").exists()


def test_a_change_of_a_translated_notebook_after_the_hand_in_makes_it_later(translated):
    translated.hand_in(zh_CN="step = 2")
    (folder,) = translated.place.inbound.iterdir()
    time.sleep(0.02)
    before = datetime.now(timezone.utc).replace(tzinfo=None)
    (folder / "zh_CN" / f"{NAME}.ipynb").write_text((folder / "zh_CN" / f"{NAME}.ipynb").read_text().replace("= 2", "= 3"))
    translated.place.run(exchange.Collect)
    assert translated.place.received() > before


@pytest.mark.parametrize("what", [f"zh_CN/{NAME}.ipynb", "zh_CN"])
def test_a_link_in_the_place_of_a_translated_notebook_or_its_folder_is_not_followed(translated, caplog, what):
    translated.hand_in()
    (folder,) = translated.place.inbound.iterdir()
    secret = translated.place.course / "class" / "secret"
    secret.mkdir()
    (secret / f"{NAME}.ipynb").write_text((folder / f"{NAME}.ipynb").read_text().replace("# YOUR CODE HERE", "secret = 1"))
    shutil.rmtree(folder / "zh_CN")
    (folder / what).parent.mkdir(exist_ok=True)
    (folder / what).symlink_to(secret / f"{NAME}.ipynb" if what.endswith(".ipynb") else secret)
    place = translated.place
    place.run(exchange.Collect)
    assert translated.answer() == "# YOUR CODE HERE" and f"left out: {what} (it is a link)" in caplog.text


def test_another_assignment_and_what_is_no_submission_are_left_alone(place, caplog):
    place.hand_in(ADA).rename(place.inbound / f"{ADA}+03-bptt+2026-01-01 10:00:00 UTC+x")
    (place.inbound / "notes.txt").write_text("hello")
    place.run(exchange.Collect)
    assert place.text() is None and "Not collected" not in caplog.text and "No submissions" in caplog.text


def test_a_second_collection_takes_what_is_newer_only_with_update(place):
    place.hand_in(ADA)
    place.run(exchange.Collect)
    place.hand_in(ADA, text="better", random="second")
    place.run(exchange.Collect)
    assert place.text() == "work"
    place.run(exchange.Collect, update=True)
    assert place.text() == "better"


def test_a_change_of_modes_in_the_exchange_makes_nobody_late(place):
    folder = place.hand_in(ADA)
    place.run(exchange.Collect)
    before = place.received()
    time.sleep(0.02)
    os.chmod(folder / f"{NAME}.ipynb", 0o640)
    place.run(exchange.Collect, update=True)
    assert place.received() == before


def test_of_two_submissions_the_one_that_was_changed_last_counts(place):
    place.hand_in(ADA, text="second thoughts", when="2030-01-01 00:00:00 UTC")
    time.sleep(0.02)
    place.hand_in(ADA, text="last", when=LONG_AGO)
    place.run(exchange.Collect)
    assert place.text() == "last"


def test_before_the_due_date_is_what_the_kernel_says(place):
    from nbgrader.api import Gradebook

    place.hand_in(ADA, text="in time")
    time.sleep(1.1)
    due = datetime.now(timezone.utc)
    with Gradebook(f"sqlite:///{place.course}/class/gradebook.db", "unrolled") as book:
        book.add_assignment(NAME, duedate=f"{due:%Y-%m-%d %H:%M:%S.%f} UTC")
    time.sleep(0.02)
    place.hand_in(ADA, text="late", when=LONG_AGO)
    place.run(exchange.Collect, before_duedate=True)
    assert place.text() == "in time"


# --- Times -------------------------------------------------------------------------------------


@pytest.mark.parametrize("when", [LONG_AGO, "2199-01-01 00:00:00 UTC", "yesterday", "0000-99-99 UTC", "²⁰²⁰-01-01"])
def test_the_time_of_receipt_is_the_kernels_whatever_the_name_says(place, caplog, when):
    place.hand_in(ADA, when=when)
    place.run(exchange.Collect)
    assert near_now(place.received()) and f"{ADA}: its name" in caplog.text


def test_a_folder_that_came_in_time_and_was_filled_later_is_late(place):
    folder = place.hand_in(ADA)
    first = folder.stat().st_ctime
    time.sleep(0.05)
    (folder / f"{NAME}.ipynb").write_text("written afterwards")
    os.utime(folder / f"{NAME}.ipynb", (0, 0))
    place.run(exchange.Collect)
    assert place.received().replace(tzinfo=timezone.utc).timestamp() >= first + 0.04


def test_in_a_restored_exchange_the_names_can_be_believed(place):
    place.hand_in(ADA, when="2026-02-03 04:05:06.000007 UTC")
    place.run(exchange.Collect, believe_times=True)
    assert place.received() == datetime(2026, 2, 3, 4, 5, 6, 7)


# --- What is refused, without a loss to others ---------------------------------------------------


def a_link_instead_of_a_folder(place):
    (place.inbound / f"{EVE}+{NAME}+{LONG_AGO}+x").symlink_to(place.course)


def a_dangling_link(place):
    (place.inbound / f"{EVE}+{NAME}+{LONG_AGO}+x").symlink_to("/nowhere")


def a_link_as_notebook(place):
    folder = place.hand_in(EVE)
    (folder / f"{NAME}.ipynb").unlink()
    (folder / f"{NAME}.ipynb").symlink_to(place.course / "class" / "seeds.json")
    os.chown(folder / f"{NAME}.ipynb", folder.stat().st_uid, -1, follow_symlinks=False)


def a_pipe_as_notebook(place):
    folder = place.hand_in(EVE)
    (folder / f"{NAME}.ipynb").unlink()
    os.mkfifo(folder / f"{NAME}.ipynb")
    shutil.chown(folder / f"{NAME}.ipynb", EVE)


def a_pipe_instead_of_a_folder(place):
    os.mkfifo(place.inbound / f"{EVE}+{NAME}+{LONG_AGO}+x")
    shutil.chown(place.inbound / f"{EVE}+{NAME}+{LONG_AGO}+x", EVE)


def somebody_elses_file(place):
    shutil.chown(place.hand_in(EVE) / f"{NAME}.ipynb", "bin")


def a_huge_notebook(place):
    os.truncate(place.hand_in(EVE) / f"{NAME}.ipynb", 200 * 2**20)


def a_thousand_files(place):
    folder = place.hand_in(EVE)
    for number in range(exchange.MAX_ENTRIES):
        (folder / str(number)).touch()


def a_mounted_file_system(place):
    folder = place.inbound / f"{EVE}+{NAME}+{LONG_AGO}+x"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "none", folder], capture_output=True).returncode:
        pytest.skip("optional: nothing can be mounted here")
    (folder / f"{NAME}.ipynb").write_text("forged")
    for path in (folder, folder / f"{NAME}.ipynb"):
        shutil.chown(path, EVE)


BROKEN = [a_link_instead_of_a_folder, a_dangling_link, a_link_as_notebook, a_pipe_as_notebook, a_pipe_instead_of_a_folder,
          somebody_elses_file, a_huge_notebook, a_thousand_files, a_mounted_file_system]  # fmt: skip


@pytest.mark.parametrize("hand_in", BROKEN, ids=lambda make: make.__name__)
def test_what_can_not_be_taken_is_named_and_costs_nobody_else(place, caplog, request, hand_in):
    (place.course / "class" / "seeds.json").write_text("secret seeds")
    place.hand_in(ADA)
    request.addfinalizer(lambda: [subprocess.run(["umount", path], capture_output=True) for path in place.inbound.glob(f"{EVE}+*")])
    hand_in(place)
    place.run(exchange.Collect)
    assert place.text() == "work" and place.text(EVE) is None and "Not collected: “nobody+" in caplog.text
    assert "secret seeds" not in caplog.text


@pytest.mark.parametrize("hand_in", [a_link_as_notebook, a_pipe_as_notebook, a_huge_notebook], ids=lambda make: make.__name__)
def test_a_broken_submission_leaves_the_sound_one_of_before(place, hand_in):
    place.hand_in(EVE, text="sound", random="first")
    hand_in(place)
    place.run(exchange.Collect)
    assert place.text(EVE) == "sound"


def test_links_and_pipes_beside_a_notebook_are_left_out_and_named(place, caplog):
    folder = place.hand_in(ADA)
    (folder / "data.csv").symlink_to("/etc/passwd")
    os.mkfifo(folder / "pipe")
    (folder / "deeper").mkdir()
    (folder / "notes.txt").write_text("mine")
    for path in folder.iterdir():
        os.chown(path, folder.stat().st_uid, -1, follow_symlinks=False)
    place.run(exchange.Collect)
    assert {path.name for path in place.collected().iterdir()} == {f"{NAME}.ipynb", "notes.txt", "submission_secret.txt", "timestamp.txt"}
    assert "left out: data.csv (it is a link)" in caplog.text and "left out: pipe (it is no regular file)" in caplog.text


def test_nobody_hands_in_for_another(place, caplog):
    place.hand_in(ADA, text="ada's own")
    time.sleep(0.02)
    place.hand_in(ADA, owner=EVE, text="eve's", random="forged")
    place.run(exchange.Collect)
    assert place.text() == "ada's own" and "it belongs to nobody" in caplog.text


def test_the_course_itself_may_hand_in_for_somebody(place):
    place.hand_in(ADA, owner="root")
    place.run(exchange.Collect)
    assert place.text() == "work"


def test_where_all_are_one_account_that_is_said(place, caplog):
    place.hand_in("anna", owner="root")
    place.hand_in("otto", owner="root")
    place.run(exchange.Collect)
    assert place.text("anna") and place.text("otto") and "nobody can tell who handed in what" in caplog.text


def test_names_with_control_characters_reach_no_terminal_and_no_folder(place, caplog):
    for name in (f"\x1b[2Jeve\n+{NAME}+{LONG_AGO}+x", f"..+{NAME}+{LONG_AGO}+x", f"a\u202eb+{NAME}+{LONG_AGO}+x"):
        shutil.copytree(place.hand_in(EVE), place.inbound / name)
        shutil.chown(place.inbound / name, EVE)
        shutil.rmtree(next(place.inbound.glob(f"{EVE}+*")))
    place.run(exchange.Collect)
    assert not (place.course / "class" / "submitted").exists()
    assert "\x1b" not in caplog.text and "\u202e" not in caplog.text and caplog.text.count("can't be the name of a submission") == 3


def test_a_flood_of_bad_submissions_is_a_few_lines(place, caplog):
    for number in range(50):
        (place.inbound / f"{EVE}+{NAME}+{LONG_AGO}+{number}").symlink_to("/nowhere")
        os.chown(place.inbound / f"{EVE}+{NAME}+{LONG_AGO}+{number}", 65534, -1, follow_symlinks=False)
    place.run(exchange.Collect)
    assert caplog.text.count("Not collected") == exchange.SAID + 1 and "47 more by nobody" in caplog.text


def test_of_very_many_submissions_the_last_ones_are_looked_at(place, caplog, monkeypatch):
    monkeypatch.setattr(exchange, "MAX_TRIES", 5)
    for number in range(8):
        place.hand_in(ADA, text=f"version {number}", random=str(number))
        time.sleep(0.01)
    place.run(exchange.Collect)
    assert place.text() == "version 7" and "of 8 submissions of daemon, all but the last 5" in caplog.text


def test_a_course_that_somebody_put_in_the_place_of_ours_is_not_read(place):
    shutil.chown(place.root / "unrolled", EVE)
    with pytest.raises(ExchangeError, match="belongs to nobody"):
        place.run(exchange.Collect)


# --- The folders of the exchange ---------------------------------------------------------------


def test_nobody_can_remove_what_others_put_into_the_exchange(place):
    assert [path.stat().st_mode & 0o7777 for path in (place.root, place.inbound)] == [0o1777, 0o3733]


def test_an_exchange_that_anybody_can_replace_is_mended_by_a_release_and_named_by_a_collection(place, caplog):
    place.root.chmod(0o777)
    place.run(exchange.Collect)
    assert f"sudo chmod 1777 {place.root}" in caplog.text
    place.run(exchange.ReleaseAssignment, force=True)
    assert place.root.stat().st_mode & 0o7777 == 0o1777


def test_a_list_leaves_out_what_would_end_it(place, caplog):
    caplog.set_level(logging.INFO)
    place.hand_in(ADA)
    for name in ("junk", f"line\nbreak+{NAME}+{LONG_AGO}+x", f"{EVE}+{NAME}"):
        (place.inbound / name).mkdir()
    (place.hand_in(EVE) / "submission_secret.txt").write_bytes(b"\xff\xfe")
    found = place.run(exchange.List, inbound=True)
    assert [path.split("/")[-1].split("+")[0] for path in found.assignments] == [ADA]
    assert [info["student_id"] for info in found.parse_assignments()] == [ADA]


# --- Feedback ----------------------------------------------------------------------------------


def feedback(place: Exchange, student: str, secret: str | None = SECRET) -> Path:
    folder = place.course / "class" / "feedback" / student / NAME
    folder.mkdir(parents=True)
    (folder / f"{NAME}.html").write_text(f"<p>feedback of {student}</p>")
    (folder / f"{NAME}.html").chmod(0o600)
    if secret is not None:
        (folder / "submission_secret.txt").write_text(secret)
    return folder


def released(place: Exchange, secret: str = SECRET) -> Path:
    return place.root / "unrolled" / "feedback" / f"{notebook_hash(secret=secret, notebook_id=NAME)}.html"


@pytest.mark.parametrize("secret", [None, "", "short", "Z" * 128, "5e" * 65])
def test_feedback_without_a_usable_secret_costs_nobody_elses(place, caplog, secret):
    feedback(place, "aaron", secret)
    feedback(place, "zoe")
    place.run(exchange.ReleaseFeedback)
    assert "feedback of zoe" in released(place).read_text() and "The feedback of aaron was not released" in caplog.text
    assert len(list(released(place).parent.iterdir())) == 1


def test_feedback_can_be_read_by_who_knows_its_name_and_listed_by_nobody(place):
    feedback(place, ADA)
    before = os.umask(0o077)
    try:
        place.run(exchange.ReleaseFeedback)
    finally:
        os.umask(before)
    assert released(place).stat().st_mode & 0o777 == 0o644 and released(place).parent.stat().st_mode & 0o777 == 0o711


def test_feedback_is_released_for_the_students_asked_for(place):
    feedback(place, ADA, "a1" * 64)
    feedback(place, EVE, "b2" * 64)
    made = place.run(exchange.ReleaseFeedback)
    for path in Path(made.dest_path).iterdir():
        path.unlink()
    made.coursedir.student_id = ADA
    made.start()
    assert released(place, "a1" * 64).exists() and not released(place, "b2" * 64).exists()


def test_grading_keeps_the_secret_by_which_feedback_is_found(bwrap, fresh_course, monkeypatch):
    monkeypatch.chdir(fresh_course.folder)
    folder = fresh_course.hand_in("ada")
    (folder / "submission_secret.txt").write_text(SECRET)
    other = fresh_course.hand_in("eve")
    (other / "submission_secret.txt").symlink_to("/etc/passwd")
    for student in ("ada", "eve"):
        assert fresh_course.grade(student)["success"]
        assert fresh_course.api.generate_feedback(NAME, student)["success"]
    given = fresh_course.folder / "class" / "feedback"
    assert exchange.secret_beside(given / "ada" / NAME) == SECRET
    assert not (given / "eve" / NAME / "submission_secret.txt").exists()
