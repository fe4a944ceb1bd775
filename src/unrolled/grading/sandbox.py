"""The sandbox in which learners' code runs: bubblewrap with no network, nothing writable, and nothing to find.

What is mounted, read-only: the system's libraries, this Python's own library without its packages, NumPy, and two files of
ours (player.py, wire.py, stubs.py, failing.py, magics.py). A seccomp filter leaves the system calls that NumPy and the player need, and no new process or thread
(system_calls.py); the player sets the resource limits before it runs a line that a learner wrote.
"""

from __future__ import annotations

import contextlib
import functools
import os
import platform
import py_compile
import select
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ..language import texts
from . import system_calls, wire

HERE = Path(__file__).resolve().parent
OWN_FILES = (HERE / "player.py", HERE / "wire.py", *(HERE.parent / "checks" / name for name in ("stubs.py", "failing.py", "magics.py")))
INSIDE = "/referee"  # where these files and NumPy lie in the sandbox
MISSING = "bubblewrap (bwrap), in which learners' code runs, is not installed."
INSTALL = "Install it with `sudo apt-get install bubblewrap` (Debian, Ubuntu) or `sudo dnf install bubblewrap` (Fedora)."
UNSAFE_NOTE = texts("Run without a sandbox (UNROLLED_UNSAFE=1): this result is only as good as the code that was handed in.")


class SandboxError(RuntimeError):
    """No sandbox can be had here; the message says why and how to mend it."""


class Lost(RuntimeError):
    """The player did not answer: it ended, hung, or sent what is no message. The message says which."""


def unsafe_by_environment() -> bool:
    """Whether UNROLLED_UNSAFE asks for learners' code to be run without a sandbox."""
    return os.environ.get("UNROLLED_UNSAFE", "") not in ("", "0")


def seccomp_filter(machine: str) -> bytes:
    """The filter's program for `bwrap --seccomp`. Raises SandboxError for a machine whose system calls we don't know."""
    if machine not in system_calls.MACHINES:
        known = " and ".join(system_calls.MACHINES)
        raise SandboxError(f"The sandbox knows {known}, and this machine is {machine}: grade on one of those.")
    return system_calls.packed(system_calls.program(machine))


# --- What the sandbox holds --------------------------------------------------------------------


def _numpy_folders() -> list[Path]:
    """The folders of NumPy: itself, and the shared libraries that its wheel brings."""
    import numpy

    package = Path(numpy.__file__).resolve().parent
    return [folder for folder in (package, package.parent / "numpy.libs") if folder.is_dir()]


def _interpreter() -> Path:
    """The real file of this Python, outside any virtual environment."""
    return Path(getattr(sys, "_base_executable", None) or sys.executable).resolve()


def _library_paths() -> list[str]:
    """Python's own library as `sys.path` needs it when `site` is not imported."""
    library = Path(os.__file__).resolve().parent
    dynamic = Path(sysconfig.get_config_var("DESTSHARED") or library / "lib-dynload")
    return [str(library), str(dynamic)]


def _system_mounts() -> list[str]:
    """The system's libraries; a folder that is a link on this machine is one inside, too."""
    arguments = []
    for name in ("/usr/lib", "/usr/lib64", "/usr/lib32"):
        if os.path.isdir(name) and not os.path.islink(name):
            arguments += ["--ro-bind", name, name]
    for name in ("/lib", "/lib64", "/lib32"):
        if os.path.islink(name):
            arguments += ["--symlink", os.readlink(name), name]
        elif os.path.isdir(name):
            arguments += ["--ro-bind", name, name]
    for name in ("/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d"):
        arguments += ["--ro-bind-try", name, name]
    return arguments


def _masks(mounted: list[Path]) -> list[str]:
    """Empty folders over every place in which packages may be installed below what is mounted."""
    found = set()
    for folder in mounted:
        for pattern in ("site-packages", "dist-packages", "python3*/site-packages", "python3*/dist-packages"):
            found.update(str(path) for path in folder.glob(pattern) if path.is_dir())
    return [part for path in sorted(found) for part in ("--tmpfs", path, "--remount-ro", path)]


