"""The image for a hub's learners: made from the project's own lists, without what learners must not have."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

PLACE = Path("containers") / "learner" / "Dockerfile"


@pytest.fixture(scope="module")
def dockerfile(course) -> str:
    """The Dockerfile with continued lines joined and comments left out."""
    text = re.sub(r"^#.*\n", "", (course / PLACE).read_text(encoding="utf-8"), flags=re.MULTILINE)
    return re.sub(r"\\\n\s*", "", text)


@pytest.fixture(scope="module")
def copied(dockerfile) -> set[str]:
    """What of the course goes into the image."""
    return {source for line in re.findall(r"^COPY (.+)$", dockerfile, re.MULTILINE) for source in line.split()[:-1]}


def test_the_linter_has_nothing_to_say(course):
    linter = Path(sys.executable).parent / "hadolint"
    done = subprocess.run([linter, course / PLACE], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_it_installs_an_extra_of_the_project_with_the_versions_of_the_tests(course, dockerfile):
    project = tomllib.loads((course / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras, = re.findall(r"pip install .*--constraint constraints\.txt '\.\[(.+)\]'$", dockerfile, re.MULTILINE)
    assert set(extras.split(",")) <= set(project["optional-dependencies"])
    python = re.search(r"^FROM python:(\d\.\d+)-slim-\w+$", dockerfile, re.MULTILINE).group(1)
    assert f"(Python {python})" in (course / "constraints.txt").read_text(encoding="utf-8").splitlines()[0]


def _name(requirement: str) -> str:
    """The name of a requirement, in the one spelling that names are compared in."""
    return re.sub("[-_.]+", "-", re.match(r"[\w.-]+", requirement).group()).lower()


def test_every_version_that_it_needs_is_pinned(course):
    pinned = {_name(line) for line in (course / "constraints.txt").read_text(encoding="utf-8").splitlines()[1:]}
    project = tomllib.loads((course / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needed, waiting = set(), [_name(one) for one in [*project["dependencies"], *project["optional-dependencies"]["hub"]]]
    while waiting:
        name = waiting.pop()
        if name not in needed:
            needed.add(name)
            waiting += [_name(one) for one in importlib.metadata.requires(name) or () if ";" not in one]  # what every machine needs
    assert needed - pinned <= {"setuptools"}  # which `pip freeze` leaves out


def test_it_copies_what_the_course_has_and_no_answers(course, copied):
    assert {source for source in copied if not (course / source).exists()} == set()
    assert not {source.split("/")[0] for source in copied} & {"solutions", "class", "tests", ".", "work"}


def test_nothing_else_is_sent_to_the_builder(course, copied):
    lines = (course / f"{PLACE}.dockerignore").read_text(encoding="utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*" and {rule[1:] for rule in rules if rule.startswith("!")} == copied


def test_the_buttons_that_it_takes_away_are_nbgraders(dockerfile):
    for name in re.findall(r"server extension disable --sys-prefix (\S+)", dockerfile):
        assert importlib.util.find_spec(name)
    folder = Path(sys.prefix) / "share" / "jupyter" / "labextensions" / "@jupyter" / "nbgrader"
    known = set(re.findall(r"@jupyter/nbgrader:[a-z-]+", "".join(path.read_text(encoding="utf-8") for path in folder.rglob("*.js"))))
    assert set(re.findall(r"labextension disable --level=sys_prefix (\S+)", dockerfile)) <= known - {"@jupyter/nbgrader:assignment-list"}


@pytest.mark.slow
def test_the_image_can_be_built(course):
    if not shutil.which("docker") or subprocess.run(["docker", "info"], capture_output=True).returncode:
        pytest.skip("optional: needs a running Docker")
    done = subprocess.run(["docker", "build", "--quiet", "--file", PLACE, "."], cwd=course, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    image = done.stdout.strip()
    try:
        run = ["docker", "run", "--rm", image, "python", "-c", "import jupyterhub, nbgrader, unrolled.checks"]
        assert subprocess.run(run, capture_output=True).returncode == 0
    finally:
        subprocess.run(["docker", "rmi", "--force", image], capture_output=True)
