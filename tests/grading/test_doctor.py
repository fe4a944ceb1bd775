"""`unrolled doctor` says whether learners' code can be run safely here, and how to mend it when not."""

from __future__ import annotations

import importlib.metadata

import pytest
from typer.testing import CliRunner

from unrolled.cli import app
from unrolled.grading import doctor, sandbox


def told() -> tuple[int, str]:
    result = CliRunner().invoke(app, ["doctor"])
    return result.exit_code, result.output


def test_where_all_is_well_it_names_the_versions(bwrap, monkeypatch):
    monkeypatch.delenv("UNROLLED_UNSAFE", raising=False)
    code, text = told()
    assert code == 0 and "bwrap works" in text and "  ! " not in text
    for name in ("numpy", "torch", "nbgrader"):
        assert importlib.metadata.version(name) in text


def test_missing_bubblewrap_is_said_with_the_command_that_installs_it(monkeypatch):
    monkeypatch.setattr(sandbox.shutil, "which", lambda *_, **__: None)
    code, text = told()
    assert code == 1 and "is not installed" in text and text.count("sudo apt-get install bubblewrap") == 1


@pytest.mark.parametrize("said, mend", [
    ("bwrap: No permissions to create new namespace", "kernel.apparmor_restrict_unprivileged_userns=0"),
    ("bwrap: setting up uid map: Permission denied", "--security-opt seccomp=unconfined"),
])  # fmt: skip
def test_forbidden_namespaces_are_said_with_the_way_out(monkeypatch, tmp_path, said, mend):
    fake = tmp_path / "bwrap"
    fake.write_text(f"#!/bin/sh\necho '{said}' >&2\nexit 1\n")
    fake.chmod(0o755)
    monkeypatch.setattr(sandbox.shutil, "which", lambda *_, **__: str(fake))
    code, text = told()
    assert code == 1 and said in text and mend in text


def test_a_missing_package_and_grading_without_a_sandbox_are_said(monkeypatch):
    def version(name: str) -> str:
        if name == "nbgrader":
            raise importlib.metadata.PackageNotFoundError(name)
        return "1"

    monkeypatch.setattr(doctor.importlib.metadata, "version", version)
    monkeypatch.setenv("UNROLLED_UNSAFE", "1")
    code, text = told()
    assert code == 1 and "nbgrader         is not installed" in text and "UNROLLED_UNSAFE" in text
