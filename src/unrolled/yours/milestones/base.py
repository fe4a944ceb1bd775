"""What a milestone is, and how one is run: on whose functions, with what progress, and what comes of it."""

from __future__ import annotations

import importlib
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ...checks import TASKS
from ...language import gettext
from ..package import NAME, RECORD

SECONDS = 110.0  # after which training stops where it is, so that all is done within two minutes

Functions = dict[str, Callable]


class MilestoneError(ValueError):
    """A milestone can't be run; the message is one sentence that says why and what to do."""


class Pace:
    """The time that a run has, and the line that tells how far it is."""

    def __init__(self, seconds: float, tell: Callable[[str], None]) -> None:
        self.began, self.seconds, self._tell = time.monotonic(), seconds, tell
        self.cut = ""  # what was cut short, as a sentence

    def steps(self, count: int, what: str, until: float = 1.0) -> Iterator[int]:
        """The numbers 0 to count - 1, until that share of the time is used up."""
        for step in range(count):
            used = time.monotonic() - self.began
            if used > self.seconds * until:
                self.cut = gettext("Your functions need longer than the course's: “{what}” stopped after {step:,} of {count:,} updates.").format(what=what, step=step, count=count)
                return
            if step % max(1, count // 100) == 0:
                self._tell(gettext("{what}: {step:,} of {count:,}, {used:.0f} s").format(what=what, step=step, count=count, used=used))
            yield step


@dataclass(frozen=True)
class Result:
    """What a run found. said: sentences with numbers. differs: where that differs from the paper. figures: the numbers, by name.

    draw: draws the one picture on a matplotlib figure. alt: what is to be seen in it, in words.
    """

    said: list[str]
    differs: str
    figures: dict[str, Any]
    draw: Callable[[Any], None]
    alt: str


@dataclass(frozen=True)
class Milestone:
    """A piece of history. functions: the learner's that it runs on. found: what the paper found, in a sentence or two.

    work(functions, size, pace): runs it; size is 1 for the whole, and smaller for a trial of the same with fewer updates.
    """

    name: str
    title: str
    paper: str
    functions: tuple[str, ...]
    found: str
    work: Callable[[Functions, float, Pace], Result]


@dataclass
class Run:
    """A milestone that was run. own: functions of the learner's; course: those of the course's that stood in for missing ones."""

    milestone: Milestone
    result: Result
    own: list[str] = field(default_factory=list)
    course: list[str] = field(default_factory=list)
    seconds: float = 0.0
    cut: str = ""

    def picture(self, file: Path) -> None:
        """Write the picture, whole or not at all. Its ending says in which form. Raises MilestoneError without matplotlib, OSError."""
        try:
            from matplotlib import rc_context
            from matplotlib.figure import Figure
        except ImportError:
            raise MilestoneError(gettext("A picture needs matplotlib: `python -m pip install matplotlib` brings it.")) from None
        handle, beside = tempfile.mkstemp(dir=file.parent, prefix=f".{file.stem}-", suffix=file.suffix)
        os.close(handle)
        described = {"Description": self.result.alt} if file.suffix in (".png", ".svg") else {}
        try:
            # Text stays text, and the same run gives the same file.
            with rc_context({"svg.fonttype": "none", "svg.hashsalt": self.milestone.name}):
                figure = Figure(figsize=(7.5, 3.8), layout="constrained")
                figure.get_layout_engine().set(h_pad=0.12)  # inches: room for a power of ten at the upper end of an axis
                self.result.draw(figure)
                figure.savefig(beside, metadata=described | ({"Date": None} if file.suffix == ".svg" else {}), dpi=110)
            os.chmod(beside, 0o644)
            os.replace(beside, file)
        except BaseException:
            os.unlink(beside)
            raise


def own_functions(folder: Path) -> Functions:
    """The functions of a learner's package `mine` in `folder`; none where there is no package. Raises MilestoneError for a broken one."""
    package = folder / NAME
    if not (package / RECORD).is_file():
        return {}
    for name in [name for name in sys.modules if name == NAME or name.startswith(f"{NAME}.")]:
        del sys.modules[name]  # one of another folder, or an older one
    sys.path.insert(0, str(folder))
    try:
        importlib.invalidate_caches()
        module = importlib.import_module(NAME)
        return {name: getattr(module, name) for name in module.__all__ if name in TASKS}
    except Exception as error:
        raise MilestoneError(gettext(
            "{package} can't be imported ({kind}: {error}): run `unrolled package` to make it anew."
        ).format(package=package, kind=type(error).__name__, error=error)) from error
    finally:
        sys.path.remove(str(folder))


def run(milestone: Milestone, own: Functions, size: float = 1.0, seconds: float = SECONDS, tell: Callable[[str], None] = lambda line: None) -> Run:
    """Run a milestone on a learner's functions, and on the course's where theirs are missing. Raises MilestoneError when one of them fails."""
    functions = {name: own.get(name, TASKS[name].solution) for name in milestone.functions}
    mine = [name for name in milestone.functions if name in own]
    pace = Pace(seconds, tell)
    try:
        with np.errstate(all="ignore"):
            result = milestone.work(functions, size, pace)
    except Exception as error:
        whose = f"your {_listed(mine)}" if mine else "the course's functions"
        raise MilestoneError(gettext(
            "{milestone} stopped with {kind}: {error}. It ran on {whose}: check them again by `unrolled package`."
        ).format(milestone=milestone.name, kind=type(error).__name__, error=error, whose=whose)) from error
    return Run(milestone, result, mine, [name for name in functions if name not in own], time.monotonic() - pace.began, pace.cut)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)


# --- What several milestones use ---------------------------------------------------------------


def adam(params: dict[str, np.ndarray], lr: float, steps: int) -> Callable[[dict[str, np.ndarray]], None]:
    """An update by the course's Adam: gradients in, `params` changed in place."""
    from ...training import Adam

    optimizer = Adam(lr, steps)
    return lambda grads: optimizer.update(params, grads)


def log_softmax(logits: np.ndarray) -> np.ndarray:
    """Log-probabilities along the last axis."""
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def tidy(axes: Any) -> None:
    """The look of all pictures."""
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.grid(alpha=0.3)
