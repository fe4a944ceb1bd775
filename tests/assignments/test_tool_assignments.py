"""`make assignments`: what is released is what solutions/ generates, and no hand-made change is lost."""

from __future__ import annotations

import pytest

import assignments

OLD, NEW = {"01-a/01-a.ipynb": b"old"}, {"01-a/01-a.ipynb": b"new", "02-b/02-b.ipynb": b"b"}


@pytest.fixture(scope="module")
def generated(course):
    return assignments.generate(course)


@pytest.mark.slow
def test_assignments_are_what_solutions_generate(course, generated):
    assert generated and assignments.out_of_step(course, generated) == []


@pytest.mark.slow
def test_generating_twice_gives_the_same_bytes(course, generated):
    assert assignments.generate(course) == generated


@pytest.mark.slow
def test_private_solutions_are_found_where_the_settings_have_them(course, generated, tmp_path):
    import shutil

    shutil.copy(course / "nbgrader_config.py", tmp_path)
    with (tmp_path / "nbgrader_config.py").open("a", encoding="utf-8") as config:
        config.write('\nc.CourseDirectory.source_directory = "private/solutions"\n')
    with pytest.raises(assignments.Refused, match="private/solutions, which c.CourseDirectory.source_directory"):
        assignments.generate(tmp_path)
    shutil.copytree(course / "solutions" / "02-rnn-forward", tmp_path / "private" / "solutions" / "02-rnn-forward")
    name = "02-rnn-forward/02-rnn-forward.ipynb"
    assert assignments.generate(tmp_path)[name] == generated[name]


def _contents(root):
    return {p.relative_to(root).as_posix(): p.read_bytes() for p in root.rglob("*") if p.is_file()}


@pytest.fixture
def root(tmp_path):
    """A course whose assignments were generated once."""
    assignments.update(tmp_path, OLD)
    return tmp_path


def test_new_and_changed_files_are_written(root):
    assert assignments.update(root, NEW) == ["assignments/01-a/01-a.ipynb written", "assignments/02-b/02-b.ipynb written"]
    assert assignments.out_of_step(root, NEW) == []


def test_file_in_step_is_not_touched(root):
    path = root / "assignments/01-a/01-a.ipynb"
    before = path.stat().st_mtime_ns
    assert assignments.update(root, OLD) == []
    assert path.stat().st_mtime_ns == before


def test_file_changed_by_hand_is_refused_and_nothing_is_written(root):
    (root / "assignments/01-a/01-a.ipynb").write_bytes(b"by hand")
    before = _contents(root)
    with pytest.raises(assignments.Refused, match="assignments/01-a/01-a.ipynb was changed by hand"):
        assignments.update(root, NEW)
    assert _contents(root) == before


def test_hand_made_change_that_equals_the_new_result_is_accepted(root):
    (root / "assignments/01-a/01-a.ipynb").write_bytes(b"new")
    assignments.update(root, NEW)
    assert assignments.out_of_step(root, NEW) == []


def test_assignment_without_source_is_removed(root):
    assert assignments.update(root, {}) == ["assignments/01-a/01-a.ipynb removed"]
    assert not (root / "assignments/01-a").exists()


def test_assignment_without_source_that_was_changed_by_hand_stays(root):
    (root / "assignments/01-a/01-a.ipynb").write_bytes(b"by hand")
    with pytest.raises(assignments.Refused):
        assignments.update(root, {})
    assert (root / "assignments/01-a/01-a.ipynb").read_bytes() == b"by hand"


def test_without_its_record_nothing_that_differs_is_overwritten(root):
    (root / "assignments" / assignments.MANIFEST).unlink()
    with pytest.raises(assignments.Refused):
        assignments.update(root, NEW)


def test_file_added_by_hand_is_refused(root):
    (root / "assignments/01-a/notes.txt").write_text("mine")
    with pytest.raises(assignments.Refused, match="notes.txt"):
        assignments.update(root, OLD)


def test_check_names_every_file_out_of_step_and_writes_nothing(root, monkeypatch, capsys):
    monkeypatch.setattr(assignments, "generate", lambda folder: NEW)
    before = _contents(root)
    assert assignments.main(["--check", "--root", str(root)]) == 1
    told = capsys.readouterr().err
    assert "assignments/01-a/01-a.ipynb differs" in told and "assignments/02-b/02-b.ipynb is missing" in told
    assert _contents(root) == before


def test_check_is_content_with_what_was_generated(root, monkeypatch, capsys):
    monkeypatch.setattr(assignments, "generate", lambda folder: OLD)
    assert assignments.main(["--check", "--root", str(root)]) == 0
