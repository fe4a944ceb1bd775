"""Names that others rely on stay: ids of questions and choices, labels of sections, exercises, figures and equations."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

COURSE = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(COURSE / "tools"))

import labels  # noqa: E402


@pytest.fixture(scope="module")
def today():
    return labels.names()


def test_no_published_name_has_gone(today):
    gone = sorted(labels.listed() - today)
    assert gone == [], (
        f"{', '.join(gone)}: a name that was published stays, since learners' answers and links rely on it. Give it back; its text may "
        "change, and it may stand on another page. A choice that says something else gets a new id."
    )


def test_every_name_is_listed(today):
    new = sorted(today - labels.listed())
    assert new == [], f"New names: {', '.join(new)}. If they are to stay, add them to book/labels.txt: make labels."


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("(a-section)=\n## A section", {"a-section"}),
        ("```{exercise}\n:label: ex-a\n\nWhat?\n```", {"ex-a"}),
        ("````{exercise}\n:label: ex-a\n\n```{figure} a.svg\n:name: fig-a\n```\n````\n(b)=", {"ex-a", "fig-a", "b"}),
        ("```{math}\n:label: eq-a\na = b\n```", {"eq-a"}),
        ("$$\na = b\n$$ (eq-a)", {"eq-a"}),
        ("$$a = b$$ (eq-a)", {"eq-a"}),
        ("```\n(a)=\n```\n(b)=\n```markdown\n:label: c\n```", {"b"}),
        ("costs $5$ (five)\nand (six)= is no target", set()),
    ],
)
def test_labels_are_found_where_a_page_sets_them(text, found):
    assert labels.labels_of_text(text) == found


def test_a_name_that_goes_is_missing_and_one_that_comes_is_new(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(labels, "LIST", tmp_path / "labels.txt")
    monkeypatch.setattr(labels, "COURSE", tmp_path)
    monkeypatch.setattr(labels, "listed", lambda: {"label a", "label b"})
    monkeypatch.setattr(labels, "names", lambda: {"label b", "label c"})
    monkeypatch.setattr(sys, "argv", ["labels.py"])
    assert labels.main() == 1
    assert capsys.readouterr().out == "new      label c\nmissing  label a\n"
    monkeypatch.setattr(sys, "argv", ["labels.py", "extend"])
    labels.main()
    assert (tmp_path / "labels.txt").read_text() == "label a\nlabel b\nlabel c\n"
