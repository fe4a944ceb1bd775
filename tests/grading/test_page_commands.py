"""The commands of the instructors' page, as they stand there."""

from __future__ import annotations

import re
import subprocess
import zipfile
from pathlib import Path

import pytest
from conftest import copy_of

pytestmark = pytest.mark.slow

NAME = "02-rnn-forward"


def _commands(course: Path, heading: str) -> list[str]:
    """The lines of the shell blocks below a heading of the page, its smaller headings included."""
    page = (course / "book" / "appendix" / "instructors.md").read_text(encoding="utf-8")
    section = re.search(rf"^## {heading}\n(.*?)(?=^## )", page, re.MULTILINE | re.DOTALL)[1]
    return [line for block in re.findall(r"^```bash\n(.*?)^```", section, re.MULTILINE | re.DOTALL) for line in block.splitlines()]


def test_commands_from_the_download_to_similar_solutions_run_as_they_stand(bwrap, course, released_course, tmp_path):
    import sample_class

    made = copy_of(released_course, tmp_path / "course")

    def run(line: str) -> str:
        done = subprocess.run(["bash", "-c", line], cwd=made.folder, env=sample_class.environment(), capture_output=True, text=True)
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
        return done.stdout

    with zipfile.ZipFile(made.folder / "submissions.zip", "w") as archive:
        for number, student in ((4021, "ada"), (4022, "blaise")):
            archive.write(made.hand_in(student) / f"{NAME}.ipynb", f"{student}_{number}_{80_000 + number}_{NAME}.ipynb")
            subprocess.run(["rm", "-r", made.folder / "class" / "submitted" / student], check=True)
    (made.folder / "gradebook-from-canvas.csv").write_text("Student,ID,SIS Login ID\nLovelace,4021,ada\n")
    (made.folder / "worksheet.csv").write_text("Identifier,Username\nParticipant 4022,blaise\n")
    collect = _commands(course, "Collect")
    assert [line.split()[:2] for line in collect[2:]] == [["nbgrader", "zip_collect"], ["unrolled", "roster"], ["unrolled", "roster"]]
    for line in collect:
        run(line)
    assert sorted(folder.name for folder in (made.folder / "class" / "submitted").iterdir()) == ["ada", "blaise"]
    run(f"unrolled grade {NAME} --workers 1")
    (similar,) = _commands(course, "Similar solutions")
    assert re.search(r"1\.00.*ada.*blaise", run(similar))
