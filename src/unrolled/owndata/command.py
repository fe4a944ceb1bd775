"""What `unrolled train` does: read, make sure of the folder, train, and write the report."""

from __future__ import annotations

import contextlib
import signal
import threading
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from .. import __version__
from ..corpora import labelled, text_file
from ..language import gettext, sentences
from . import classes, report, run, text

TABLES = (".csv", ".tsv", ".tab", ".jsonl", ".ndjson", ".json")
CELLS = ("rnn", "lstm", "gru")


@dataclass(frozen=True)
class Options:
    """What the learner said, with nothing where nothing was said."""

    cell: str = "lstm"
    units: int | None = None
    passes: float | None = None
    lr: float = 4e-3
    seed: int = 0
    device: str = "cpu"
    resume: bool = False
    to: Path | None = None
    encoding: str | None = None
    label: str | None = None
    text: tuple[str, ...] = ()
    group: str | None = None
    kind: str | None = None  # "text" or "labelled"; by the file's name otherwise


def train(path: Path, options: Options, default_folder: Path, console: Console) -> Path:
    """Train on a file and return the report's path. Raises RunError, ValueError and OSError with one sentence, and Stopped."""
    _check(options)
    path = path.expanduser()
    kind = options.kind or ("labelled" if path.is_dir() or path.suffix.lower() in TABLES or options.label else "text")
    folder = (options.to or default_folder / f"{path.stem or path.name}-{options.cell}").expanduser().absolute()
    device = run.checked_device(options.device)
    read = _labelled if kind == "labelled" else _text
    task, settings, notes = read(path, options, device)
    run.open_folder(folder, settings, options.resume)
    try:
        run.make_sure_of_room(folder, task.model)
    except run.RunError:
        with contextlib.suppress(OSError):
            folder.rmdir()  # unless an earlier run stands in it
        raise
    run.keep_settings(folder, settings)
    trainer = run.Trainer(task, folder, options.lr)
    if options.resume:
        trainer.load()
    for note in notes:
        console.print(note, style="yellow", markup=False, highlight=False, soft_wrap=True)
    weights = sum(parameter.numel() for parameter in task.model.parameters())
    console.print(
        sentences(
            gettext("{cell} with {units} units, {weights} weights: {updates} updates, {passes} passes, on {device}.").format(
                cell=options.cell.upper(), units=settings["units"], weights=f"{weights:,}", updates=f"{task.updates:,}", passes=f"{task.passes:.1f}", device=device,
            ),
            gettext("{count} updates are done already.").format(count=f"{trainer.update:,}") if trainer.update else "",
        ),
        markup=False, highlight=False, soft_wrap=True,
    )  # fmt: skip
    with _stops(trainer):
        _train(trainer, console)
        trainer.use_best()
        console.print(gettext("Counting, comparing and writing the report ..."), highlight=False)
        told = report.Told(path.name, _command(path, options, settings), settings, run.machine(device), trainer.history, notes)
        html = report.of_labelled(told, task) if kind == "labelled" else report.of_text(told, task)
        try:
            run.write_whole(folder / run.REPORT, html.encode("utf-8", errors="replace"))
        except OSError as error:
            raise run.RunError(
                gettext(
                    "The report can't be written to {folder} ({problem}): the training is kept; make room there and give the same "
                    "command with --resume."
                ).format(folder=folder, problem=error.strerror or error)
            ) from error
    return folder / run.REPORT


def _check(options: Options) -> None:
    if options.cell not in CELLS:
        raise run.RunError(gettext("--cell should be rnn, lstm or gru, but it is {cell!r}: choose one of these.").format(cell=options.cell))
    if options.kind not in (None, "text", "labelled"):
        raise run.RunError(gettext("--as should be text or labelled, but it is {kind!r}: choose one of these.").format(kind=options.kind))
    if options.passes is not None and not 0 < options.passes < 10_000:
        raise run.RunError(gettext(
            "--passes should be more than 0 and less than 10,000, but it is {passes:g}: give how often the text is to be read."
        ).format(passes=options.passes))
    if options.units is not None and not 1 <= options.units <= 4_096:
        raise run.RunError(gettext("--units should lie between 1 and 4,096, but it is {units}: 128 is usual.").format(units=options.units))
    if not 0 < options.lr < 1:
        raise run.RunError(gettext("--lr should lie between 0 and 1, but it is {lr:g}: 0.004 is usual.").format(lr=options.lr))
    if not 0 <= options.seed < 2**31:
        raise run.RunError(gettext(
            "--seed should be a whole number from 0 to {most:,}, but it is {seed}: 0 is usual."
        ).format(most=2 ** 31 - 1, seed=options.seed))


def _settings(options: Options, what: str, units: int, passes: float, fingerprint: str) -> dict[str, object]:
    """All that the result depends on, the device and the versions apart."""
    return {
        "what": what, "cell": options.cell, "units": units, "passes": round(float(passes), 6), "lr": options.lr, "seed": options.seed,
        "text (SHA-256)": fingerprint, "unrolled": __version__,
    }  # fmt: skip