@functools.cache
def _mounts() -> tuple[str, ...]:
    """The mounts of every sandbox of this process."""
    base = Path(sys.base_prefix).resolve()
    arguments = _system_mounts()
    own = [base / "lib", base / "lib64"]
    for folder in own:
        if folder.is_dir() and not folder.is_relative_to("/usr/lib") and folder.resolve() == folder:
            arguments += ["--ro-bind", str(folder), str(folder)]
    interpreter = str(_interpreter())
    arguments += ["--ro-bind", interpreter, interpreter]
    arguments += _masks([*own, Path("/usr/lib"), Path(os.__file__).resolve().parent])
    for folder in _numpy_folders():
        arguments += ["--ro-bind", str(folder), f"{INSIDE}/site/{folder.name}"]
    for path in OWN_FILES:
        arguments += ["--ro-bind", str(path), f"{INSIDE}/{path.name}"]
        if compiled := _compiled(path):
            arguments += ["--ro-bind", str(compiled), f"{INSIDE}/__pycache__/{compiled.name}"]
    return tuple(arguments)


def _compiled(path: Path) -> Path | None:
    """Where the compiled form of a file lies, which saves every child the work; None where it can't be written."""
    with contextlib.suppress(OSError, py_compile.PyCompileError):
        return Path(py_compile.compile(str(path), doraise=True))
    return None


ENVIRONMENT = {
    "PATH": "/nowhere", "HOME": "/nowhere", "LANG": "C.UTF-8", "PYTHONHASHSEED": "0",
    "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1",
}  # fmt: skip


def command(program: str, seccomp_fd: int, course: bool = False) -> list[str]:
    """The bwrap command that runs player.py, or another Python `program` for tests and diagnosis, inside the sandbox.

    course: with the course's own package, answers and all, for a player in which no line of a learner's runs.
    """
    package = ["--ro-bind", str(HERE.parent), f"{INSIDE}/course/unrolled"] if course else []
    paths = [f"{INSIDE}/site", INSIDE, *([f"{INSIDE}/course"] if course else [])]
    return [
        bwrap_path(), "--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL",
        "--uid", "65534", "--gid", "65534", "--hostname", "referee", "--clearenv",
        *(part for name, value in ENVIRONMENT.items() for part in ("--setenv", name, value)),
        *_mounts(), *package, "--dev", "/dev", "--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/",
        "--seccomp", str(seccomp_fd), "--", *python_command(program, paths),
    ]  # fmt: skip


def python_command(program: str, paths: list[str]) -> list[str]:
    """This Python, isolated: no site-packages, no start-up files, no working folder; `paths` and its own library are its path.

    Not by -I: that would ignore PYTHONHASHSEED, too, without which a set's order, and so a grade, might change from run to run.
    Every other variable of the environment is cleared.
    """
    start = f"import sys; sys.path[:] = {paths + _library_paths()!r}; {program}"
    return [str(_interpreter()), "-S", "-s", "-P", "-B", "-X", "utf8", "-c", start]


def bwrap_path() -> str:
    """Where bwrap is. Raises SandboxError when it is not installed."""
    found = _bwrap()
    if not found:
        raise SandboxError(
            f"{MISSING} {INSTALL} For code that you trust as your own, UNROLLED_UNSAFE=1 runs it with resource limits only."
        )
    return found


def _bwrap() -> str | None:
    return shutil.which("bwrap", path=os.environ.get("PATH", "") + os.pathsep + "/usr/bin:/usr/local/bin")


def run_inside(program: str, timeout: float = 20) -> subprocess.CompletedProcess:
    """Run a line of Python in the sandbox, without the player: for tests and diagnosis."""
    with _seccomp_file() as descriptor:
        return subprocess.run(
            command(program, descriptor), pass_fds=(descriptor,), stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=timeout, env={},
        )  # fmt: skip


@contextlib.contextmanager
def _seccomp_file() -> Iterator[int]:
    with tempfile.TemporaryFile() as file:
        file.write(seccomp_filter(platform.machine()))
        file.seek(0)
        yield file.fileno()


# --- Diagnosis ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Diagnosis:
    """Whether the sandbox works here, in one sentence, and what to do when it does not."""

    works: bool
    what: str
    mend: str = ""


