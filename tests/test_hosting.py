"""The files by which others open the course: static pages, Binder, a devcontainer. All install what pyproject.toml and constraints.txt say."""

from __future__ import annotations

import json
import re
import subprocess
import tomllib

import pytest
import yaml


@pytest.fixture(scope="module")
def workflow(course) -> dict:
    return yaml.safe_load((course / ".github" / "workflows" / "pages.yml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def project(course) -> dict:
    return tomllib.loads((course / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def steps(workflow: dict) -> list[dict]:
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


def test_nothing_is_published_until_an_address_is_set(workflow):
    assert workflow["jobs"]["build"]["if"] == "${{ vars.SITE_ADDRESS != '' }}"
    assert workflow["jobs"]["deploy"]["needs"] == "build"


def test_it_begins_when_a_version_is_tagged_or_by_hand(workflow):
    assert set(workflow[True]) == {"push", "workflow_dispatch"}  # YAML reads `on` as true
    assert workflow[True]["push"] == {"tags": ["v*"]}


def test_every_step_runs_a_command_or_a_versioned_action(workflow):
    for step in steps(workflow):
        assert ("run" in step) != ("uses" in step), step
        assert "uses" not in step or re.fullmatch(r"actions/[\w-]+@v\d+", step["uses"]), step


def test_every_command_is_valid_shell(workflow):
    for step in steps(workflow):
        if "run" in step:
            assert subprocess.run(["bash", "-n", "-c", step["run"]], capture_output=True, text=True).stderr == ""


def test_every_make_target_exists(workflow, course):
    targets = set(re.findall(r"^([\w-]+):", (course / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    commands = [step["run"] for step in steps(workflow) if "run" in step] + [devcontainer(course)["postCreateCommand"]]
    named = {target for command in commands for match in re.findall(r"\bmake ((?:[\w-]+ ?)+)", command) for target in match.split()}
    assert named and named <= targets


def test_only_the_deploying_job_may_write(workflow):
    assert workflow["permissions"] == {"contents": "read"}
    assert workflow["jobs"]["deploy"]["permissions"] == {"pages": "write", "id-token": "write"}


def devcontainer(course) -> dict:
    return json.loads((course / ".devcontainer" / "devcontainer.json").read_text(encoding="utf-8"))


def test_all_use_the_python_that_the_package_asks_for(workflow, project, course):
    python = project["requires-python"].removeprefix(">=")
    setup = next(step for step in steps(workflow) if step.get("uses", "").startswith("actions/setup-python"))
    assert setup["with"]["python-version"] == python
    assert (course / ".binder" / "runtime.txt").read_text().strip() == f"python-{python}"
    assert devcontainer(course)["image"].endswith(f":{python}")


def test_binder_installs_extras_of_the_package_in_pinned_versions(project, course):
    lines = [line for line in (course / ".binder" / "requirements.txt").read_text().splitlines() if line and not line.startswith("#")]
    assert lines[0] == "-c ../constraints.txt"
    extras = re.fullmatch(r"-e \.\[([\w,]+)\]", lines[1])[1].split(",")
    assert len(lines) == 2 and set(extras) <= set(project["optional-dependencies"])


def test_the_changelog_begins_with_the_present_version(project, course):
    assert re.search(r"^## (\S+)", (course / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)[1] == project["version"]
