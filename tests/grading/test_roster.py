"""Students get their logins in the place of the platform's numbers: all, whole, as often as the table is read, or none."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from unrolled.grading import referee, roster

CANVAS = """Student,ID,SIS User ID,SIS Login ID,Section,02-rnn-forward (12)
    Points Possible,,,,,20
"Lovelace, Ada",4021,u1,ada,one,
"Pascal, Blaise",4022,u2,blaise,one,
"李, 雷",4023,u3,lilei@example.org,one,
"""
MOODLE = """Identifier,Full name,Email address,Status
Participant 4021,Ada Lovelace,ada,Submitted
Teilnehmer/in 4022,Blaise Pascal,blaise,Submitted
参与者4023,李雷,lilei@example.org,Submitted
"""
LOGINS = {"4021": "ada", "4022": "blaise", "4023": "lilei@example.org"}


@pytest.fixture
def submitted(tmp_path) -> Path:
    folder = tmp_path / "class" / "submitted"
    for number in LOGINS:
        _hand_in(folder, number, "01-language-models")
    return folder


def _hand_in(submitted: Path, student: str, assignment: str, text: str = "") -> None:
    (submitted / student / assignment).mkdir(parents=True)
    (submitted / student / assignment / "n.ipynb").write_text(text or f"{student} {assignment}")


def _table(tmp_path: Path, text: str, encoding: str = "utf-8") -> Path:
    (tmp_path / "table.csv").write_text(text, encoding=encoding)
    return tmp_path / "table.csv"


def _renamed(submitted: Path, table: Path, force: bool = False, **columns: str) -> roster.Plan:
    folder = referee.ClassFolder(submitted.parent)
    made = roster.plan(roster.rows_of(table, **columns), submitted, folder, force)
    roster.carry_out(made, folder)
    return made


def _tree(submitted: Path) -> dict[str, str]:
    return {path.relative_to(submitted).as_posix(): path.read_text() for path in submitted.rglob("*") if path.is_file()}


def _refusal(submitted: Path, table: Path, **columns: str) -> str:
    before = _tree(submitted)
    with pytest.raises(roster.RosterError) as raised:
        _renamed(submitted, table, **columns)
    assert _tree(submitted) == before
    return str(raised.value)


@pytest.mark.parametrize("text, encoding", [
    (CANVAS, "utf-8"), (CANVAS, "utf-8-sig"), (CANVAS, "utf-16"), (CANVAS.replace(", ", " ").replace(",", ";"), "utf-8"), (MOODLE, "utf-8-sig"),
    (MOODLE.replace(",", "\t"), "utf-8"),
])  # fmt: skip
def test_tables_of_both_platforms_are_read_as_they_come_and_as_spreadsheets_leave_them(submitted, tmp_path, text, encoding):
    _renamed(submitted, _table(tmp_path, text, encoding))
    assert _tree(submitted) == {f"{login}/01-language-models/n.ipynb": f"{number} 01-language-models" for number, login in LOGINS.items()}


def test_second_assignment_joins_the_first_and_a_second_run_changes_nothing(submitted, tmp_path):
    table = _table(tmp_path, CANVAS)
    _renamed(submitted, table)
    for number in LOGINS:
        _hand_in(submitted, number, "02-rnn-forward")
    _renamed(submitted, table)
    after = _tree(submitted)
    assert set(after) == {f"{login}/{name}/n.ipynb" for login in LOGINS.values() for name in ("01-language-models", "02-rnn-forward")}
    assert _renamed(submitted, table).moves == [] and _tree(submitted) == after
    assert sorted(os.listdir(submitted)) == sorted(LOGINS.values())


@pytest.mark.parametrize("bad, said", [
    ("../evil", "has a “/” in it"), ("", "is blank"), ("  ", "is blank"), ("a/b", "has a “/” in it"), (".hidden", "begins with a dot"),
    ("a\tb", "can't be shown"), ("x" * 256, "longer than 255"), ("blaise", "Lines 3 and 4: the login “blaise” stands for “4021” and “4022”"),
    ("4022", "is another student's number"),
])  # fmt: skip
def test_bad_login_is_reported_with_its_line_before_anything_moves(submitted, tmp_path, bad, said):
    found = _refusal(submitted, _table(tmp_path, CANVAS.replace(",ada,", f",{bad},")))
    assert found.startswith("Nothing was moved.\nLine") and said in found and "3" in found


def test_bad_row_of_somebody_who_handed_in_nothing_is_a_remark(submitted, tmp_path):
    made = _renamed(submitted, _table(tmp_path, CANVAS + '"Student, Test",4099,,,one,\n'))
    assert made.remarks == ["Line 6: the login “” of 4099 is blank."] and "ada/01-language-models/n.ipynb" in _tree(submitted)


def test_work_under_number_and_login_is_said_and_replaced_with_force_alone(submitted, tmp_path):
    _hand_in(submitted, "ada", "01-language-models", "before")
    table = _table(tmp_path, CANVAS)
    assert "“ada” handed in “01-language-models” already" in _refusal(submitted, table)
    _renamed(submitted, table, force=True)
    assert _tree(submitted)["ada/01-language-models/n.ipynb"] == "4021 01-language-models" and len(_tree(submitted)) == 3


@pytest.mark.parametrize("cut", range(1, 11))
def test_run_that_is_cut_off_anywhere_is_gone_on_with(submitted, tmp_path, monkeypatch, cut):
    for number in LOGINS:
        _hand_in(submitted, number, "02-rnn-forward")
    _hand_in(submitted, "ada", "02-rnn-forward", "before")
    table, left = _table(tmp_path, CANVAS), [cut]

    class Cut(Exception):
        pass

    def counted(function):
        def step(self, *arguments):
            left[0] -= 1
            if left[0] == 0:
                raise Cut
            return function(self, *arguments)

        return step

    with monkeypatch.context() as patch, pytest.raises(Cut):
        for name in ("rename", "rmdir"):
            patch.setattr(Path, name, counted(getattr(Path, name)))
        _renamed(submitted, table, force=True)
    _renamed(submitted, table, force=True)
    expected = {f"{login}/{name}/n.ipynb": f"{number} {name}" for number, login in LOGINS.items() for name in ("01-language-models", "02-rnn-forward")}
    assert {name: text for name, text in _tree(submitted).items() if ".replaced" not in name} == expected
    assert sorted(os.listdir(submitted)) == sorted(LOGINS.values())


def test_columns_can_be_named_and_a_table_without_them_is_refused_with_those_it_has(submitted, tmp_path):
    table = _table(tmp_path, MOODLE.replace("Identifier", "Kennung").replace("Email address", "E-Mail-Adresse"))
    assert "Its columns are “Kennung”, “Full name”, “E-Mail-Adresse” and “Status”" in _refusal(submitted, table)
    _renamed(submitted, table, number="Kennung", login="E-Mail-Adresse")
    assert "ada/01-language-models/n.ipynb" in _tree(submitted)


@pytest.mark.parametrize("content, said", [
    (b"", "must have a column"), (b"\xff\xfe\x00", "UTF-8"), ("Müller".encode("latin-1"), "UTF-8"), (b"ID,SIS Login ID\n", "no student"),
    (b"ID,SIS Login ID\n4.02E+03,ada\n", "is no student's number"), (b"ID,SIS Login ID\n1.0,ada\n", "is no student's number"),
])  # fmt: skip
def test_table_that_is_none_is_refused_in_a_sentence(submitted, tmp_path, content, said):
    (tmp_path / "table.csv").write_bytes(content)
    assert said in _refusal(submitted, tmp_path / "table.csv")
    assert "can't be read" in _refusal(submitted, tmp_path / "missing.csv")
