"""The checks of a packed module, in a process of their own: code that hangs, crashes or ends Python costs its own tasks alone."""

from __future__ import annotations

import importlib
import json
import os
import queue
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..language import gettext

IMPORT_SECONDS = 60.0  # for NumPy, the checks and the module itself
TASK_SECONDS = 300.0   # for all calls of one task


@dataclass
class Verdict:
    """What the checks say of a module. trouble: why it could not be imported, or why the rest was not reached; empty when all was.

    records: by the task's name, as `checks.Record.as_dict` gives them.
    """

    trouble: str = ""
    records: dict[str, dict[str, Any]] = field(default_factory=dict)

    def passed(self) -> list[str]:
        """The tasks that passed."""
        return [name for name, record in self.records.items() if record["passed"]]


def judge(folder: Path, module: str, tasks: Iterable[str], tell: Callable[[str], None] = lambda task: None) -> Verdict:
    """Import `module` from `folder` in another process, and check its functions. tell: is called with each task's name before its check."""
    tasks = list(tasks)
    verdict = Verdict()
    process = subprocess.Popen(
        [sys.executable, "-m", "unrolled.yours.judge", str(folder), module, *tasks],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=folder,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "UNROLLED_PROGRESS": "off"},
    )  # fmt: skip
    lines: queue.Queue[bytes] = queue.Queue()
    reader = threading.Thread(target=_read, args=(process, lines), daemon=True)
    reader.start()
    try:
        said = _next(lines, IMPORT_SECONDS)
        if said is None or said.get("import") != "":
            verdict.trouble = (said or {}).get("import") or gettext("importing it ended Python, or took longer than {seconds} s").format(seconds=f"{IMPORT_SECONDS:g}")
            return verdict
        for task in tasks:
            tell(task)
            said = _next(lines, TASK_SECONDS)
            if said is None:
                text = gettext("the check of {task} ended Python, or took longer than {seconds} s")
                verdict.trouble = text.format(task=task, seconds=f"{TASK_SECONDS:g}")
                return verdict
            verdict.records[task] = said["record"]
        return verdict
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def _read(process: subprocess.Popen, lines: queue.Queue) -> None:
    try:
        for line in process.stdout:
            lines.put(line)
    except ValueError:  # it was closed
        pass
    lines.put(b"")


def _next(lines: queue.Queue, seconds: float) -> dict[str, Any] | None:
    """The next line as JSON; None when the process ended or is silent for too long."""
    try:
        return json.loads(lines.get(timeout=seconds) or b"null")
    except (queue.Empty, ValueError):
        return None


# --- In the other process ----------------------------------------------------------------------


def _main(folder: str, module: str, *tasks: str) -> None:
    # What the learner's code prints must not come between the lines of ours.
    ours = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)

    def say(**said: Any) -> None:
        ours.write(json.dumps(said) + "\n")
        ours.flush()

    from ..checks import find
    from ..checks.observe import Clock, in_process
    from ..checks.run import not_a_function, run

    sys.path.insert(0, folder)
    try:
        space = importlib.import_module(module)
    except BaseException as error:
        say(**{"import": _trouble(error)})
        return
    say(**{"import": ""})
    for name in tasks:
        task, function = find(name), getattr(space, name, None)
        record = run(task, in_process(function, Clock())) if callable(function) else not_a_function(task, function)
        say(record=record.as_dict())


def _trouble(error: BaseException) -> str:
    """An error at import, and the line of the learner's code at which it came."""
    line = next((frame.line for frame in reversed(traceback.extract_tb(error.__traceback__)) if "importlib" not in frame.filename), "")
    text = f"{type(error).__name__}: {error}".strip().removesuffix(":")
    return f"{text} (at `{line}`)" if line else text


if __name__ == "__main__":
    _main(*sys.argv[1:])
