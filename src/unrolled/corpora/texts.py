"""Real prose: the Python manual that every CPython carries, and H. G. Wells' *The Time Machine*."""

import contextlib
import hashlib
import importlib.util
import os
import platform
import re
import tempfile
from pathlib import Path

from ._carried import carried

TIME_MACHINE_URL = "http://d2l-data.s3-accelerate.amazonaws.com/timemachine.txt"
TIME_MACHINE_FILE = "timemachine.txt"
# Of the file as published, and of its letters-and-spaces form, which line ends and a byte-order mark leave alone.
TIME_MACHINE_SHA1 = "090b5e7e70c295757f55df93cb0a180b9691891a"
TIME_MACHINE_LETTERS_SHA256 = "9f258eadf409c46591c5c61d72c087cb825faf419c9f87ceb580f0eacb30c506"
TIMEOUT_SECONDS = 20


def normalise_letters(text: str) -> str:
    """Lower-case letters and single spaces: every run of anything else becomes one space, also at the two ends.

    This is the form over which published results for The Time Machine are computed.
    """
    return re.sub("[^A-Za-z]+", " ", text).lower()


def python_manual() -> str:
    """About half a megabyte of real prose: the language reference inside every CPython (`pydoc_data.topics`).

    The topics in the order of their names, with a blank line between them. The text differs between Python versions:
    name `python_manual_version()` beside every result. Raises ModuleNotFoundError where Python comes without it.
    """
    try:
        from pydoc_data.topics import topics
    except ModuleNotFoundError as error:
        if path := carried("python_manual.txt"):
            return path.read_text(encoding="utf-8").split("\n", 1)[1]
        raise ModuleNotFoundError(
            "The Python manual should be in the standard library as pydoc_data.topics, but this Python comes without "
            "it; use a CPython from python.org, conda or your system's full python3 package."
        ) from error
    return "\n\n".join(topics[name].strip("\n") for name in sorted(topics))


def python_manual_version() -> str:
    """The version whose manual `python_manual` returns, such as "CPython 3.11.7"."""
    path = carried("python_manual.txt")
    if path and importlib.util.find_spec("pydoc_data") is None:
        return path.read_text(encoding="utf-8").split("\n", 1)[0]
    return f"{platform.python_implementation()} {platform.python_version()}"


def time_machine() -> str:
    """*The Time Machine* by H. G. Wells (1895), as published with Dive into Deep Learning.

    Taken from `$UNROLLED_DATA/timemachine.txt`, else from the user's cache, else downloaded into that cache once.
    Raises FileNotFoundError when it is nowhere and cannot be downloaded, ValueError when a file is not that book.
    """
    for path in _places():
        if path.is_file():
            raw = path.read_bytes()
            _verify_letters(raw, path)
            return _text(raw)
    raw = _download()
    cached = _places()[-1]
    # A cache that can't be written (a read-only home) costs the next call a download, not this call its text.
    with contextlib.suppress(OSError):
        _write_whole(cached, raw)
    return _text(raw)


def _places() -> list[Path]:
    """Where the file may lie, the first choice first; the last one is the cache."""
    try:
        from platformdirs import user_cache_path
    except ImportError:  # Python in a page, which has no cache of a user
        def user_cache_path(name: str) -> Path:
            return Path.home() / ".cache" / name

    data = os.environ.get("UNROLLED_DATA")
    places = [Path(data).expanduser() / TIME_MACHINE_FILE] if data else []
    return [*places, user_cache_path("unrolled") / TIME_MACHINE_FILE]


def _download() -> bytes:
    import urllib.request

    try:
        with urllib.request.urlopen(TIME_MACHINE_URL, timeout=TIMEOUT_SECONDS) as answer:
            raw = answer.read()
    except OSError as error:
        raise FileNotFoundError(
            f"The Time Machine is not on this machine and could not be downloaded ({error}); get {TIME_MACHINE_URL} "
            f"where there is a network and save it as {_places()[0]}, or set UNROLLED_DATA to the folder that holds it."
        ) from error
    sha1 = hashlib.sha1(raw).hexdigest()
    if sha1 != TIME_MACHINE_SHA1:
        raise ValueError(
            f"The file downloaded from {TIME_MACHINE_URL} should have SHA-1 {TIME_MACHINE_SHA1}, but it has {sha1}; "
            "try again, or try another network, since something on the way may have replaced it."
        )
    _verify_letters(raw, TIME_MACHINE_URL)
    return raw


def _verify_letters(raw: bytes, where: Path | str) -> None:
    sha256 = hashlib.sha256(normalise_letters(_text(raw)).encode()).hexdigest()
    if sha256 != TIME_MACHINE_LETTERS_SHA256:
        raise ValueError(
            f"The letters of {where} should have SHA-256 {TIME_MACHINE_LETTERS_SHA256}, but they have {sha256}; "
            f"replace that file by the one from {TIME_MACHINE_URL}, or delete it to have it downloaded."
        )


def _text(raw: bytes) -> str:
    """The text with Python's line ends, whatever system the file was saved on."""
    return raw.decode("utf-8-sig", errors="replace").replace("\r\n", "\n")


def _write_whole(path: Path, raw: bytes) -> None:
    """Write beside `path`, then move into place, so that no other process ever sees half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, beside = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".part")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(raw)
        os.replace(beside, path)
    except BaseException:
        os.unlink(beside)
        raise
