"""The program inside the sandbox: runs the cells of one notebook and calls its functions when the referee asks.

A lone file: it needs wire.py, stubs.py, failing.py, magics.py, NumPy and Python's own library. It holds no tests, no references and no answers. What it says is
never trusted: the referee checks the form of each answer, and judges values alone.
"""

from __future__ import annotations

import ast
import builtins
import collections
import contextlib
import gc
import io
import linecache
import os
import resource
import signal
import sys
import traceback
import types
import warnings
from collections.abc import Callable, Iterator
from typing import Any

# Until NumPy is loaded there is no garbage to look for. And it need not write the docstrings of its compiled functions, which takes
# a tenth of its import: a name in sys.modules is not imported again.
gc.disable()
for _name in ("numpy._core._add_newdocs", "numpy._core._add_newdocs_scalars"):
    sys.modules[_name] = types.ModuleType(_name)

import stubs  # noqa: E402
from failing import failing_part  # noqa: E402
from magics import without_magics  # noqa: E402
import wire  # noqa: E402, which imports NumPy

GLOBAL_STATE = "np.random"  # as unrolled.checks.observe calls it
PRINTED_LIMIT = 4000       # characters of a cell's or a call's output that are kept
ERROR_LIMIT = 600          # characters of an error's text
WARNING_LIMIT = 200        # characters of a warning's
PROBLEMS_LIMIT = 8         # failed statements that a cell reports
AGAIN = 0.25               # seconds after which code that swallowed the first alarm gets another


class TimeUp(BaseException):
    """The alarm of a cell or a call. No subclass of Exception, so that `except Exception` does not swallow it."""


# --- What a learner's code finds ---------------------------------------------------------------


class Missing:
    """Stands for a module, or a name from one, that can't be imported here. It fails when it is used."""

    def __init__(self, module: str) -> None:
        object.__setattr__(self, "_module", module)

    def _fail(self, *_: Any, **__: Any) -> Any:
        module = object.__getattribute__(self, "_module")
        raise ModuleNotFoundError(f"{module} is not there when grading: use NumPy and Python's own library only", name=module)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        self._fail()

    __call__ = __getitem__ = __setattr__ = __iter__ = __len__ = __enter__ = __add__ = __mul__ = __matmul__ = _fail


class Quiet:
    """Stands for IPython's shell: everything that is asked of it is done by doing nothing."""

    def __getattr__(self, name: str) -> Any:
        return lambda *_, **__: None


def _stand_in(printer: Callable) -> None:
    """An `unrolled` whose checks do nothing, and what a notebook finds without importing it."""
    package, checks = types.ModuleType("unrolled"), types.ModuleType("unrolled.checks")
    package.__path__ = []
    package.checks = checks
    package.check = checks.check = package.hint = checks.hint = lambda *_, **__: None
    checks.case = checks.check.case = lambda *_, **__: {}
    checks.check.hint = checks.hint
    sys.modules.update({"unrolled": package, "unrolled.checks": checks})
    builtins.get_ipython = Quiet
    builtins.display = printer
    builtins.help = lambda *_: None
    builtins.input = lambda prompt="": (_ for _ in ()).throw(EOFError("nobody types when grading"))


