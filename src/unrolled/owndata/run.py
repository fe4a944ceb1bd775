"""One training run in a folder of its own: it can be stopped at any point, and goes on as if it had not been."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch

from ..language import gettext

STATE, SETTINGS, REPORT = "state.pt", "settings.json", "report.html"
BESIDE = ".part"  # the end of a file's name until it is written to its end
SAVE_EVERY_SECONDS = 10.0
EVALUATIONS = 24  # over a whole run
ROOM_FOR_REPORT = 4_000_000  # bytes


class RunError(ValueError):
    """A run that can't begin or go on, in one sentence."""


class Stopped(Exception):
    """Training was stopped by the learner; everything is saved."""


class Task(Protocol):
    """What is trained: a model, its loss at each update, and what it is chosen by."""

    model: torch.nn.Module
    updates: int
    unit: str  # of the loss, for people

    def loss(self, update: int) -> torch.Tensor: ...
    def validate(self) -> float: ...
    def carried(self) -> Any: ...
    def carry(self, value: Any) -> None: ...


@dataclass
class History:
    """What happened: at each evaluation the number of updates, the mean training loss since the last one, and the validation loss."""

    updates: list[int] = field(default_factory=list)
    training: list[float] = field(default_factory=list)
    validation: list[float] = field(default_factory=list)
    seconds: float = 0.0  # of training, in all runs together
    pieces: int = 1  # runs that it took


# --- The folder --------------------------------------------------------------------------------


def open_folder(folder: Path, settings: dict[str, Any], resume: bool) -> None:
    """Make the folder of a run, or find that of the run to go on with; its settings are kept in it.

    settings: what the result depends on. Raises RunError for a folder that has a run already, for one that has none or one of other settings when
    `resume`, and for one that can't be written to.
    """
    file = folder / SETTINGS
    if resume:
        if not file.is_file():
            raise RunError(gettext(
                "There is no run to go on with in {folder}: leave --resume out to begin one, or name its folder with --to."
            ).format(folder=folder))
        kept = json.loads(file.read_text(encoding="utf-8"))
        other = [name for name in settings if kept.get(name) != settings[name]]
        if other:
            name = other[0]
            raise RunError(
                gettext(
                    "The run in {folder} has {name} {old!r}, but this one would have {new!r}: give the same text and options to go on "
                    "with it, or name another folder with --to."
                ).format(folder=folder, name=name, old=kept.get(name), new=settings[name])
            )
        for half_written in folder.glob(f"*{BESIDE}"):  # when the run was killed
            half_written.unlink(missing_ok=True)
        return
    if file.exists() or (folder / STATE).exists():
        raise RunError(gettext("There is a run in {folder} already: go on with it by --resume, or name another folder with --to.").format(folder=folder))
    with _said(folder):
        folder.mkdir(parents=True, exist_ok=True)


def keep_settings(folder: Path, settings: dict[str, Any]) -> None:
    """Write the settings down, once it is known that there is room."""
    with _said(folder):
        write_whole(folder / SETTINGS, (json.dumps(settings, indent=1, ensure_ascii=False) + "\n").encode())


def make_sure_of_room(folder: Path, model: torch.nn.Module) -> None:
    """Write as many bytes as the run will need, and take them away again: a full disk is said now, not after the training.

    Raises RunError.
    """
    weights = sum(parameter.numel() * parameter.element_size() for parameter in model.parameters())
    # The weights, the best ones and two numbers of Adam's for each; twice, since a new state is written beside the old one.
    needed = 2 * 4 * weights + ROOM_FOR_REPORT
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise RunError(
            gettext(
                "The run needs {needed:.0f} MB in {folder}, but its disk has {free:.1f} MB left: make room there, or name another "
                "folder with --to."
            ).format(needed=needed / 1e6, folder=folder, free=free / 1e6)
        )
    with _said(folder, needed), tempfile.TemporaryFile(dir=folder) as trial:  # a quota does not show in the disk's free space
        for _ in range(0, needed, 1 << 20):
            trial.write(bytes(1 << 20))
        trial.flush()


@contextlib.contextmanager
def _said(folder: Path, needed: int = 0) -> Iterator[None]:
    """One sentence for a folder that can't be written to."""
    try:
        yield
    except OSError as error:
        if needed:
            said = gettext("The run should be kept in {folder}, but {needed:.0f} MB can't be written there ({problem}): name another folder with --to.")
        else:
            said = gettext("The run should be kept in {folder}, but it can't be written there ({problem}): name another folder with --to.")
        raise RunError(said.format(folder=folder, needed=needed / 1e6, problem=error.strerror or error)) from error


def write_whole(path: Path, raw: bytes) -> None:
    """Write beside `path`, then move into place: whoever looks, and whenever the power fails, sees the old file or the new one."""
    descriptor, beside = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=BESIDE)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(beside, 0o644)
        os.replace(beside, path)
    except BaseException:
        os.unlink(beside)
        raise


# --- Training ----------------------------------------------------------------------------------


