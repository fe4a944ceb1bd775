"""Renews `src/unrolled/site/pyodide-lock.json`: which Pyodide the workshop uses, with the SHA-256 of every file.

    npm pack pyodide@0.27.7 && tar xzf pyodide-0.27.7.tgz
    python tools/pyodide_lock.py package

The folder is the npm package. The wheels' hashes come from the lock file in it, those of the core, which is not in the lock file, from
its files. Kept are the packages that a notebook's kernel and the course's pages need.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

TARGET = Path(__file__).resolve().parents[1] / "src" / "unrolled" / "site" / "pyodide-lock.json"
CORE = ("pyodide.js", "pyodide.asm.js", "pyodide.asm.wasm", "python_stdlib.zip")
NEEDED = ("numpy", "matplotlib", "joblib", "ipython", "jedi", "micropip", "sqlite3", "threadpoolctl")
WITHOUT = ("ssl", "pytz")  # 2.6 MB; no page reaches another machine, and matplotlib imports no time zones


def with_dependencies(names: tuple[str, ...], packages: dict[str, dict]) -> list[str]:
    """The names of packages and of all that they need, sorted."""
    found, waiting = set(), list(names)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += [depends.replace("_", "-") for depends in packages[name]["depends"]]
    return sorted(found)


def main(package: Path) -> None:
    official = json.loads((package / "pyodide-lock.json").read_text(encoding="utf-8"))
    for one in official["packages"].values():
        one["depends"] = [name for name in one["depends"] if name not in WITHOUT]
    lock = {
        "info": official["info"],
        "core": {name: hashlib.sha256((package / name).read_bytes()).hexdigest() for name in CORE},
        "packages": {name: official["packages"][name] for name in with_dependencies(NEEDED, official["packages"])},
    }
    TARGET.write_text(json.dumps(lock, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