class Capped(io.TextIOBase):
    """A stream that keeps the first characters and forgets the rest."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.parts: list[str] = []

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        text = str(text)
        if self.limit > 0:
            self.parts.append(text[: self.limit])
            self.limit -= len(self.parts[-1])
        return len(text)

    def value(self) -> str:
        return "".join(self.parts)


# --- Cells -------------------------------------------------------------------------------------


class Notebook:
    """The state of a notebook: its names, and the text of its cells for error messages."""

    def __init__(self) -> None:
        module = types.ModuleType("__main__")
        module.__builtins__ = builtins
        sys.modules["__main__"] = module
        self.names = module.__dict__
        self.flags = 0  # of `from __future__ import ...`, which hold for the cells that follow

    def run(self, number: int, text: str, seconds: float, without: str = "") -> dict:
        """Run a cell statement by statement: a line that fails costs only what depends on it.

        without: a text whose statements are left out where the cell has them, too, because they were run already.
        """
        name = f"<cell {number}>"
        text = without_magics(text)
        linecache.cache[name] = (len(text), None, text.splitlines(True), name)
        problems: list[str] = []
        timed_out = False
        with _Captured(PRINTED_LIMIT) as output:
            try:
                statements = _beyond(ast.parse(text, name).body, without)
            except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
                problems.append(_clip(f"{type(error).__name__}: {error}"))
                statements = []
            try:
                with _Alarm(seconds):
                    self._run_all(_apart(statements), name, problems)
            except TimeUp:
                timed_out = True
        if len(problems) > PROBLEMS_LIMIT:
            problems[PROBLEMS_LIMIT:] = [f"and {len(problems) - PROBLEMS_LIMIT} more statements that failed"]
        if timed_out:
            problems.append(f"stopped after {seconds:.3g} s: a cell may take no longer when grading")
        return {"printed": output.text(), "problems": problems, "timed_out": timed_out}

    def _run_all(self, statements: list[ast.stmt], name: str, problems: list[str]) -> None:
        for place, statement in enumerate(statements):
            try:
                if isinstance(statement, ast.Expr) and place == len(statements) - 1:
                    self._show(eval(self._compiled(ast.Expression(statement.value), name, "eval"), self.names))
                else:
                    exec(self._compiled(ast.Module([statement], []), name, "exec"), self.names)
            except TimeUp:
                raise
            except ImportError as error:
                problems.append(error_text(error, name))
                self._stand_in_for(statement)
            except BaseException as error:
                problems.append(error_text(error, name))

    def _compiled(self, tree: ast.AST, name: str, mode: str) -> types.CodeType:
        import __future__

        code = compile(tree, name, mode, self.flags, True)
        for feature in __future__.all_feature_names:
            self.flags |= code.co_flags & getattr(__future__, feature).compiler_flag
        return code

    def _show(self, value: Any) -> None:
        if value is not None:
            print(repr(value)[:PRINTED_LIMIT])

    def _stand_in_for(self, statement: ast.stmt) -> None:
        """Bind what an import that failed would have bound."""
        if isinstance(statement, ast.Import):
            for alias in statement.names:
                self.names[alias.asname or alias.name.split(".")[0]] = Missing(alias.name)
        elif isinstance(statement, ast.ImportFrom):
            for alias in statement.names:
                if alias.name != "*":
                    self.names[alias.asname or alias.name] = Missing(f"{statement.module}.{alias.name}")


def _apart(statements: list[ast.stmt]) -> list[ast.stmt]:
    """`import a, b` as two statements, so that one that is missing does not cost the other."""
    found: list[ast.stmt] = []
    for statement in statements:
        if isinstance(statement, ast.Import) and len(statement.names) > 1:
            found += [ast.copy_location(ast.Import([alias]), statement) for alias in statement.names]
        else:
            found.append(statement)
    return found


def _beyond(statements: list[ast.stmt], text: str) -> list[ast.stmt]:
    """The statements but for those that `text` has, too: each of its own is left out once, however it is laid out."""
    if not text:
        return statements
    known = collections.Counter(map(ast.dump, ast.parse(without_magics(text)).body))
    found = []
    for statement in statements:
        said = ast.dump(statement)
        if known[said]:
            known[said] -= 1
        else:
            found.append(statement)
    return found


class _Captured:
    """Keeps what code prints, warns and writes to stderr."""

    def __init__(self, limit: int) -> None:
        self.stream = Capped(limit)

    def __enter__(self) -> _Captured:
        self.before = sys.stdout, sys.stderr
        sys.stdout = sys.stderr = self.stream
        self.catching = warnings.catch_warnings(record=True)
        self.caught = self.catching.__enter__()
        warnings.simplefilter("default")
        return self

    def __exit__(self, *_: object) -> None:
        self.catching.__exit__(None, None, None)
        sys.stdout, sys.stderr = self.before

    def warned(self) -> list[str]:
        """The different warnings, the first few."""
        return list(dict.fromkeys(f"{w.category.__name__}: {w.message}"[:WARNING_LIMIT] for w in self.caught[:20]))

    def text(self) -> str:
        """What was printed, and the warnings after it."""
        for warning in self.warned():
            self.stream.write(f"{warning}\n")
        return self.stream.value()


class _Alarm:
    """Raises TimeUp in the code inside it after some seconds of the clock, and again and again until it ends."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def __enter__(self) -> None:
        signal.signal(signal.SIGALRM, self._ring)
        signal.setitimer(signal.ITIMER_REAL, max(self.seconds, 0.001), AGAIN)

    def __exit__(self, *_: object) -> None:
        while True:
            try:
                signal.setitimer(signal.ITIMER_REAL, 0)
                return
            except TimeUp:  # it rang on the way out
                continue

    @staticmethod
    def _ring(*_: object) -> None:
        raise TimeUp


