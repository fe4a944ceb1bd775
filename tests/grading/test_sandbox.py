"""The sandbox holds what it promises; where it can't be had, that is said with the way out."""

from __future__ import annotations

import os
import platform
import sys
from pathlib import Path

import pytest

from unrolled.grading import sandbox

LIMITS = {"RLIMIT_AS": 2**30, "RLIMIT_FSIZE": 0, "RLIMIT_NOFILE": 64}


def inside(bwrap_fixture: None, program: str) -> str:
    """What a line of Python prints in the sandbox."""
    done = sandbox.run_inside(program)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def outcome(program: str) -> str:
    """A program that prints the error of `program`, or `done`."""
    return f"\ntry:\n    {program}\nexcept BaseException as error:\n    print(type(error).__name__)\nelse:\n    print('done')"


@pytest.mark.parametrize("program, expected", [
    ("import os; os.fork()", "PermissionError"),
    ("import subprocess; subprocess.run(['/bin/sh'])", "PermissionError"),
    ("import threading; threading.Thread(target=print).start()", "RuntimeError"),
    ("import socket; socket.socket()", "PermissionError"),
    ("import os; os.memfd_create('x')", "PermissionError"),
    ("open('/x', 'w')", "OSError"),
    ("open('/dev/shm/x', 'w')", "OSError"),
    ("open('/dev/x', 'w')", "OSError"),
    ("open('/referee/player.py', 'a')", "OSError"),
    ("import tempfile; tempfile.mkdtemp()", "FileNotFoundError"),
    ("import torch", "ModuleNotFoundError"),
    ("import scipy", "ModuleNotFoundError"),
    ("import unrolled", "ModuleNotFoundError"),
    ("import pip", "ModuleNotFoundError"),
    ("import os; os.kill(1, 9); os.stat('/')", "done"),  # nothing happens to the first process
    ("import os; os.listdir('/proc')", "FileNotFoundError"),
    ("import os; os.listdir('/work')", "FileNotFoundError"),
    ("import os; os.setuid(0)", "OSError"),
    ("import os; os.mknod('/x', 0o60600, 2049)", "OSError"),
    ("open('/dev/null', 'w').write('x')", "done"),
    ("import numpy as np; assert (np.ones((9, 9)) @ np.ones((9, 9))).sum() == 729", "done"),
])  # fmt: skip
def test_inside_the_sandbox(bwrap, program, expected):
    found = inside(bwrap, outcome(program))
    assert found == expected or (expected == "OSError" and found == "PermissionError")


def test_home_and_environment_are_empty(bwrap, monkeypatch):
    monkeypatch.setenv("UNROLLED_SECRET", "hidden")
    program = "import os; print(sorted(os.environ)); print(os.path.expanduser('~')); print(os.path.isdir(os.path.expanduser('~')))"
    found = inside(bwrap, program)
    assert "SECRET" not in found and found.splitlines()[1:] == ["/nowhere", "False"]


def test_a_package_planted_in_the_base_python_is_not_found(bwrap, tmp_path):
    import sysconfig

    folder = Path(sysconfig.get_path("stdlib", vars={"installed_base": sys.base_prefix, "base": sys.base_prefix})) / "site-packages"
    if not os.access(folder, os.W_OK):
        pytest.skip("optional: the base Python's site-packages can't be written here")
    planted = folder / f"unrolled_planted_{os.getpid()}.py"
    planted.write_text("VALUE = 1\n")
    try:
        assert inside(bwrap, outcome(f"import {planted.stem}")) == "ModuleNotFoundError"
        assert inside(bwrap, outcome(f"import sys; sys.path.append({str(folder)!r}); import {planted.stem}")) == "ModuleNotFoundError"
    finally:
        planted.unlink()


def test_player_answers_and_ends(bwrap):
    with sandbox.Player(LIMITS) as player:
        assert player.ask({"do": "cell", "cell": 0, "text": "def f(x):\n    return x + 1", "seconds": 5}, 10)["problems"] == []
        answer = player.ask({"do": "call", "name": "f", "arguments": {"x": 41}, "seconds": 5}, 10)
        process = player._process
    assert answer["value"] == 42 and process.poll() is not None


@pytest.mark.parametrize("text, says", [
    ("import os; os._exit(3)", "ended the whole program"),
    ("import ctypes; ctypes.string_at(0)", "SIGSEGV"),
    ("import os\nfor n in range(3, 64):\n    try: os.close(n)\n    except OSError: pass", "ended|closed"),
    ("import os\nfor n in range(3, 64):\n    try: os.write(n, b'x' * 100)\n    except OSError: pass", "no answer"),
    ("import signal; signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 64))\nwhile True: pass", "in time"),
])  # fmt: skip
def test_player_that_does_not_answer_is_lost_and_leaves_no_process(bwrap, text, says):
    player = sandbox.Player(LIMITS)
    try:
        with pytest.raises(sandbox.Lost, match=says):
            player.ask({"do": "cell", "cell": 0, "text": text, "seconds": 0.5}, 1.5)
    finally:
        player.close()
    assert player._process.poll() is not None


def test_memory_is_bounded(bwrap):
    with sandbox.Player(LIMITS) as player:
        answer = player.ask({"do": "cell", "cell": 0, "text": "kept = bytearray(2**31)", "seconds": 5}, 10)
    assert "MemoryError" in answer["problems"][0]


def test_missing_bwrap_is_refused_with_the_way_to_install_it(monkeypatch):
    monkeypatch.setattr(sandbox.shutil, "which", lambda *_, **__: None)
    found = sandbox.diagnose()
    assert not found.works and "apt-get install bubblewrap" in found.mend
    with pytest.raises(sandbox.SandboxError, match="not installed"):
        sandbox.bwrap_path()


def test_forbidden_namespaces_are_diagnosed(monkeypatch, tmp_path):
    fake = tmp_path / "bwrap"
    fake.write_text("#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1\n")
    fake.chmod(0o755)
    monkeypatch.setattr(sandbox.shutil, "which", lambda *_, **__: str(fake))
    found = sandbox.diagnose()
    assert not found.works and "No permissions" in found.what and "user namespaces" in found.mend


def test_without_a_sandbox_the_player_has_limits_and_no_packages_but_numpy():
    with sandbox.Player(LIMITS, unsafe=True) as player:
        answer = player.ask({"do": "cell", "cell": 0, "text": "import numpy\nimport torch\nwith open('x', 'w') as file: file.write('y')", "seconds": 5}, 10)
    assert [problem.split(":")[0] for problem in answer["problems"]] == ["ModuleNotFoundError", "OSError"]


def test_filter_knows_two_machines_and_refuses_others():
    assert len(sandbox.seccomp_filter("x86_64")) % 8 == 0 and len(sandbox.seccomp_filter("aarch64")) % 8 == 0
    with pytest.raises(sandbox.SandboxError, match="riscv64"):
        sandbox.seccomp_filter("riscv64")
    assert platform.system() != "Linux" or sandbox.seccomp_filter("x86_64") != sandbox.seccomp_filter("aarch64")


def test_player_that_can_not_start_is_the_courses_fault(monkeypatch):
    monkeypatch.setattr(sandbox, "python_command", lambda *_: ["/bin/false"])
    with pytest.raises(sandbox.SandboxError, match="did not start"):
        sandbox.Player(LIMITS, unsafe=True)


def test_order_of_a_set_is_the_same_in_every_run(bwrap):
    program = "print(list({'a', 'b', 'c', 'd', 'e', 'f'}))"
    assert len({inside(bwrap, program) for _ in range(4)}) == 1
