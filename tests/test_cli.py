"""The command `unrolled`, as a learner types it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture
def small_course(tmp_path) -> Path:
    """A course with two assignments and no quiz."""
    (tmp_path / "_toc.yml").write_text("format: jb-book\n")
    for name in ("01-first", "02-second"):
        (tmp_path / "assignments" / name).mkdir(parents=True)
        (tmp_path / "assignments" / name / f"{name}.ipynb").write_text("{}")
    return tmp_path


def unrolled(
    *arguments: str, course: Path | None = None, cwd: Path | None = None, stdin: str = "", encoding: str = "utf-8"
) -> subprocess.CompletedProcess:
    environment = {key: value for key, value in os.environ.items() if key != "UNROLLED_COURSE"}
    if course:
        environment["UNROLLED_COURSE"] = str(course)
    return subprocess.run(
        [sys.executable, "-m", "unrolled.cli", *arguments], cwd=cwd, env=environment, input=stdin, capture_output=True, encoding=encoding
    )


def test_start_puts_a_copy_into_work(small_course):
    done = unrolled("start", "01-first", course=small_course)
    assert done.returncode == 0, done.stderr
    assert (small_course / "work" / "01-first" / "01-first.ipynb").read_text() == "{}"
    assert os.path.join("work", "01-first", "01-first.ipynb") in done.stdout


def test_start_never_overwrites_a_copy(small_course):
    unrolled("start", "01-first", course=small_course)
    mine = small_course / "work" / "01-first" / "01-first.ipynb"
    mine.write_text("my work")
    done = unrolled("start", "01-first", course=small_course)
    assert done.returncode == 2
    assert "never overwritten" in done.stderr
    assert mine.read_text() == "my work"


def test_start_leaves_nothing_but_the_copy(small_course):
    unrolled("start", "01-first", course=small_course)
    assert [entry.name for entry in (small_course / "work").iterdir()] == ["01-first"]


def test_an_unknown_assignment_is_answered_with_the_known_ones(small_course):
    done = unrolled("start", "02-secnd", course=small_course)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "did you mean 02-second?" in done.stderr and "01-first, 02-second" in done.stderr


def test_the_course_is_found_from_a_folder_inside_it(small_course):
    inside = small_course / "assignments" / "01-first"
    assert unrolled("start", "02-second", cwd=inside).returncode == 0
    assert (small_course / "work" / "02-second").is_dir()


def test_a_folder_that_is_no_course_is_named(tmp_path):
    done = unrolled("start", "01-first", course=tmp_path)
    assert done.returncode == 2
    assert str(tmp_path) in done.stderr and "UNROLLED_COURSE" in done.stderr


def test_an_unknown_quiz_is_answered_with_the_known_ones(course):
    done = unrolled("quiz", "rmn", course=course)
    assert done.returncode == 2
    assert "rnn" in done.stderr and "rnn-scratch" in done.stderr


def test_quiz_without_a_name_lists_the_quizzes(course):
    assert "rnn-scratch" in unrolled("quiz", course=course).stdout


def test_a_quiz_can_be_left_at_once(course, tmp_path, monkeypatch):
    monkeypatch.setenv("UNROLLED_STATE", str(tmp_path))
    done = unrolled("quiz", "rnn", course=course, stdin="q\n")
    assert done.returncode == 0, done.stderr
    assert "rnn" in done.stdout


def test_version_is_the_packages(course):
    import unrolled as package

    assert unrolled("--version").stdout.strip() == package.__version__


@pytest.mark.parametrize("typed", ["2", "02", "Second", "SECOND", "02-SECOND", "02_second"])
def test_an_assignment_is_understood_as_people_type_it(small_course, typed):
    assert unrolled("start", typed, course=small_course).returncode == 0
    assert (small_course / "work" / "02-second").is_dir()


def test_a_name_that_could_be_two_is_not_guessed(small_course):
    from unrolled.course import meant

    assert meant("1", ["01-a", "1-b"]) == "1" and meant("", ["01-a"]) == "" and meant("a", ["01-a", "02-a"]) == "a"


def test_a_quiz_is_understood_as_people_type_it(course, tmp_path, monkeypatch):
    monkeypatch.setenv("UNROLLED_STATE", str(tmp_path))
    assert "rnn-scratch: before you read" in unrolled("quiz", "RNN_Scratch", course=course, stdin="q\n").stdout


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "cp932"])
def test_a_terminal_that_lacks_characters_gets_what_is_alike(course, tmp_path, monkeypatch, encoding):
    monkeypatch.setenv("UNROLLED_STATE", str(tmp_path))
    monkeypatch.setenv("PYTHONIOENCODING", encoding)
    for name in ("lstm", "gradients"):
        done = unrolled("quiz", name, course=course, stdin="1\n1\n" * 12 + "q\n", encoding=encoding)
        assert "Error" not in done.stderr and done.stdout.count("Question") > 2, done.stderr


def test_what_stands_for_a_character_can_be_read():
    from unrolled.terminal import ERRORS

    assert "“1/√H” → é, Δ and ∂ – ½".encode("ascii", ERRORS) == b'"1/sqrt H" -> e, Delta and d - 12'


def test_the_links_of_a_copy_lead_to_pages_and_sections_that_are_built(course, tmp_path, monkeypatch, built_book):
    """Every “Read:” of every assignment, followed from where `unrolled start` puts the copy."""
    from unrolled.course import BUILT, start_assignment

    monkeypatch.delenv("UNROLLED_SITE", raising=False)
    (tmp_path / "course").mkdir()
    here = tmp_path / "course"
    (here / "assignments").symlink_to(course / "assignments")
    site, _ = built_book
    (here / BUILT).parent.parent.mkdir(parents=True)
    (here / BUILT.parent).symlink_to(site)
    followed = 0
    for folder in sorted((course / "assignments").iterdir()):
        if not folder.is_dir():
            continue
        started = start_assignment(folder.name, here)
        text = "".join("".join(cell["source"]) for cell in json.loads(started.notebook.read_text())["cells"] if cell["cell_type"] == "markdown")
        assert started.root == here and "/book/" in text and ".ipynb#" not in text
        for path, section in re.findall(r"\]\((\.\./[^)#]+\.html)#([^)]+)\)", text):
            page = (started.notebook.parent / path).resolve()
            assert f'id="{section}"' in page.read_text(encoding="utf-8"), f"{folder.name}: {path}#{section}"
            followed += 1
    assert followed >= 40


def test_comparing_with_no_recording_is_answered_in_a_sentence():
    done = unrolled("record", "--compare")
    assert done.returncode == 2 and "Name the file to compare with" in done.stderr


def test_recording_the_truths_anew_gives_the_shipped_ones(tmp_path):
    """By the command itself, on a copy of the package."""
    import shutil

    import unrolled as package
    from unrolled.checks import packed, recorded, truths

    copy = tmp_path / "unrolled"
    shutil.copytree(Path(package.__file__).parent, copy, ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "checks" / "truths.npz").unlink()
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "UNROLLED_DEVICE": "cpu"}
    done = subprocess.run([sys.executable, "-m", "unrolled.cli", "record"], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    again = packed.read(copy / "checks" / "truths.npz")
    shipped = truths.load()
    assert again["seed"] == shipped["seed"] and recorded.difference(again["tasks"], shipped["tasks"]) < 1e-12


def test_help_groups_what_is_for_learners_and_what_for_instructors():
    shown = unrolled("--help").stdout
    learners, instructors = shown.split("For learners")[1].split("For instructors")
    assert all(f" {name} " in learners for name in ("start", "quiz", "review", "package", "milestone", "portfolio", "verify"))
    assert all(f" {name} " in instructors for name in ("grade", "regrade", "sign", "doctor"))


def test_packing_without_work_is_answered_with_what_to_do(small_course):
    done = unrolled("package", course=small_course)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1 and "unrolled start" in done.stderr
    assert not (small_course / "work").exists()


def test_an_unknown_milestone_is_answered_with_the_known_ones(small_course):
    done = unrolled("milestone", "elmann1990", course=small_course)
    assert done.returncode == 2
    assert "did you mean elman1990?" in done.stderr


def test_a_portfolio_of_nothing_is_answered_with_what_to_do(small_course, tmp_path, monkeypatch):
    monkeypatch.setenv("UNROLLED_STATE", str(tmp_path / "state"))
    (small_course / "book" / "quizzes").mkdir(parents=True)
    done = unrolled("portfolio", course=small_course)
    assert done.returncode == 2
    assert "There is nothing to show yet" in done.stderr and done.stderr.count("\n") == 1


def test_a_file_that_is_no_key_is_answered_with_one_sentence(tmp_path):
    (tmp_path / "record.html").write_text("")
    done = unrolled("verify", "record.html", "--key", "record.html", cwd=tmp_path)
    assert done.returncode == 2
    assert "is no key in PEM form" in done.stderr and done.stderr.count("\n") == 1
