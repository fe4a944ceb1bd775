"""Makes one archive of the built site, and checks it: python tools/site_archive.py [--out FOLDER]

`dist/unrolled-site-VERSION.zip` holds the book, the workshop, the package's wheel and the licences. Whoever unpacks it needs no network:
`python -m http.server` in its folder shows it. Any static host can serve it, also below the root of an address.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.metadata
import json
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BUILT = ROOT / "_build" / "html"
MOST_BYTES = 95_000_000
SUMS = "SHA256SUMS"
READ_ME = """Unrolled: sequence models from scratch, version {version}

Open it:   python -m http.server --bind 127.0.0.1 8000     in this folder, then http://127.0.0.1:8000/ in a browser.
           The pages can also be opened as files; what runs Python in the page needs the address.
Serve it:  put this folder on any host of static files, at the root of an address or below it.
Check it:  sha256sum --check --quiet SHA256SUMS

Wheel:     wheels/ has the package for those who work on their own machine; try/static/pyodide/ has what runs in the page.
Licences:  licences/. Code of the course: MIT. Prose, figures and quizzes: CC BY 4.0. What others made keeps its licence.
"""


class Unfit(Exception):
    """The site can't be packed as it is; the message says why."""


def packed(site: Path, wheel: Path, version: str) -> dict[str, bytes]:
    """Every file of the archive, by its path in it. Raises Unfit when something that belongs in it is missing."""
    for needed in ("index.html", "try/workshop.json"):
        if not (site / needed).is_file():
            raise Unfit(f"{site / needed} is missing: build the book first, with make book, where Pyodide's files can be had.")
    files = {path.relative_to(site).as_posix(): path.read_bytes() for path in sorted(site.rglob("*")) if path.is_file() and path.name != ".buildinfo"}
    files[f"wheels/{wheel.name}"] = wheel.read_bytes()
    files["README.txt"] = READ_ME.format(version=version).encode()
    files |= licences(site)
    return files


def licences(site: Path) -> dict[str, bytes]:
    """The licences of the course and of what it ships. Wheels carry their own."""
    found = {f"licences/{name}": (ROOT / name).read_bytes() for name in ("LICENSE", "LICENSE-prose")}
    found["licences/python-packages.txt"] = "\n".join(_licences_of_wheels(site)).encode()
    found |= {f"licences/javascript/{path.relative_to(site / 'try').as_posix()}": path.read_bytes() for path in sorted((site / "try").rglob("third-party-licenses.json"))}
    for name in ("jupyterlite-core", "jupyterlite-pyodide-kernel", "sphinx-book-theme", "pydata-sphinx-theme"):
        distribution = importlib.metadata.distribution(name)
        for path in distribution.files or []:
            if "licen" in path.name.lower() and "dist-info" in str(path):
                found[f"licences/{name}/{path.name}"] = Path(distribution.locate_file(path)).read_bytes()
    found["licences/pyodide.txt"] = (
        b"Pyodide is published under the Mozilla Public License 2.0, https://github.com/pyodide/pyodide has its source.\n"
        b"It holds CPython, which is under the PSF License Agreement.\n"
    )
    return found


def _licences_of_wheels(site: Path) -> list[str]:
    """What each wheel of the workshop says of its licence, and the name of the file in it that has the text."""
    lines = []
    for wheel in sorted((site / "try" / "static" / "pyodide").glob("*.whl")):
        with zipfile.ZipFile(wheel) as archive:
            names = archive.namelist()
            metadata = next((archive.read(name).decode("utf-8", "replace") for name in names if name.endswith(".dist-info/METADATA")), "")
            said = [line for line in metadata.split("\n\n")[0].splitlines() if line.startswith(("License", "Classifier: License"))]
            texts = [name for name in names if ".dist-info/" in name and ("licen" in name.lower() or "copying" in name.lower())]
            lines.append(f"{wheel.name}\n    {'; '.join(said) or 'says nothing of a licence'}\n    {', '.join(texts) or 'has no text of one'}")
    return lines


def write(files: dict[str, bytes], archive: Path, folder: str) -> None:
    """Write the archive beside and move it into place; the same files give the same bytes. All of it lies in one folder."""
    sums = "".join(f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in sorted(files.items()))
    beside = archive.with_suffix(".part")
    with zipfile.ZipFile(beside, "w", zipfile.ZIP_DEFLATED) as target:
        for name, content in sorted({**files, SUMS: sums.encode()}.items()):
            entry = zipfile.ZipInfo(f"{folder}/{name}", (1980, 1, 1, 0, 0, 0))
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            target.writestr(entry, content)
    beside.replace(archive)


def check(archive: Path) -> list[str]:
    """What is wrong with an archive: damaged or missing files, too much of it, Python files of the page that are not the published ones."""
    with zipfile.ZipFile(archive) as opened:
        damaged = opened.testzip()
        if damaged:
            return [f"{damaged} is damaged"]
        files = {name.split("/", 1)[1]: opened.read(name) for name in opened.namelist()}
    wrong = []
    sums = dict(reversed(line.split("  ", 1)) for line in files.pop(SUMS).decode().splitlines())
    wrong += [f"{name} is not in {SUMS}" for name in sorted(set(files) - set(sums))]
    wrong += [f"{name} is missing" for name in sorted(set(sums) - set(files))]
    wrong += [f"{name} is not what {SUMS} says" for name, sha256 in sums.items() if name in files and hashlib.sha256(files[name]).hexdigest() != sha256]
    stamp = json.loads(files["try/workshop.json"])
    wrong += [f"try/static/pyodide/{name} is not what the workshop expects" for name, sha256 in stamp["files"].items() if sums.get(f"try/static/pyodide/{name}") != sha256]
    size = sum(map(len, files.values()))
    if size > MOST_BYTES:
        wrong.append(f"it holds {size / 1e6:.0f} MB, more than {MOST_BYTES / 1e6:.0f} MB")
    return wrong


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=ROOT / "dist")
    parser.add_argument("--site", type=Path, default=BUILT)
    wanted = parser.parse_args()
    version = importlib.metadata.version("unrolled")
    wanted.out.mkdir(parents=True, exist_ok=True)
    wheel = wanted.out / f"unrolled-{version}-py3-none-any.whl"
    if not wheel.is_file():
        subprocess.run([sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(wanted.out), str(ROOT)], check=True)
    archive = wanted.out / f"unrolled-site-{version}.zip"
    try:
        write(packed(wanted.site, wheel, version), archive, f"unrolled-site-{version}")
    except Unfit as error:
        sys.exit(str(error))
    wrong = check(archive)
    if wrong:
        sys.exit(f"{archive} is unfit: " + "; ".join(wrong))
    print(f"{archive}: {archive.stat().st_size / 1e6:.0f} MB, checked.")


if __name__ == "__main__":
    main()
