"""What `unrolled doctor` says: whether learners' code can be run safely here, how to mend it when not, and the versions of what matters."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from dataclasses import dataclass

from . import sandbox

NEEDED = {
    "numpy": "everything", "torch": "the references that judge", "nbgrader": "grading a class", "distributed": "`unrolled grade`",
    "jupyter-book": "building the book",
}  # fmt: skip


@dataclass(frozen=True)
class Finding:
    """One line of the examination. well: nothing is to be done. mend: what to do otherwise, a sentence."""

    what: str
    found: str
    well: bool = True
    mend: str = ""


def examine() -> list[Finding]:
    """What was found on this machine, the sandbox first."""
    return [_sandbox(), *_unsafe(), Finding("Python", f"{platform.python_version()} on {platform.system()} {platform.machine()}"),
            Finding("cores", str(os.cpu_count())), *map(_version, NEEDED), _judge()]  # fmt: skip


def _sandbox() -> Finding:
    found = sandbox.diagnose()
    return Finding("sandbox", found.what, found.works, found.mend)


def _unsafe() -> list[Finding]:
    if not sandbox.unsafe_by_environment():
        return []
    return [Finding("UNROLLED_UNSAFE", "is set: learners' code is run without a sandbox", False, "Unset it, unless all the code is your own.")]


def _version(name: str) -> Finding:
    try:
        return Finding(name, importlib.metadata.version(name))
    except importlib.metadata.PackageNotFoundError:
        mend = f"It is for {NEEDED[name]}: `python -m pip install -c constraints.txt -e '.[dev]'` brings it."
        return Finding(name, "is not installed", False, mend)


def _judge() -> Finding:
    from .. import reference

    try:
        return Finding("references", reference.describe())
    except (ImportError, RuntimeError) as error:
        return Finding("references", "can't be computed", False, str(error))


def as_text(findings: list[Finding]) -> str:
    """One line a finding, with what to do under those that are not well."""
    lines = []
    for finding in findings:
        lines.append(f"{' ok ' if finding.well else '  ! '} {finding.what:<16} {finding.found}")
        if not finding.well and finding.mend:
            lines.append(f"{'':21} {finding.mend}")
    return "\n".join(lines)