# --- Errors, in the words of unrolled.checks.observe -----------------------------------------------


def _clip(text: str) -> str:
    return text if len(text) <= ERROR_LIMIT else f"{text[:ERROR_LIMIT].rstrip()} ... (cut: {len(text):,} characters)"


def error_text(error: BaseException, own: str | None) -> str:
    """The error and the deepest line of the file or cell `own`."""
    try:
        text = _clip(f"{type(error).__name__}: {error}".strip().removesuffix(":"))
    except BaseException:
        text = type(error).__name__
    frames = [frame for frame in traceback.extract_tb(error.__traceback__, limit=-200) if frame.filename == own]
    if not frames:
        return text
    source = f": {frames[-1].line}" if frames[-1].line else ""
    return f"{text}\n(line {frames[-1].lineno} of the cell{source})"


def _called_error(error: BaseException, function: Any) -> str:
    if type(error) is NotImplementedError:
        cells = [entry for name, entry in linecache.cache.items() if name.startswith("<cell ")]
        return stubs.unwritten(error, ["".join(entry[2]) for entry in reversed(cells)])
    return error_text(error, getattr(getattr(function, "__code__", None), "co_filename", None))


# --- Calls -------------------------------------------------------------------------------------


def call(function: Any, arguments: dict[str, Any], seconds: float) -> dict:
    """Call a function with copies of the arguments: what unrolled.checks.observe.Observation holds."""
    before = {name: wire.encode(argument) for name, argument in arguments.items()}
    given = {name: wire.decode(payload) for name, payload in before.items()}
    value = error = error_type = failing = None
    drawn_before = global_draws() if "seed" in arguments else None
    with _Captured(PRINTED_LIMIT) as output:
        try:
            with _Alarm(seconds):
                value = function(*given.values())
        except TimeUp:
            error_type, error = "TimeUp", f"no result: a call may take {seconds:.3g} s when grading"
        except BaseException as raised:
            error_type, error = type(raised).__name__, _called_error(raised, function)
            failing = _failing(raised, function)
    changed = [name for name, payload in before.items() if not still(given[name], payload)]
    if drawn_before is not None and global_draws() != drawn_before:
        changed.append(GLOBAL_STATE)
    return {
        "value": value, "error": error and error[: 2 * ERROR_LIMIT], "error_type": error_type, "changed": changed,
        "printed": output.stream.value(), "warned": output.warned(), "failing": failing,
    }  # fmt: skip


def global_draws() -> str:
    """NumPy's global random state, to compare: it changes when somebody seeds it or draws from it."""
    import numpy

    _, state, *rest = numpy.random.get_state()
    return repr((state.tobytes(), rest))


def _failing(error: BaseException, function: Any) -> dict[str, Any] | None:
    """The part of an expression that failed; its operands are evaluated once more, in a second at most."""
    try:
        with _Alarm(1.0):
            return failing_part(error, function)
    except BaseException:
        return None


def still(argument: Any, payload: bytes) -> bool:
    """Whether an argument is what it was."""
    try:
        return wire.encode(argument) == payload
    except wire.WireError:
        return False


