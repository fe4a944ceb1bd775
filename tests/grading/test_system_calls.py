"""In the sandbox there are the system calls of a list, and no others; what a notebook needs is among them."""

from __future__ import annotations

import json
import platform
import re
from pathlib import Path

import pytest

from unrolled.grading import referee, sandbox, system_calls

HEADERS = {
    "x86_64": [Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"), Path("/usr/include/asm/unistd_64.h")],
    "aarch64": [Path("/usr/include/asm-generic/unistd.h")],
}
EVERY = [*system_calls.ALLOWED, *system_calls.REFUSED, *system_calls.BY_ARGUMENT]


def answer(machine: str, number: int, argument: int = 0, architecture: int | None = None) -> int:
    """What the filter for a machine answers to a call: its program, run as the kernel would."""
    data = {system_calls.NUMBER: number, system_calls.ARCHITECTURE: architecture or system_calls.MACHINES[machine][1],
            system_calls.SECOND_ARGUMENT: argument}  # fmt: skip
    program, at, loaded = system_calls.program(machine), 0, 0
    while True:
        code, when, otherwise, operand = program[at]
        at += 1
        if code == system_calls.LOAD:
            loaded = data[operand]
        elif code == system_calls.EQUAL:
            at += when if loaded == operand else otherwise
        else:
            return operand


REFUSE, UNKNOWN = system_calls.ERRNO | system_calls.EPERM, system_calls.ERRNO | system_calls.ENOSYS


@pytest.mark.parametrize("machine", system_calls.MACHINES)
def test_each_call_of_the_lists_is_answered_as_its_list_says(machine):
    column = system_calls.MACHINES[machine][0]
    expected = {call[column]: wanted for calls, wanted in ((system_calls.ALLOWED, system_calls.ALLOW), (system_calls.REFUSED, REFUSE))
                for call in calls if call[column] is not None}  # fmt: skip
    faces = {call[column] for call in system_calls.BY_ARGUMENT}
    assert {n: answer(machine, n) for n in expected} == expected
    assert {answer(machine, n) for n in range(1000) if n not in expected and n not in faces} == {UNKNOWN}


@pytest.mark.parametrize("machine", system_calls.MACHINES)
def test_a_call_of_many_faces_is_allowed_by_its_second_argument(machine):
    for call in system_calls.BY_ARGUMENT:
        number = call[system_calls.MACHINES[machine][0]]
        assert {answer(machine, number, value) for value in call[3]} == {system_calls.ALLOW}
        assert {answer(machine, number, value) for value in (5, 6, 7, 1024, 1026, 1031, 0x5412, 0x4B3A, 0xFFFFFFFF)} == {REFUSE}


@pytest.mark.parametrize("machine", system_calls.MACHINES)
def test_calls_of_another_instruction_set_are_unknown_and_end_nothing(machine):
    assert {answer(machine, number, architecture=0x40000003) for number in range(500)} == {UNKNOWN}  # 32-bit x86
    assert {answer(machine, 0x40000000 + number) for number in range(500)} == {UNKNOWN}  # x32


@pytest.mark.parametrize("machine", system_calls.MACHINES)
def test_numbers_are_those_of_the_kernels_own_table(machine):
    header = next((path for path in HEADERS[machine] if path.exists()), None)
    if header is None:
        pytest.skip("optional: the kernel's headers (linux-libc-dev) are not installed")
    found = re.findall(r"#define __NR(3264)?_(\w+)\s+(\d+)", header.read_text())
    table = {name: int(number) for _, name, number in reversed(found)}
    table.setdefault("newfstatat", table.get("fstatat"))
    column = system_calls.MACHINES[machine][0]
    assert {call[0]: call[column] for call in EVERY if call[column] is not None} == {
        call[0]: table[call[0]] for call in EVERY if call[column] is not None
    }


def test_no_list_holds_a_call_twice():
    assert len({call[0] for call in EVERY}) == len(EVERY)


EVERY_OTHER_CALL = """
import ctypes, json
libc = ctypes.CDLL(None, use_errno=True)
odd = {{}}
for number in range(600):
    if number not in {allowed} and number not in (335, 336):  # uprobes, which no filter sees: they end a program that has none
        ctypes.set_errno(0)
        result = libc.syscall(number, -1, -1, -1, -1, -1, -1)
        if result != -1 or ctypes.get_errno() not in (1, 38):
            odd[number] = [result, ctypes.get_errno()]
print(json.dumps(odd))
"""


def test_every_call_that_is_not_in_the_list_fails_in_the_sandbox(bwrap):
    column = system_calls.MACHINES[platform.machine()][0]
    allowed = {call[column] for call in system_calls.ALLOWED}
    done = sandbox.run_inside(EVERY_OTHER_CALL.format(allowed=allowed))
    assert done.returncode == 0 and json.loads(done.stdout) == {}, done.stderr


@pytest.mark.parametrize("program, errno", [
    ("import fcntl; fcntl.fcntl(open('/dev/null'), fcntl.F_SETLEASE, fcntl.F_RDLCK)", 1),
    ("import fcntl, os; fcntl.lockf(open('/dev/null', 'w'), fcntl.LOCK_EX)", 1),
    ("import fcntl, os; fcntl.flock(open(os.__file__), fcntl.LOCK_SH)", 1),
    ("import fcntl, os; fcntl.fcntl(os.open('/', os.O_RDONLY), fcntl.F_NOTIFY, fcntl.DN_ACCESS)", 1),
    ("import fcntl, os; fcntl.fcntl(os.pipe()[1], fcntl.F_SETPIPE_SZ, 2**20)", 1),
    ("import os; os.sync()", 0),  # answers nothing, and does nothing
    ("import os; os.mkdir('/x')", 1),
    ("import os; os.sched_setaffinity(0, {0})", 1),
])  # fmt: skip
def test_what_reaches_beyond_the_process_is_refused(bwrap, program, errno):
    done = sandbox.run_inside(f"\ntry:\n    {program}\n    print(0)\nexcept OSError as error:\n    print(error.errno)")
    assert done.stdout.strip() == str(errno), done.stderr


def test_signals_that_wait_are_bounded(bwrap):
    """Each takes memory of the kernel's, from a share that a user's programs have in common."""
    cell = (
        "import os, signal\nsignal.pthread_sigmask(signal.SIG_BLOCK, [40])\nfor _ in range(5000):\n    os.kill(os.getpid(), 40)\n"
        "waiting = 0\nwhile signal.sigtimedwait([40], 0):\n    waiting += 1\nprint(waiting)"
    )
    with sandbox.Player(referee.Limits().for_player()) as player:
        answer = player.ask({"do": "cell", "cell": 0, "text": cell, "seconds": 5}, 10)
    assert int(answer["printed"]) < 100