def diagnose() -> Diagnosis:
    """Try the sandbox: start it, import NumPy in it, and see that it holds no network and no packages."""
    if platform.system() != "Linux":
        return Diagnosis(False, f"The sandbox needs Linux; this is {platform.system()}.", "Grade on Linux, or in a container or WSL 2.")
    program = _bwrap()
    if not program:
        return Diagnosis(False, MISSING, INSTALL)
    try:
        seccomp_filter(platform.machine())
    except SandboxError as error:
        return Diagnosis(False, str(error))
    try:
        done = run_inside("import numpy; print(float(numpy.ones((2, 2)).sum()))")
    except (OSError, subprocess.TimeoutExpired) as error:
        return Diagnosis(False, f"{program} does not start: {error}", "Reinstall bubblewrap.")
    if done.returncode == 0 and done.stdout.strip() == "4.0":
        return Diagnosis(True, f"{program} works: Python and NumPy start in it.")
    said = " ".join(done.stderr.split())[-400:]
    return Diagnosis(False, f"{program} fails here: {said or f'exit status {done.returncode}'}", _mend(said))


def _mend(said: str) -> str:
    """What to do about an error of bwrap's."""
    if "namespace" in said or "Operation not permitted" in said or "uid map" in said:
        return (
            "This machine forbids user namespaces. Ubuntu 24.04 and later: `sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0`; "
            "Debian 10 and older: `sudo sysctl -w kernel.unprivileged_userns_clone=1`; in Docker, start the container with "
            "`--security-opt seccomp=unconfined --security-opt apparmor=unconfined --cap-add SYS_ADMIN`; or grade as root."
        )
    if "No such file" in said or "Can't" in said:
        return "A file or folder that Python needs lies where the sandbox does not mount it: please report this with the line above."
    return "Please report this with the line above."


def require(unsafe: bool) -> None:
    """Raise SandboxError, with the way out, unless learners' code can be run here."""
    if not unsafe:
        _require_works()


@functools.cache
def _require_works() -> None:
    found = diagnose()
    if not found.works:
        raise SandboxError(f"No submission was run. {found.what} {found.mend} `UNROLLED_UNSAFE=1` runs code that you trust without a sandbox.")


# --- A running player --------------------------------------------------------------------------


