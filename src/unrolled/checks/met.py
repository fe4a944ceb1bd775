"""The known mistakes that a learner's own checks named, kept for the review: one line of JSON each, in the learner's state folder.

In the browser there is no such folder: the page of the workshop is told, and keeps it with the learner's answers. Only what happens in a
notebook of the learner's own is kept. Where it can't be kept nothing is said: a check must not fail for it.
"""

from __future__ import annotations

import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from .record import Record

NAME = "mistakes.jsonl"
CHANNEL = "unrolled-mistakes"  # on which the page listens: unrolled-workshop.js
LONGEST = 10_000  # lines that are read


def file() -> Path | None:
    """Where they are kept: in the folder ``UNROLLED_STATE``, else in the user's state folder; None where there is none."""
    folder = os.environ.get("UNROLLED_STATE")
    if not folder:
        try:
            import platformdirs
        except ImportError:  # in the browser
            return None
        folder = platformdirs.user_state_dir("unrolled")
    return Path(folder) / NAME


def remember(record: Record) -> None:
    """Keep the mistake that a check named, if it named exactly one."""
    if len(record.mistakes) != 1 or os.environ.get("NBGRADER_EXECUTION"):
        return
    if sys.platform == "emscripten":
        _tell_the_page(record)
        return
    line = json.dumps({"at": datetime.now(UTC).isoformat(timespec="seconds"), "task": record.task, "mistake": record.mistakes[0]})
    try:
        path = file()
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("a", encoding="utf-8") as stream:
                stream.write(line + "\n")
    except OSError:
        pass


def _tell_the_page(record: Record) -> None:
    """Python of a page runs in a worker, which can't reach what the browser keeps of answers: the page can."""
    try:
        from js import BroadcastChannel  # of Pyodide
    except ImportError:
        return
    channel = BroadcastChannel.new(CHANNEL)
    channel.postMessage(json.dumps({"task": record.task, "mistake": record.mistakes[0]}))
    channel.close()


def forget() -> None:
    """Delete what was kept. Raises OSError."""
    path = file()
    if path is not None:
        path.unlink(missing_ok=True)


def met() -> list[tuple[str, str]]:
    """The mistakes that were kept, (task, name), each once, the first one first. Lines that can't be understood are passed over."""
    path, found = file(), {}
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()[-LONGEST:] if path else []
    except OSError:
        return []
    for line in lines:
        try:
            entry = json.loads(line)
            found[str(entry["task"]), str(entry["mistake"])] = None
        except (ValueError, TypeError, KeyError):
            continue
    return list(found)