def _text(path: Path, options: Options, device: str):
    for name, value in (("label", options.label), ("group", options.group), ("text-column", options.text)):
        if value:
            raise run.RunError(gettext(
                "--{name} is for labelled files, but {path} is to be read as one text: leave it out, or say --as labelled."
            ).format(name=name, path=path))
    file = text_file(path, options.encoding)
    parts = text.parts_of(file.text)
    units = options.units or 128
    task = text.TextTask(parts, options.cell, units, options.passes, options.seed, device)
    notes = list(file.notes)
    if len(parts.train) > text.MOST_COUNTED:
        notes.append(gettext("n-gram models and compressors read the last {count} characters of the training part.").format(count=f"{text.MOST_COUNTED:,}"))
    if options.passes is None and task.passes < 1:
        note = gettext("The text is long: the network reads {share} of it. --passes 1 reads all of it, and takes longer.")
        notes.append(note.format(share=f"{task.passes:.0%}"))
    return task, _settings(options, "text", units, task.passes, text.fingerprint(file.text)), notes


def _labelled(path: Path, options: Options, device: str):
    columns = {"text": list(options.text) or None, "label": options.label, "group": options.group, "encoding": options.encoding}
    data = labelled(path, **{name: value for name, value in columns.items() if value is not None})
    parts = data.split(seed=options.seed)
    units = options.units or 64
    task = classes.LabelledTask(parts, options.cell, units, options.passes, options.seed, device)
    rows = "\n".join(f"{label}\t{one}" for label, one in zip(data.labels, data.texts, strict=True))
    return task, _settings(options, "labelled texts", units, task.passes, text.fingerprint(rows)), [*data.notes, *parts.notes]


def _command(path: Path, options: Options, settings: dict[str, object]) -> list[str]:
    """The command that repeats the run."""
    command = ["unrolled", "train", str(path), "--cell", options.cell, "--units", str(settings["units"]), "--passes", str(settings["passes"]),
               "--lr", f"{options.lr:g}", "--seed", str(options.seed)]  # fmt: skip
    for name, value in (("as", options.kind), ("encoding", options.encoding), ("label", options.label), ("group", options.group)):
        command += [f"--{name}", value] if value else []
    for name in options.text:
        command += ["--text-column", name]
    return command + (["--device", options.device] if options.device != "cpu" else [])


# --- While it runs -----------------------------------------------------------------------------


def _train(trainer: run.Trainer, console: Console) -> None:
    """Train with a bar and the time left, or with a line at each evaluation where nobody watches a terminal."""
    unit = gettext(trainer.task.unit)
    if not console.is_terminal:
        evaluated = len(trainer.history.updates)

        def tell(now: run.Trainer) -> None:
            nonlocal evaluated
            if len(now.history.updates) > evaluated:
                evaluated = len(now.history.updates)
                done = now.update / now.task.updates
                left = now.history.seconds / done * (1 - done)
                console.print(
                    gettext("{done}  update {update}: training {training}, validation {validation} {unit}; about {left} s left").format(
                        done=f"{done:4.0%}", update=f"{now.update:,}", training=f"{now.history.training[-1]:.3f}",
                        validation=f"{now.history.validation[-1]:.3f}", unit=unit, left=f"{left:.0f}",
                    ),
                    highlight=False, soft_wrap=True,
                )  # fmt: skip

        trainer.train(tell)
        return
    columns = (BarColumn(), TaskProgressColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), TextColumn(gettext("left:")), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        bar = progress.add_task("", total=trainer.task.updates, completed=trainer.update)

        def show(now: run.Trainer) -> None:
            if now.history.validation:
                said = gettext("validation {validation} {unit}").format(validation=f"{now.history.validation[-1]:.3f}", unit=unit)
            else:
                said = gettext("no validation yet {unit}").format(unit=unit)
            progress.update(bar, completed=now.update, description=said)

        trainer.train(show)


class _stops:
    """While it lasts, SIGTERM, as `kill` and closing a window send it, stops training as Ctrl-C does: behind the update in which it comes.

    A second one does not wait. Ctrl-C stays ignored where it is, as behind a shell's `&`.
    """

    def __init__(self, trainer: run.Trainer):
        self.trainer = trainer
        self._before: dict[int, object] = {}

    def __enter__(self) -> None:
        if threading.current_thread() is threading.main_thread():
            numbers = [signal.SIGTERM] if signal.getsignal(signal.SIGINT) is signal.SIG_IGN else [signal.SIGTERM, signal.SIGINT]
            self._before = {number: signal.signal(number, self._stop) for number in numbers}

    def __exit__(self, *_: object) -> None:
        for number, before in self._before.items():
            signal.signal(number, before)

    def _stop(self, *_: object) -> None:
        self.trainer.stop()
