"""The clinic's verdicts: one for each sentence, the same wherever a page repeats it."""

from __future__ import annotations

import re
from collections import Counter

import nbformat
import pytest

ROW = re.compile(r"\| \{ref\}`(mis-[\w-]+)` \| (false|half\s+true|true) \|")
SECTION = re.compile(r"\((mis-[\w-]+)\)=\n### .*\n\n\*\*Verdict: (false|half\s+true|true)\.\*\*")
LINK = re.compile(r"^From \{ref\}`the clinic <misconceptions>`\. (.*)$", re.MULTILINE)
SAYS = {"Misconception (false)": "false", "Half true": "half true", "True, though often doubted": "true"}


def plain(verdict: str) -> str:
    return " ".join(verdict.split())


def markdown(path) -> str:
    if path.suffix == ".ipynb":
        return "\n\n".join(cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "markdown")
    return path.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def clinic(course) -> str:
    return "\n\n".join(markdown(course / "book" / "appendix" / f"{name}.ipynb") for name in ("misconceptions", "clinic-training"))


@pytest.fixture(scope="module")
def verdicts(clinic) -> dict[str, str]:
    return {label: plain(verdict) for label, verdict in ROW.findall(clinic)}


def test_each_sentence_of_the_list_has_a_section_with_the_same_verdict(clinic, verdicts):
    assert {label: plain(verdict) for label, verdict in SECTION.findall(clinic)} == verdicts


def test_the_clinic_counts_its_verdicts_rightly(clinic, verdicts):
    count = Counter(verdicts.values())
    said = re.search(r"Together: (\d+) false, (\d+) half\s+true, (\d+) true\.", clinic)
    assert [int(number) for number in said.groups()] == [count["false"], count["half true"], count["true"]]
    assert f"Most of the {len(verdicts)} on this page and the next" in clinic
    summary = re.search(r"Of (\d+) sentences (\d+) are false, (\d+) hold under a condition that they leave out, and (\d+) hold", clinic)
    assert [int(number) for number in summary.groups()] == [len(verdicts), *(count[verdict] for verdict in ("false", "half true", "true"))]


def test_a_page_that_names_a_sentence_of_the_clinic_gives_its_verdict(course, verdicts):
    pages = [*(course / "book").rglob("*.md"), *(course / "book").rglob("*.ipynb")]
    lines = [line for page in pages if not page.name.endswith(".nb.md") for line in LINK.findall(markdown(page))]
    assert len(lines) > 20
    for line in lines:
        parts = re.findall(r"([^.:]+): \{ref\}`(mis-[\w-]+)`\. ?", line)
        assert "".join(f"{says}: {{ref}}`{label}`. " for says, label in parts).strip() == line.strip()
        for says, label in parts:
            assert SAYS[says.strip()] == verdicts[label], label
