"""What `unrolled doctor` says: whether learners' code can be run safely here, how to mend it when not, and the versions of what matters."""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
import platform
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from . import modes, sandbox

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


def examine(course: Path | None = None) -> list[Finding]:
    """What was found on this machine, the sandbox first; and who else can read or replace what belongs to the class in `course`."""
    return [_sandbox(), *_namespaces(), *_unsafe(), *(_modes(course) if course else ()), Finding("Python", f"{platform.python_version()} on {platform.system()} {platform.machine()}"),
            Finding("cores", str(os.cpu_count())), *map(_version, NEEDED), _judge()]  # fmt: skip


def _sandbox() -> Finding:
    found = sandbox.diagnose()
    return Finding("sandbox", found.what, found.works, found.mend)


CONTAINER = {
    "Docker": "start the container with `--security-opt seccomp=unconfined --security-opt apparmor=unconfined`",
    "Podman": "start the container with `--security-opt seccomp=unconfined`",
    "Kubernetes": "give the pod `securityContext: {seccompProfile: {type: Unconfined}, appArmorProfile: {type: Unconfined}}`",
}


def container() -> str:
    """The kind of container that this runs in, one of CONTAINER, or nothing."""
    if os.environ.get("KUBERNETES_SERVICE_HOST"):
        return "Kubernetes"
    return "Docker" if Path("/.dockerenv").exists() else "Podman" if Path("/run/.containerenv").exists() else ""


def _namespaces() -> Iterator[Finding]:
    """Whether an ordinary account may make the namespaces that the sandbox consists of; in a container it often may not."""
    unshare = shutil.which("unshare", path="/usr/bin:/bin")
    if platform.system() != "Linux" or not unshare:
        return
    ordinary = {"user": 65534, "group": 65534, "extra_groups": []} if os.geteuid() == 0 else {}
    try:
        works = not subprocess.run([unshare, "--user", "--mount", "true"], capture_output=True, cwd="/", **ordinary).returncode
    except OSError:
        works = False
    where = container()
    if works:
        yield Finding("user namespaces", f"can be made by ordinary accounts{f', in this container ({where})' if where else ''}.")
        return
    mend = CONTAINER.get(where) or "`sudo sysctl -w user.max_user_namespaces=15000 kernel.apparmor_restrict_unprivileged_userns=0`"
    if ordinary:
        yield Finding("user namespaces", f"can be made by root alone, so others can't grade here. For them {mend}.")
    else:
        yield Finding("user namespaces", "can't be made by this account, and the sandbox needs them.", False, f"{mend[0].upper()}{mend[1:]}.")


def _modes(course: Path) -> Iterator[Finding]:
    """Who else can read or replace what belongs to a class, where there are others."""
    try:
        from nbgrader.apps import NbGrader
        from nbgrader.coursedir import CourseDirectory
        from nbgrader.exchange.default import Exchange
        from sqlalchemy.engine import make_url
    except ImportError:  # which is said below
        return
    with contextlib.chdir(course):
        app = NbGrader()
        app.load_config_file()
    coursedir = CourseDirectory(config=app.config)
    exchange = Path(Exchange(coursedir=coursedir, config=app.config).root)
    people = modes.others(os.geteuid())
    hub = (exchange / coursedir.course_id).exists() or "root" in app.config.Exchange and exchange.exists()
    if not people and not hub:
        yield Finding("accounts", "Nobody else has an account on this machine.")
        return
    database = make_url(coursedir.db_url)
    book = Path(database.database) if database.drivername.startswith("sqlite") and database.database else None
    found = [*modes.of_class(course / "class", book)]
    if hub:
        owners = {0, os.geteuid(), course.stat().st_uid}
        found += [*modes.of_solutions(course / coursedir.source_directory), *modes.of_homes(modes.accounts()),
                  *modes.of_exchange(exchange, coursedir.course_id, owners)]  # fmt: skip
    for one in found:
        yield Finding(one.what, one.found, not one.mend, f"{one.mend} mends it." if one.mend else "")


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
