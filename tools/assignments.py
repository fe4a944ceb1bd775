"""Makes assignments/, what learners open, from the model answers (solutions/, or where nbgrader_config.py has them): `make assignments`.

    python tools/assignments.py            # write what changed
    python tools/assignments.py --check    # write nothing; exit 1 and say what is out of step

A notebook that is translated, book/locales/LANGUAGE/assignments/NAME.po, is written beside the English one, in a folder LANGUAGE.

nbgrader generates the releases in a temporary folder, with a gradebook that is thrown away. assignments/.generated.json
keeps the hash of every file as it was written, so that a file that somebody edited by hand is never overwritten or removed.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from traitlets.config import Config

MANIFEST = ".generated.json"
IGNORED = {".ipynb_checkpoints", "__pycache__", ".DS_Store"}


class Refused(Exception):
    """Nothing is written; the message says why."""


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def source_of(root: Path, config: Config) -> Path:
    """The folder of the model answers, as nbgrader_config.py names it. Raises Refused when it is not there."""
    source = (root / config.get("CourseDirectory", {}).get("source_directory", "source")).resolve()
    if not source.is_dir():
        raise Refused(f"There is no folder {source}, which c.CourseDirectory.source_directory in nbgrader_config.py names.")
    return source


def generate(root: Path) -> dict[str, bytes]:
    """What assignments/ should hold: the content of every file, by its path below assignments/."""
    from nbgrader.apps import NbGraderAPI
    from traitlets.config.loader import PyFileConfigLoader

    here = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        course = Path(folder).resolve()
        shutil.copy(root / "nbgrader_config.py", course)
        config = PyFileConfigLoader("nbgrader_config.py", path=str(course)).load_config()
        source = source_of(root, config)
        names = sorted(p.name for p in source.iterdir() if p.is_dir() and p.name not in IGNORED and not p.name.startswith("."))
        shutil.copytree(source, course / "solutions", ignore=shutil.ignore_patterns("*.nb.md", ".git", *IGNORED))
        config.CourseDirectory.source_directory = "solutions"
        os.chdir(course)
        try:
            api = NbGraderAPI(config=config)
            for name in names:
                result = api.generate_assignment(name)
                if not result["success"]:
                    raise Refused(f"nbgrader can't generate {name}:\n{result['log']}{result['error'] or ''}")
        finally:
            os.chdir(here)
        files = _files(course / "assignments")
    return files | translated(root, files)


def translated(root: Path, files: dict[str, bytes]) -> dict[str, bytes]:
    """The notebooks in the other languages, each in a folder that the language names: those whose catalogue is complete."""
    from unrolled.editions import assignments

    found = {}
    for name, content in files.items():
        folder, _, file = name.rpartition("/")
        if file.endswith(".ipynb"):
            for (language, _), text in assignments.in_languages(root, {file: content.decode("utf-8")}).items():
                found[f"{folder}/{language}/{file}"] = text.encode("utf-8")
    return found


def _files(folder: Path) -> dict[str, bytes]:
    """The content of every file below a folder, by its path; without the manifest and what editors leave behind."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != MANIFEST and not IGNORED & set(path.parts) and not path.name.endswith(".nb.md")
    }


def _manifest(folder: Path) -> dict[str, str]:
    path = folder / MANIFEST
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def _manifest_text(files: dict[str, bytes]) -> str:
    return json.dumps({name: _hash(content) for name, content in sorted(files.items())}, indent=1) + "\n"


def out_of_step(root: Path, wanted: dict[str, bytes]) -> list[str]:
    """One line for each file of assignments/ that is not what the model answers generate."""
    folder = root / "assignments"
    present = _files(folder)
    lines = [f"assignments/{name} is missing" for name in wanted if name not in present]
    lines += [
        f"assignments/{name} differs from what the model answers generate" if name in wanted
        else f"assignments/{name} has no model answers"
        for name, content in present.items()
        if content != wanted.get(name)
    ]
    if not lines and _manifest(folder) != json.loads(_manifest_text(wanted)):
        lines.append(f"assignments/{MANIFEST} is out of date")
    return lines


def update(root: Path, wanted: dict[str, bytes]) -> list[str]:
    """Write and remove what has to be, and say what was. Raises Refused, before anything, for a file edited by hand."""
    folder = root / "assignments"
    present, generated = _files(folder), _manifest(folder)
    for name, content in present.items():
        if content != wanted.get(name) and _hash(content) != generated.get(name):
            raise Refused(
                f"assignments/{name} was changed by hand: move the change to the model answers and delete the file, then run this again."
            )
    changed = []
    for name, content in wanted.items():
        if present.get(name) != content:
            _write(folder / name, content)
            changed.append(f"assignments/{name} written")
    for name in present.keys() - wanted.keys():
        (folder / name).unlink()
        changed.append(f"assignments/{name} removed")
        parent = (folder / name).parent
        while parent != folder and not any(parent.iterdir()):
            parent.rmdir()
            parent = parent.parent
    if _manifest(folder) != json.loads(text := _manifest_text(wanted)):
        _write(folder / MANIFEST, text.encode())
    return sorted(changed)


def _write(path: Path, content: bytes) -> None:
    """Write beside and move into place."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.write_bytes(content)
    os.replace(beside, path)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if assignments/ is out of step")
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parents[1], help="the course (default: this one)")
    options = parser.parse_args(arguments)
    try:
        wanted = generate(options.root)
        if options.check:
            lines = out_of_step(options.root, wanted)
            if lines:
                print("\n".join([*lines, "Run `make assignments`."]), file=sys.stderr)
            return int(bool(lines))
        print("\n".join(update(options.root, wanted) or ["assignments/ is in step with the model answers"]))
    except Refused as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
