"""Hostile notebooks gain nothing, leak nothing and harm nobody; right work in any style gets full marks."""

from __future__ import annotations

import html
import os
import re
from pathlib import Path

import pytest
from attacks import ATTACKS, SECRETS
from honest_variants import VARIANTS

pytestmark = pytest.mark.slow

ROWS = {
    "patch", "metadata", "forged", "liars", "wildcards", "mutation", "expected", "secrets", "write", "import", "public", "exit", "time",
    "bombs", "links", "pickles", "network", "outliving", "pages", "names", "bad input",
}  # fmt: skip
EVERY_ATTACK = pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)


def test_every_row_of_the_table_has_an_attack():
    assert {attack.row for attack in ATTACKS} == ROWS
    assert len({attack.name for attack in ATTACKS}) == len(ATTACKS)


@EVERY_ATTACK
def test_attack_earns_what_its_honest_part_earns(hostile_class, attack):
    assert hostile_class.points(attack.name) == pytest.approx(attack.honest, abs=0.01)


@EVERY_ATTACK
def test_attack_gets_a_page_that_says_what_happened(hostile_class, attack):
    page = html.unescape(re.sub(r"<[^>]+>", "", hostile_class.page(attack.name)))
    assert attack.says in " ".join(page.split())
    assert "of 20 points" in page


@EVERY_ATTACK
def test_attack_finds_no_secret(hostile_class, attack):
    folder = hostile_class.folder / "class"
    for path in [*(folder / "autograded" / attack.name).rglob("*"), *(folder / "feedback" / attack.name).rglob("*"),
                 *(folder / "records" / attack.name).rglob("*")]:  # fmt: skip
        assert not path.is_symlink()
        if path.is_file():
            text = path.read_text(encoding="utf-8")
            assert not [secret for secret in SECRETS if secret in text]


@pytest.mark.parametrize("student", ["ada", "zoe", *VARIANTS])
def test_right_work_gets_full_marks(hostile_class, student):
    assert hostile_class.points(student) == 20, hostile_class.record(student)


def test_nothing_stops_the_batch_or_takes_its_time(hostile_class):
    assert hostile_class.seconds < 600
    assert "Traceback" not in hostile_class.log


@EVERY_ATTACK
def test_attack_leaves_no_file_of_more_than_two_megabytes(hostile_class, attack):
    folder = hostile_class.folder / "class"
    left = {path: path.stat().st_size for part in ("records", "autograded", "feedback") for path in (folder / part / attack.name).rglob("*.*")}
    assert len(left) >= 3 and max(left.values()) < 2_000_000, left
    key = hostile_class.record(attack.name)["key"]
    kept = folder / "cache" / f"{key}.json"
    assert not kept.exists() or kept.stat().st_size < 2_000_000


def test_no_process_outlives_the_class(hostile_class):
    orphans = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_text().replace("\0", " ")
            parent = re.search(r"^PPid:\s+(\d+)", (folder / "status").read_text(), re.MULTILINE)[1]
        except OSError:
            continue
        if "player.main(" in command and parent == "1":
            orphans.append(command)
    assert orphans == []


def test_only_notebooks_and_times_are_copied(hostile_class):
    found = {path.name for path in (hostile_class.folder / "class" / "autograded").rglob("*") if not path.is_dir() or path.is_symlink()}
    assert found == {"02-rnn-forward.ipynb"}


def test_nothing_was_written_outside_the_class(hostile_class):
    assert hostile_class.record("write-files")["outcome"]["cells"] == {}
    assert not os.path.exists("/dev/shm/x") and not (hostile_class.folder / "numpy.py").exists()


@pytest.mark.parametrize("student", ["script-in-outputs", "script-in-markdown", "script-in-prints"])
def test_no_script_reaches_a_page_or_the_formgrader(hostile_class, student):
    page = hostile_class.page(student)
    assert "<script" not in page and "<img src=x" not in page and "javascript:grade" not in re.findall(r'href="([^"]*)"', page)
    for path in (hostile_class.folder / "class" / "autograded" / student).rglob("*.ipynb"):
        import nbformat

        cells = nbformat.read(path, as_version=4).cells
        assert not [c for c in cells if c.cell_type == "markdown" and re.search(r"<(script|img)", c.source)]
        assert "\x1b" not in path.read_text(encoding="utf-8")


def test_a_learners_headings_take_no_anchor_of_a_check(hostile_class):
    page = hostile_class.page("fake-headings")
    assert page.count('id="one_hot"') == 1 and '<section class="card" id="one_hot">' in page and "<img" not in page


def test_record_says_what_became_of_a_submission(hostile_class):
    words = {name: hostile_class.record(name)["status"] for name in ("ada", "truncated", "os-exit", "endless-cell")}
    assert words == {"ada": "graded", "truncated": "refused", "os-exit": "crashed", "endless-cell": "timed out"}
