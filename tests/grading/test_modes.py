"""`unrolled doctor` on a machine with several accounts: who else can read or replace what belongs to a class."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from unrolled.grading import doctor, modes

pytestmark = pytest.mark.skipif(os.name != "posix", reason="optional: needs the modes of Unix")


@pytest.fixture
def place(tmp_path) -> Path:
    """A folder that every account can come to."""
    for folder in (tmp_path, *tmp_path.parents):
        if folder != Path("/") and folder.stat().st_uid == os.geteuid() and not folder.stat().st_mode & 0o001:
            folder.chmod(folder.stat().st_mode | 0o011)
    if not modes.reachable(tmp_path / "x"):
        pytest.skip(f"optional: others can't come to {tmp_path}")
    return tmp_path


def folder(path: Path, mode: int) -> Path:
    path.mkdir(parents=True)
    path.chmod(mode)
    return path


def bad(found) -> dict[str, str]:
    return {one.what: f"{one.found} {one.mend}" for one in found if one.mend}


def test_a_class_that_others_can_read_is_named_with_the_command(place):
    open_ = folder(place / "class", 0o755)
    said = bad(modes.of_class(open_, None))
    assert f"`chmod 700 {open_}`" in said["class"] and "every account" in said["class"]


def test_a_class_for_its_owner_or_their_group_is_well(place):
    for number, mode in enumerate((0o700, 0o750, 0o2770)):
        assert not bad(modes.of_class(folder(place / f"class{number}", mode), None))


def test_what_lies_in_a_folder_that_nobody_else_may_enter_is_well(place):
    home = folder(place / "home", 0o700)
    assert not bad(modes.of_class(folder(home / "class", 0o777), None))


def test_a_gradebook_that_lies_elsewhere_is_looked_at(place):
    book = place / "gradebook.db"
    book.write_text("")
    book.chmod(0o644)
    assert f"`chmod 600 {book}`" in bad(modes.of_class(folder(place / "class", 0o700), book))["gradebook"]


def test_solutions_are_named_by_their_own_name(place):
    answers = folder(place / "model answers", 0o755)
    assert f"chmod 700 '{answers}'" in bad(modes.of_solutions(answers))["solutions"]
    assert not bad(modes.of_solutions(place / "none"))


def test_homes_that_others_can_read_are_in_one_command(place):
    people = [modes.Account(name, 1000 + number, folder(place / name, mode))
              for number, (name, mode) in enumerate({"ada": 0o755, "blaise": 0o700, "carl": 0o711}.items())]  # fmt: skip
    said = bad(modes.of_homes(people))["homes"]
    assert f"`sudo chmod 700 {place}/ada {place}/carl`" in said and "blaise" not in said and "HOME_MODE" in said


@pytest.mark.parametrize("mode, words", [(0o777, "rename and replace"), (0o755, "can't be written by learners")])
def test_an_exchange_of_a_wrong_mode_is_named(place, mode, words):
    root = folder(place / "exchange", mode)
    said = bad(modes.of_exchange(root, "unrolled", {os.geteuid()}))["exchange"]
    assert words in said and f"`sudo chmod 1777 {root}`" in said


@pytest.mark.parametrize("name, mode", [("", 0o777), ("outbound", 0o757), ("inbound", 0o2733), ("inbound", 0o3737), ("feedback", 0o755)])
def test_folders_of_the_exchange_are_looked_at(place, name, mode):
    root = folder(place / "exchange", 0o1777)
    wrong = root / "unrolled" / name
    folder(wrong, mode)
    wrong.chmod(mode)
    assert f"{wrong} has the mode {mode:o}" in bad(modes.of_exchange(root, "unrolled", {os.geteuid()}))["exchange"]


def test_an_exchange_as_a_release_leaves_it_is_well(place):
    root = folder(place / "exchange", 0o1777)
    for name, mode in {"": 0o755, "outbound": 0o755, "inbound": 0o3733, "feedback": 0o711}.items():
        (root / "unrolled" / name).mkdir()
        (root / "unrolled" / name).chmod(mode)
    assert not bad(modes.of_exchange(root, "unrolled", {os.geteuid()}))


def test_a_course_in_the_exchange_that_belongs_to_somebody_else_is_named(place):
    root = folder(place / "exchange", 0o1777)
    folder(root / "unrolled", 0o755)
    assert "belongs to another account" in bad(modes.of_exchange(root, "unrolled", {os.geteuid() + 1}))["exchange"]


@pytest.mark.parametrize("kind", ["Docker", "Podman", "Kubernetes"])
def test_in_a_container_without_namespaces_it_says_how_to_start_it(monkeypatch, kind):
    monkeypatch.setattr(doctor, "container", lambda: kind)
    monkeypatch.setattr(doctor.subprocess, "run", lambda *_, **__: doctor.subprocess.CompletedProcess([], 1))
    monkeypatch.setattr(doctor.os, "geteuid", lambda: 1000)
    found, = doctor._namespaces()
    assert not found.well and doctor.CONTAINER[kind][1:] in found.mend


def test_where_root_alone_may_make_namespaces_others_are_told(monkeypatch):
    monkeypatch.setattr(doctor, "container", lambda: "")
    monkeypatch.setattr(doctor.subprocess, "run", lambda *_, **__: doctor.subprocess.CompletedProcess([], 1))
    monkeypatch.setattr(doctor.os, "geteuid", lambda: 0)
    found, = doctor._namespaces()
    assert found.well and "root alone" in found.found and "max_user_namespaces" in found.found