class _Child:
    """A sandboxed process that runs the player, and the two pipes to it. Nobody has spoken to it yet."""

    def __init__(self, unsafe: bool, course: bool = False) -> None:
        self.unsafe, self.folder = unsafe, None
        requests, self.requests = os.pipe()
        self.replies, replies = os.pipe()
        start = f"import player; player.main({requests}, {replies})"
        try:
            with _seccomp_file() as descriptor:
                if unsafe:
                    self.folder = tempfile.TemporaryDirectory(prefix="unrolled-")
                    paths = self._paths() + [str(HERE.parents[1])] * course
                    arguments, kept, where = python_command(start, paths), (), self.folder.name
                else:
                    arguments, kept, where = command(start, descriptor, course), (descriptor,), "/"
                self.process = subprocess.Popen(
                    arguments, pass_fds=(requests, replies, *kept), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL, cwd=where, env=ENVIRONMENT, start_new_session=True,
                )  # fmt: skip
        finally:
            os.close(requests)
            os.close(replies)
        os.set_blocking(self.requests, False)
        os.set_blocking(self.replies, False)

    def _paths(self) -> list[str]:
        """Without a sandbox: a folder with links to NumPy alone, and one with copies of our own files."""
        site, own = Path(self.folder.name) / "site", Path(self.folder.name) / "referee"
        for folder in (site, own):
            folder.mkdir()
        for folder in _numpy_folders():
            (site / folder.name).symlink_to(folder)
        for path in OWN_FILES:
            shutil.copy(path, own)
        return [str(site), str(own)]

    def close(self) -> None:
        """End the process and everything that it may have started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)  # its own session, made above
        self.process.wait()
        for descriptor in (self.requests, self.replies):
            with contextlib.suppress(OSError):
                os.close(descriptor)
        if self.folder is not None:
            self.folder.cleanup()


_ahead: list[_Child] | None = None  # a child that was started before it is needed; None: none is to be


@contextlib.contextmanager
def ahead() -> Iterator[None]:
    """Inside it, the child for the next notebook starts while the last one is judged and its grade is entered."""
    global _ahead
    _ahead = []
    try:
        yield
    finally:
        left, _ahead = _ahead, None
        for child in left:
            child.close()


def start_ahead(unsafe: bool) -> None:
    """Start the child that the next notebook will want, inside `ahead`."""
    if _ahead is not None and not _ahead:
        _ahead.append(_Child(unsafe))


def _child(unsafe: bool) -> _Child:
    """A fresh child: the one that was started ahead, when there is one and it is well."""
    while _ahead:
        child = _ahead.pop()
        if child.unsafe == unsafe and child.process.poll() is None:
            return child
        child.close()
    return _Child(unsafe)


class Player:
    """One sandboxed child. `ask(message, seconds)` sends a message and returns the answer, or raises Lost.

    right: in the place of a learner's code, the course's own functions for these tasks.
    """

    def __init__(self, limits: dict[str, int], unsafe: bool = False, right: list[str] | None = None) -> None:
        self.number = 0
        self._child = _child(unsafe) if right is None else _Child(unsafe, course=True)
        self._process = self._child.process
        self._requests, self._replies = self._child.requests, self._child.replies
        try:
            self.ask({"do": "start", "limits": limits, **({} if right is None else {"right": right})}, 60)
        except Lost as error:  # no line of a learner's has run yet: nobody's fault but ours
            self.close()
            raise SandboxError(f"The player did not start in the sandbox: {error}. {diagnose().what}") from error
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """End the player and everything that it may have started."""
        self._child.close()

    def ask(self, message: dict, seconds: float, answering: Callable[[dict], dict] | None = None) -> dict:
        """The answer to a message. Raises Lost after `seconds`, or when the player ended or sent what is no answer.

        answering(question): what to tell a player that asks back before it answers; without it none may.
        """
        self.number += 1
        deadline = time.monotonic() + seconds
        try:
            answer = self._exchange(message, deadline)
            while answering is not None and "ask" in answer:
                answer = self._exchange(answering(answer), deadline)
        except wire.WireError as error:
            raise Lost(f"it sent what is no answer ({error})") from error
        return answer

    def _exchange(self, message: dict, deadline: float) -> dict:
        """Send a message; what comes back, which belongs to the present question."""
        self._send(wire.frame(wire.encode({**message, "number": self.number})), deadline)
        header = self._receive(wire.HEADER.size, deadline)
        answer = wire.decode(self._receive(wire.payload_length(header), deadline))
        if not isinstance(answer, dict) or type(answer.get("number")) is not int or answer["number"] != self.number:
            raise Lost("it sent an answer to another question")
        return answer

    def _send(self, data: bytes, deadline: float) -> None:
        left = memoryview(data)
        while left:
            self._wait([], [self._requests], deadline)
            try:
                left = left[os.write(self._requests, left[: 1 << 16]) :]
            except BlockingIOError:
                continue
            except BrokenPipeError as error:
                raise Lost(self._ended()) from error

    def _receive(self, length: int, deadline: float) -> bytes:
        parts, left = [], length
        while left:
            self._wait([self._replies], [], deadline)
            try:
                data = os.read(self._replies, min(left, 1 << 20))
            except BlockingIOError:
                continue
            if not data:
                raise Lost(self._ended())
            parts.append(data)
            left -= len(data)
        return b"".join(parts)

    def _wait(self, reading: list[int], writing: list[int], deadline: float) -> None:
        seconds = deadline - time.monotonic()
        if seconds <= 0 or not any(select.select(reading, writing, [], seconds)):
            raise Lost("it did not answer in time and was stopped")

    def _ended(self) -> str:
        """How the player ended, in words."""
        try:
            status = self._process.wait(timeout=2)
        except subprocess.TimeoutExpired:
            return "it closed its connection to the referee"
        number = -status if status < 0 else status - 128 if status > 128 else 0  # bwrap hands a signal on as 128 + its number
        if number:
            with contextlib.suppress(ValueError):
                return f"it was ended by the signal {signal.Signals(number).name}"
        return f"it ended the whole program (exit status {status})"

    def __enter__(self) -> Player:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