@contextlib.contextmanager
def given_right(names: dict[str, Any], right: dict[str, list[str]], connection: Connection, number: int) -> Iterator[None]:
    """While a function is called: in the place of these functions, questions to the referee, which has right versions of them.

    right: the names of the arguments of each.
    """
    before = {name: names[name] for name in right if name in names}
    names.update({name: _right_version(name, arguments, connection, number) for name, arguments in right.items()})
    try:
        yield
    finally:
        for name in right:
            names.pop(name, None)
        names.update(before)


def _right_version(name: str, arguments: list[str], connection: Connection, number: int) -> Callable:
    def right(*given: Any, **named: Any) -> Any:
        values = [*given, *(named[each] for each in arguments[len(given) :] if each in named)]
        if len(values) != len(arguments) or not named.keys() <= set(arguments[len(given) :]):
            raise TypeError(f"expected the call {name}({', '.join(arguments)})")
        connection.send({"number": number, "ask": name, "arguments": values})
        answer = connection.receive()
        if answer["error"]:
            raise ValueError(answer["error"])
        return answer["value"]

    return right


def right_versions(names: list[str]) -> dict[str, Callable]:
    """For the player that answers such questions, in which no line of a learner's runs: the course's own functions."""
    from unrolled.checks import find

    return {name: find(name).solution for name in names}


# --- The conversation --------------------------------------------------------------------------


class Connection:
    """The two pipes to the referee."""

    def __init__(self, requests: int, replies: int) -> None:
        self.requests, self.replies = requests, replies

    def receive(self) -> dict:
        """The next request. The referee closing the pipe ends the program."""
        header = self._read(wire.HEADER.size)
        return wire.decode(self._read(wire.payload_length(header)))

    def _read(self, length: int) -> bytes:
        parts = []
        while length:
            data = os.read(self.requests, min(length, 1 << 20))
            if not data:
                os._exit(0)
            parts.append(data)
            length -= len(data)
        return b"".join(parts)

    def send(self, answer: dict) -> None:
        """Send an answer; one whose value can't cross says why."""
        try:
            payload = wire.encode(answer)
        except wire.WireError as error:
            payload = wire.encode({**answer, "value": None, "error": str(error), "error_type": "TooLarge"})
        except BaseException as error:  # an object of the learner's that fails when it is looked at
            text = f"a result that can't be read ({type(error).__name__})"
            payload = wire.encode({**answer, "value": None, "error": text, "error_type": "Unreadable"})
        left = memoryview(wire.frame(payload))
        while left:
            left = left[os.write(self.replies, left) :]


def set_limits(limits: dict[str, int]) -> None:
    """Resource limits that learners' code can't raise again: it has no capabilities."""
    for name, amount in limits.items():
        if (number := getattr(resource, name, None)) is None:
            continue  # another system than Linux, where there is no sandbox either
        _, hard = resource.getrlimit(number)
        amount = amount if hard == resource.RLIM_INFINITY else min(amount, hard)
        resource.setrlimit(number, (amount, amount))


def main(requests: int, replies: int) -> None:
    """Answer the referee until it goes away."""
    connection = Connection(requests, replies)
    request = connection.receive()
    import numpy  # noqa: F401, before the limits, and before the first cell's time runs

    gc.enable()
    set_limits(request["limits"])
    if "/referee" in sys.path:
        sys.path.remove("/referee")
    notebook = Notebook()
    if "right" in request:
        notebook.names.update(right_versions(request["right"]))
    else:
        _stand_in(lambda *things, **_: print(*(repr(thing)[:PRINTED_LIMIT] for thing in things)))
    connection.send({"number": request["number"]})
    while True:
        request = connection.receive()
        if request["do"] == "cell":
            answer = notebook.run(request["cell"], request["text"], request["seconds"], request.get("without", ""))
        elif request["do"] == "find":
            function = notebook.names.get(request["name"])
            answer = {"found": request["name"] in notebook.names, "callable": callable(function), "value": function}
        else:
            with given_right(notebook.names, request.get("right", {}), connection, request["number"]):
                answer = call(notebook.names.get(request["name"]), request["arguments"], request["seconds"])
        connection.send({**answer, "number": request["number"]})
