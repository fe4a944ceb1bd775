"""The wheels that the page's Python gets beside Pyodide's own: the course, small pieces of what is installed here, and stand-ins.

A wheel is a zip of modules and of what names them. These hold pure Python, and only what runs in a page.
"""

from __future__ import annotations

import base64
import hashlib
import importlib.metadata
import io
import zipfile
from pathlib import Path

import numpy as np

from unrolled import __version__

PACKAGE = Path(__file__).resolve().parents[1]
# Nothing of these can be of use in a page: grades, the command line, Sphinx, torch.
LEFT_OUT = ("grading", "site", "editions", "owndata", "yours", "cli.py", "convert.py", "jax_models.py", "torch_models.py", "quiz_terminal.py", "__pycache__", "carried",
            "terminal.mo", "owndata.mo", "grading.mo", "quizzes.mo", "pronunciation_recipe.json", "manual_recipe.json")
# Libraries that pages compare with, and that no page can hold. See STAND_IN.
ABSENT = ("torch", "sklearn", "statsmodels", "sacrebleu", "lzma")
STAND_IN = Path(__file__).with_name("stand_in.py")
NARROW = Path(__file__).with_name("narrow.py")
EPOCH = (1980, 1, 1, 0, 0, 0)  # the same bytes for the same content


def write_wheel(folder: Path, name: str, version: str, files: dict[str, bytes], metadata: str = "") -> Path:
    """Write a wheel of pure Python that holds these files. Returns its path. The same files give the same bytes."""
    info = f"{name}-{version}.dist-info"
    files = {
        **files,
        f"{info}/METADATA": (metadata or f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n").encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: unrolled\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    files[f"{info}/RECORD"] = record(files, f"{info}/RECORD")
    target = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in sorted(files.items()):
            archive.writestr(entry(path), content)
    return target


def record(files: dict[str, bytes], own: str) -> bytes:
    """The list of a wheel's files that it has to hold, which names itself at its end."""
    lines = [f"{path},sha256={_urlsafe(content)},{len(content)}" for path, content in sorted(files.items())]
    return "\n".join([*lines, f"{own},,", ""]).encode()


def entry(path: str) -> zipfile.ZipInfo:
    """How a file stands in an archive: the same bytes for the same content."""
    found = zipfile.ZipInfo(path, EPOCH)
    found.compress_type, found.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
    return found


def _urlsafe(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


def course_wheel(folder: Path, data: dict[str, bytes]) -> Path:
    """The package `unrolled` as a page needs it, with the texts, pictures and series that its Python has no library for (`course_data`)."""
    kept = [path for path in PACKAGE.rglob("*") if path.is_file() and path.suffix != ".po" and not set(path.relative_to(PACKAGE).parts) & set(LEFT_OUT)]
    files = {path.relative_to(PACKAGE.parent).as_posix(): path.read_bytes() for path in kept}
    files["unrolled/narrow.py"] = NARROW.read_bytes()
    files["unrolled/__init__.py"] += b"\nfrom . import narrow\n\nnarrow.widen()\n"
    files |= {f"unrolled/carried/data/{name}": content for name, content in data.items()}
    return write_wheel(folder, "unrolled", __version__, files)


def course_data() -> dict[str, bytes]:
    """The corpora that other libraries bundle, as files, with the licence of the text. What isn't installed here is left out."""
    from unrolled import corpora

    found = {}
    for name in ("digits", "sunspots", "co2"):
        try:
            corpus = corpora.load(name)
        except ModuleNotFoundError:
            continue
        found[f"{name}.npz"] = _npz({field: value for field, value in corpus._asdict().items() if isinstance(value, np.ndarray)})
    version = corpora.python_manual_version()
    found["python_manual.txt"] = f"{version}\n{corpora.python_manual()}".encode()
    found["python_manual.LICENSE"] = _python_licence(version)
    return found


def _npz(arrays: dict[str, np.ndarray]) -> bytes:
    """Like np.savez_compressed, with the same bytes for the same arrays."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in arrays.items():
            one = io.BytesIO()
            np.save(one, array)
            entry = zipfile.ZipInfo(f"{name}.npy", EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, one.getvalue())
    return whole.getvalue()


def _python_licence(version: str) -> bytes:
    """Python's own licence, which its text is under, too."""
    import _sitebuiltins  # noqa: F401  `license` is one of its printers
    import builtins

    printer = getattr(builtins, "license", None)
    text = ""
    if printer is not None:
        printer._Printer__setup()
        text = "\n".join(printer._Printer__lines)
    return f"The text of python_manual.txt is the language reference of {version}.\n\n{text}\n".encode()


def installed_wheel(folder: Path, name: str) -> Path:
    """A wheel made again from a library of pure Python that is installed here."""
    found = importlib.metadata.distribution(name)
    files = {
        str(path): Path(found.locate_file(path)).read_bytes()
        for path in found.files or []
        if path.suffix != ".pyc" and not path.name.startswith("RECORD") and ".." not in path.parts and path.name not in ("INSTALLER", "WHEEL", "REQUESTED", "direct_url.json")
    }
    metadata = found.read_text("METADATA") or ""
    return write_wheel(folder, name, found.version, files, metadata)


def stand_in_wheel(folder: Path, name: str) -> Path:
    """A module of that name that can be imported and says, when something in it is used, that the page does not have it."""
    return write_wheel(folder, f"stand_in_for_{name}", "1", {f"{name}/__init__.py": STAND_IN.read_bytes()})