class Trainer:
    """Trains a task by Adam with a learning rate that falls along a half cosine, keeps the weights that validate best, and saves as it goes.

    lr: at the beginning. theta: the norm to which gradients are clipped.
    """

    def __init__(self, task: Task, folder: Path, lr: float, theta: float = 1.0):
        self.task, self.folder, self.theta = task, folder, theta
        self.optimizer = torch.optim.Adam(task.model.parameters(), lr=lr)
        self.schedule = torch.optim.lr_scheduler.CosineAnnealingLR(self.optimizer, max(1, task.updates))
        self.history = History()
        self.update = 0
        self.best: dict[str, torch.Tensor] | None = None
        self._sum, self._since = 0.0, 0  # of training losses since the last evaluation
        self._marks = sorted({max(1, round(task.updates * (i + 1) / EVALUATIONS)) for i in range(EVALUATIONS)})

    def load(self) -> None:
        """Go on where the state in the folder stands; nothing happens where none was saved yet."""
        file = self.folder / STATE
        if not file.exists():
            return
        try:
            saved = torch.load(file, map_location=next(self.task.model.parameters()).device, weights_only=True)
        except Exception as error:  # whatever torch says of a file that is none of its own
            raise RunError(gettext(
                "{file} is damaged ({kind}): delete it, and the run begins again with --resume."
            ).format(file=file, kind=type(error).__name__)) from error
        self.task.model.load_state_dict(saved["model"])
        self.optimizer.load_state_dict(saved["optimizer"])
        self.schedule.load_state_dict(saved["schedule"])
        self.history = History(**saved["history"])
        self.history.pieces += 1
        self.update, self.best = saved["update"], saved["best"]
        self._sum, self._since = saved["sum"], saved["since"]
        self.task.carry(saved["carried"])

    def save(self) -> None:
        """Write all that going on needs."""
        state = {
            "model": self.task.model.state_dict(), "optimizer": self.optimizer.state_dict(), "schedule": self.schedule.state_dict(),
            "history": vars(self.history), "update": self.update, "best": self.best, "sum": self._sum, "since": self._since,
            "carried": self.task.carried(),
        }  # fmt: skip
        import io

        packed = io.BytesIO()
        torch.save(state, packed)
        with _said(self.folder, packed.tell()):
            write_whole(self.folder / STATE, packed.getvalue())

    @property
    def finished(self) -> bool:
        """Are all updates done?"""
        return self.update >= self.task.updates

    def train(self, tell: Callable[[Trainer], None]) -> None:
        """Do all updates that are left. tell: called after each update. Raises Stopped, with everything saved, on KeyboardInterrupt and after `stop`."""
        before, began, saved_at = self.history.seconds, time.perf_counter(), time.perf_counter()
        try:
            while not self.finished:
                self._one_update()
                self.history.seconds = before + time.perf_counter() - began
                if self.update in self._marks:
                    self._evaluate()
                if self._asked:
                    raise KeyboardInterrupt
                tell(self)
                if time.perf_counter() - saved_at > SAVE_EVERY_SECONDS:
                    self.save()
                    saved_at = time.perf_counter()
            self.history.seconds = before + time.perf_counter() - began
            self.save()
        except KeyboardInterrupt:
            # An update that was cut off may have changed some weights and not others: begin it again from what was saved last, unless nothing was.
            if self._clean:
                self.save()
            raise Stopped from None

    _clean = True
    _asked = False

    def stop(self) -> None:
        """Stop by KeyboardInterrupt: behind the update that is on its way, so that nothing of it is lost; at once when asked again."""
        if self._clean or self._asked:
            raise KeyboardInterrupt
        self._asked = True

    def _one_update(self) -> None:
        self._clean = False
        self.task.model.train()
        loss = self.task.loss(self.update)
        self.optimizer.zero_grad()
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(self.task.model.parameters(), self.theta)
        value = loss.item()
        if not (np.isfinite(value) and torch.isfinite(norm)):
            raise RunError(gettext(
                "Training diverged at update {update}: the loss is {value:.3g}; begin again with a smaller --lr."
            ).format(update=self.update + 1, value=value))
        self.optimizer.step()
        self.schedule.step()
        self.update += 1
        self._sum, self._since = self._sum + value, self._since + 1
        self._clean = True

    def _evaluate(self) -> None:
        self._clean = False
        validation = self.task.validate()
        if not self.history.validation or validation < min(self.history.validation):
            self.best = {name: value.detach().clone() for name, value in self.task.model.state_dict().items()}
        self.history.updates.append(self.update)
        self.history.training.append(self._sum / self._since)
        self.history.validation.append(validation)
        self._sum, self._since = 0.0, 0
        self._clean = True

    def use_best(self) -> None:
        """Give the model the weights that validated best."""
        if self.best is not None:
            self.task.model.load_state_dict(self.best)
        self.task.model.eval()


def machine(device: str) -> dict[str, str]:
    """What a result depends on besides text and settings."""
    where = torch.cuda.get_device_name() if device.startswith("cuda") else f"{platform.machine()}, {torch.get_num_threads()} threads"
    return {"device": f"{device} ({where})", "Python": platform.python_version(), "torch": torch.__version__, "NumPy": np.__version__}


def checked_device(device: str) -> str:
    """The device, if it is there. Raises RunError."""
    if device not in ("cpu", "cuda"):
        raise RunError(gettext("--device should be cpu or cuda, but it is {device!r}: choose one of these.").format(device=device))
    if device == "cuda" and not torch.cuda.is_available():
        raise RunError(gettext("--device cuda needs a GPU that torch can use, but torch finds none here: leave --device out to train on the CPU."))
    return device
