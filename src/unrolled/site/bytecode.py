"""Rewrites the archives that a page's Python is loaded from, so that it starts sooner: what a notebook imports as bytecode, and nothing that no page needs.

A page's Python loses with its tab what it has compiled; without this it compiles every module at each start, which is most of the time until a
notebook answers. The bytecode is made by the same Pyodide, under Node. Where there is no Node, the sources stay.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

from . import wheels

SCRIPT = Path(__file__).with_suffix(".js")
LOCK = "pyodide-lock.json"
STANDARD, STANDARD_PLACE = "python_stdlib.zip", "lib/python312.zip"
PLACE = "lib/python3.12/site-packages"  # where wheels lie in a page
CACHED = "{folder}/__pycache__/{module}.cpython-312.pyc"
TIMEOUT_SECONDS = 600
# What no page can use: tests, what C compilers and editors read, what jedi knows of Python 2 and of other libraries, and of matplotlib's data
# what belongs to PostScript, to windows and to its own examples.
LEFT_OUT: tuple[Callable[[str], bool], ...] = (
    lambda path: "/tests/" in path or path.endswith((".h", ".a", ".c", ".pxd", ".pyx", ".1")),
    lambda path: path.endswith(".pyi") and not path.startswith("jedi/"),
    lambda path: path.startswith("jedi/third_party/") and not path.startswith(("jedi/third_party/typeshed/stdlib/3/", "jedi/third_party/typeshed/stdlib/2and3/")),
    lambda path: path.startswith(tuple(f"matplotlib/mpl-data/{part}/" for part in ("fonts/afm", "fonts/pdfcorefonts", "images", "sample_data"))),
)


class NotCompiled(Exception):
    """There is no bytecode; the message says why, in a clause."""


def node() -> str | None:
    """The command Node, if it is here."""
    return shutil.which("node") or shutil.which("nodejs")


def quicken(folder: Path, packages: Sequence[str], cache: Path, readable: tuple[str, ...] = ()) -> None:
    """Rewrite the archives in a folder of Pyodide, in place, and its lock file with their new hashes. The last result is kept in the cache.

    packages: what the kernel loads. readable: beginnings of the paths of modules whose sources stay beside the bytecode, since learners read them.
    Raises NotCompiled when all is done but the bytecode.
    """
    archives = sorted(path for path in folder.iterdir() if path.suffix in (".whl", ".zip"))
    origin = _digest([Path(__file__), SCRIPT, *archives], json.dumps([list(packages), readable, bool(node())]))
    kept = cache / "bytecode"
    if not (kept / "from").is_file() or (kept / "from").read_text(encoding="utf-8") != origin:
        shutil.rmtree(kept, ignore_errors=True)
        kept.mkdir()
        try:
            bytecode, reason = _bytecode(folder, packages), None
        except NotCompiled as error:
            bytecode, reason = {}, error
        for path in archives:
            _write(_rewritten(path, bytecode, readable), kept / path.name)
        if reason is None:
            (kept / "from").write_text(origin, encoding="utf-8")
    else:
        reason = None
    for path in archives:
        shutil.copyfile(kept / path.name, path)
    lock = json.loads((folder / LOCK).read_text(encoding="utf-8"))
    for package in lock["packages"].values():
        package["sha256"] = hashlib.sha256((folder / package["file_name"]).read_bytes()).hexdigest()
    (folder / LOCK).write_text(json.dumps(lock), encoding="utf-8")
    if reason:
        raise reason


def _digest(files: list[Path], said: str) -> str:
    digest = hashlib.sha256(said.encode())
    for path in files:
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()


def _bytecode(folder: Path, packages: Sequence[str]) -> dict[str, bytes]:
    """The bytecode of what a notebook imports, by the path of the module's source in a page, such as lib/python3.12/site-packages/six.py."""
    if not node():
        raise NotCompiled("the command node is not here")
    with tempfile.TemporaryDirectory() as target:
        try:
            done = subprocess.run([node(), str(SCRIPT), str(folder), target, *packages], capture_output=True, text=True, timeout=TIMEOUT_SECONDS)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise NotCompiled(f"node did not end well ({type(error).__name__})") from None
        if done.returncode:
            raise NotCompiled(f"node stopped with the message {(done.stderr.strip() or 'none').splitlines()[-1]!r}")
        return {path.relative_to(target).as_posix().removesuffix("c"): path.read_bytes() for path in Path(target).rglob("*.pyc")}


def _rewritten(archive: Path, bytecode: dict[str, bytes], readable: tuple[str, ...]) -> dict[str, bytes]:
    """The files of an archive that a page needs, modules as bytecode where there is some."""
    place = STANDARD_PLACE if archive.name == STANDARD else PLACE
    files = {}
    with zipfile.ZipFile(archive) as whole:
        for name in whole.namelist():
            if name.endswith("/") or any(rule(name) for rule in LEFT_OUT):
                continue
            code = bytecode.get(f"{place}/{name}")
            if code is None or name.startswith(readable):
                files[name] = whole.read(name)
            if code is not None and name.startswith(readable):
                folder, _, module = name.rpartition("/")
                files[CACHED.format(folder=folder, module=module.removesuffix(".py"))] = code
            elif code is not None:
                files[f"{name}c"] = code
    return files


def _write(files: dict[str, bytes], target: Path) -> None:
    """Write an archive of these files; if it is a wheel, with the list of them that a wheel has."""
    record = next((name for name in files if name.endswith(".dist-info/RECORD")), None)
    if record:
        files[record] = wheels.record({name: content for name, content in files.items() if name != record}, record)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in sorted(files.items()):
            archive.writestr(wheels.entry(name), content, compresslevel=9)
