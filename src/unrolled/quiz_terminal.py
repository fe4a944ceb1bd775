"""Ask a chapter's quiz in a terminal, and remember what was right.

Answers are kept in one file, ``answers.json``, in the folder that ``UNROLLED_STATE`` names, else in the user's state folder. It is a
log (``unrolled.answers``), in the form that the page My progress saves, too. What version 1 kept, in ``quizzes.json``, is taken over.
"""

from __future__ import annotations

import itertools
import os
import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path
from typing import Any

import platformdirs
from filelock import FileLock
from rich.console import Console
from rich.markdown import Markdown
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table

from unrolled import answers, quizzes
from unrolled.language import gettext, ngettext, texts
from unrolled.quizzes import Question, Quiz

TITLES = texts({"before": "{quiz}: before you read", "after": "{quiz}: after you have read"})


class _Left(Exception):
    """The learner left the quiz."""


@dataclass(frozen=True)
class Score:
    """How a part of a quiz stands: questions in all, right now, right first time; and whether all were asked."""

    part: str
    total: int
    right: int
    first: int
    finished: bool


def run_quiz(
    name: str,
    part: str | None,
    folder: Path,
    console: Console,
    input: Callable[[str], str] = input,
) -> list[Score]:
    """Ask the quiz called ``name`` from ``folder``: one part, or with ``part=None`` before and then after.

    ``input`` shows a prompt and returns a line. The learner may leave with q, Ctrl-D or Ctrl-C; what was answered is
    kept. Raises QuizError when there is no such quiz or its file is malformed.
    """
    quiz = quizzes.find(name, folder)
    progress = Progress.load(folder, console)
    scores = []
    for each in [part] if part else quizzes.PARTS:
        scores.append(ask(quiz, each, console, input, progress))
        if not scores[-1].finished:
            break
    return scores


def review(name: str | None, folder: Path, console: Console, input: Callable[[str], str] = input) -> int:
    """Ask again, over all quizzes or the one called ``name``, the questions whose last answer was wrong; return how many there were."""
    progress = Progress.load(folder, console)
    total = 0
    for quiz in [quizzes.find(name, folder)] if name else quizzes.find_all(folder):
        for part in quizzes.PARTS:
            standings = progress.standings()
            missed = {one.id for one in quiz.part(part) if one.id in standings and not standings[one.id].right}
            total += len(missed)
            if missed and not ask(quiz, part, console, input, progress, only=missed).finished:
                return total
    if total == 0:
        console.print(gettext("Nothing to review: the last answer to every question you tried is right."))
    return total


def show_progress(folder: Path, console: Console) -> None:
    """A table of all quizzes: how many questions are answered, right first time, and to review."""
    standings = Progress.load(folder, console).standings()
    table = Table(gettext("chapter"), gettext("answered"), gettext("right first time"), gettext("to review"))
    for quiz in quizzes.find_all(folder):
        questions = quiz.before + quiz.after
        known = [standings[one.id] for one in questions if one.id in standings]
        missed = sum(not one.right for one in known)
        table.add_row(quiz.name, gettext("{count} of {all}").format(count=len(known), all=len(questions)), str(sum(one.first for one in known)), str(missed))
    console.print(table)


def export_progress(target: Path, folder: Path, console: Console) -> int:
    """Write all answers to a file, which ``import_progress`` and the page My progress read; return how many there are."""
    progress = Progress.load(folder, console)
    target.parent.mkdir(parents=True, exist_ok=True)
    _write(target, progress.log)
    return len(progress.log)


def import_progress(source: Path, folder: Path, console: Console) -> tuple[int, int]:
    """Add the answers of a file that was exported here or by the page, in its present or its first form; return how many answers the file
    holds and how many of them are new. Raises QuizError for another file, and then nothing is changed; OSError where files can't be read or
    written."""
    try:
        log, strangers = answers.read(source.read_text(encoding="utf-8"), quizzes.version_1_names(folder))
    except UnicodeDecodeError:
        raise quizzes.QuizError(gettext(NO_ANSWERS).format(file=source)) from None
    except answers.NewerLogError as error:
        raise quizzes.QuizError(gettext(NEWER).format(file=source, form=error.version, own=answers.VERSION)) from None
    except answers.LogError:
        raise quizzes.QuizError(gettext(NO_ANSWERS).format(file=source)) from None
    if strangers:
        text = gettext("{count} of its answers belong to questions that the course no longer has; they were left out.")
        console.print(text.format(count=strangers), style="yellow")
    progress = Progress.load(folder, console)
    before = len(progress.log)
    if progress.file is None:
        raise quizzes.QuizError(gettext("Nothing was loaded, because answers can't be kept here."))
    progress.add(log)
    return len(log), len(progress.log) - before


NO_ANSWERS = texts("{file} holds no answers to quizzes, so nothing was changed: choose a file that unrolled quiz --export or the page My progress wrote.")
NEWER = texts(
    "{file} was written by a newer version of the course (its form is {form}, this one reads up to {own}), so nothing was changed: choose a file that "
    "unrolled quiz --export or the page My progress wrote."
)


def clear_progress() -> None:
    """Forget every answer: the log, and what was set aside beside it. Raises OSError."""
    for name in (NAME, NAME_1):
        for path in state_file().parent.glob(f"{Path(name).stem}.*"):
            path.unlink(missing_ok=True)


def ask(
    quiz: Quiz,
    part: str,
    console: Console,
    input: Callable[[str], str],
    progress: Progress,
    only: set[str] | None = None,
) -> Score:
    """Ask the questions of one part in turn, or of them just those whose ids are in ``only``, and tell the score at the end."""
    questions = [question for question in quiz.part(part) if only is None or question.id in only]
    console.rule(f"[bold]{escape(gettext(TITLES[part]).format(quiz=quiz.name))}")
    console.print(gettext("Enter sends an answer; q leaves, and what you answered is kept."), style="dim")
    finished = True
    try:
        for number, question in enumerate(questions, start=1):
            title = gettext("Question {number} of {count}").format(number=number, count=len(questions))
            console.print(f"\n[bold]{title}[/]")
            _ask_question(question, console, input, progress)
    except (_Left, EOFError, KeyboardInterrupt):
        finished = False
        console.print()
    standings = progress.standings()
    known = [standings[question.id] for question in questions if question.id in standings]
    score = Score(
        part=part,
        total=len(questions),
        right=sum(one.right for one in known),
        first=sum(one.first for one in known),
        finished=finished,
    )
    said = gettext("{right} of {count} right, {first} right first time.").format(right=score.right, count=score.total, first=score.first)
    kept = "" if finished or progress.file is None else " " + gettext("Kept for the next time.")
    console.print(f"\n[bold]{said}[/]{kept}")
    return score


def ask_one(question: Question, console: Console, input: Callable[[str], str], progress: Progress) -> bool:
    """Ask one question; whether the learner stayed."""
    try:
        _ask_question(question, console, input, progress)
    except (_Left, EOFError, KeyboardInterrupt):
        console.print()
        return False
    return True


def _ask_question(question: Question, console: Console, input: Callable[[str], str], progress: Progress) -> None:
    """Ask until the answer is right or the learner moves on."""
    question = spoken(question)
    console.print(Markdown(plain(question.prompt)))
    if question.choices:
        table = Table.grid(padding=(0, 1))
        for number, choice in enumerate(question.shown, start=1):
            table.add_row(f" {number}.", Markdown(plain(choice.text)))
        console.print(table)
    while True:
        response = _read_response(question, console, input)
        verdict = quizzes.grade(question, response)
        progress.record(question, response, verdict.correct)
        console.print(f"[bold green]✓ {gettext('Right.')}[/]" if verdict.correct else f"[bold red]✗ {gettext('Not yet.')}[/]")
        numbers = [f"{number}. " for number, one in enumerate(question.shown, start=1) if one.id in response] if question.kind == "many" else []
        for number, message in zip_longest(numbers, verdict.messages, fillvalue=""):
            console.print(Padding(Markdown(number + plain(message)), (0, 0, 0, 2)))
        if verdict.correct:
            return
        if question.section:
            console.print(f"  {gettext('Reread the section {section}.').format(section=escape(question.section))}", style="dim")
        if _line(gettext("Enter goes on, r tries again, q leaves:") + " ", input).lower() not in ("r", "retry"):
            return


def spoken(question: Question) -> Question:
    """A question with its texts in the language that is spoken now. What decides whether an answer is right stays."""

    def said(one: Any) -> Any:
        found = {name: gettext(text) for name in ("prompt", "text", "feedback", "right", "wrong", "unit") if isinstance(text := getattr(one, name, None), str)}
        return replace(one, **found)

    question = said(question)
    return replace(question, choices=tuple(map(said, question.choices)), mistakes=tuple(map(said, question.mistakes)))


def _read_response(question: Question, console: Console, input: Callable[[str], str]) -> Any:
    """Read until something can be judged."""
    number = len(question.choices)
    if question.kind == "one":
        prompt = gettext("Your choice (1–{count}):").format(count=number)
    elif question.kind == "many":
        prompt = gettext("Your choices (1–{count}, with commas):").format(count=number)
    elif question.kind == "number" and question.unit:
        prompt = gettext("Your answer ({unit}):").format(unit=plain_line(question.unit))
    else:
        prompt = gettext("Your answer:")
    while True:
        typed = _line(prompt + " ", input)
        try:
            response = _understand(question, typed)
            quizzes.grade(question, response)
            return response
        except quizzes.ResponseError as error:
            console.print(str(error), style="yellow")


def _understand(question: Question, typed: str) -> Any:
    """What was typed, as :func:`quizzes.grade` takes it."""
    if not question.choices:
        return typed
    words = [word for word in re.split(r"[,，、\s]+", typed) if word]
    if not words:
        raise quizzes.ResponseError(gettext("Choose an answer first."))
    if not all(re.fullmatch("[0-9]{1,4}", word) for word in words) or (question.kind == "one" and len(words) > 1):
        one, several = gettext("Type one number, among the {count} choices."), gettext("Type numbers, such as 1, 3, among the {count} choices.")
        raise quizzes.ResponseError((one if question.kind == "one" else several).format(count=len(question.choices)))
    numbers = {int(word) for word in words}
    if not numbers <= set(range(1, len(question.shown) + 1)):
        raise quizzes.ResponseError(gettext("Choose among the {count} choices.").format(count=len(question.shown)))
    return [choice.id for number, choice in enumerate(question.shown, start=1) if number in numbers]


def _line(prompt: str, input: Callable[[str], str]) -> str:
    typed = input(prompt).strip()
    if typed.lower() == "q":
        raise _Left
    return typed


# MyST as a terminal can show it

_GREEK = dict(
    alpha="α", beta="β", gamma="γ", delta="δ", epsilon="ε", varepsilon="ε", eta="η", theta="θ", kappa="κ",
    lambda_="λ", mu="μ", nu="ν", pi="π", rho="ρ", sigma="σ", tau="τ", phi="φ", varphi="φ", psi="ψ", omega="ω",
    Gamma="Γ", Delta="Δ", Theta="Θ", Lambda="Λ", Pi="Π", Sigma="Σ", Phi="Φ", Psi="Ψ", Omega="Ω",
)  # fmt: skip
_SYMBOLS = dict(
    times="×", cdot="·", odot="⊙", le="≤", leq="≤", ge="≥", geq="≥", ne="≠", neq="≠", approx="≈", infty="∞", to="→",
    rightarrow="→", leftarrow="←", partial="∂", nabla="∇", sum="Σ", prod="Π", top="ᵀ", ldots="…", dots="…", cdots="…",
    in_="∈", pm="±", mid="|", sim="∼", propto="∝", lVert="‖", rVert="‖", Vert="‖", quad=" ", qquad=" ",
)  # fmt: skip
_NAMES = {name.rstrip("_"): sign for name, sign in (_GREEK | _SYMBOLS).items()}


def plain(text: str) -> str:
    """MyST as Markdown for a terminal: formulas as code in plain signs, roles as their text."""
    pieces = re.split(r"(```.*?```|(?<!`)`[^`\n]+`(?!`))", text, flags=re.DOTALL)  # code is left as it is
    text = ""
    for position, piece in enumerate(pieces):
        code = position % 2 == 1
        role = re.search(r"\{([\w:.-]+)\}$", text) if code and not piece.startswith("```") else None
        if role:
            text = text[: role.start()] + _role(role.group(1), piece.strip("`"))
        else:
            text += piece if code else _links(_formulas(piece))
    return text


def plain_line(text: str) -> str:
    """Like :func:`plain`, for a place that shows no Markdown."""
    return " ".join(plain(text).replace("`", "").split())


def _role(name: str, content: str) -> str:
    if name == "math":
        return f"`{plain_math(content)}`"
    return re.sub(r"\s*<[^>]*>$", "", content)


def _links(text: str) -> str:
    return re.sub(r"\[([^\]]*)\]\(<?([^)>]*)>?\)", lambda found: found[1] or found[2].lstrip("#"), text)


def _formulas(text: str) -> str:
    text = re.sub(r"\$\$(.+?)\$\$", lambda found: f"\n\n`{plain_math(found[1])}`\n\n", text, flags=re.DOTALL)
    return re.sub(r"(?<!\\)\$([^$]+?)(?<!\\)\$", lambda found: f"`{plain_math(found[1])}`", text)


def plain_math(latex: str) -> str:
    """A formula in plain signs, near enough to be read."""
    text = re.sub(r"\\(begin|end)\{\w+\*?\}", "", latex)
    text = re.sub(r"(?<=[\w}])(\\math)", r" \1", text)  # X_t W_xh, not X_tW_xh
    text = re.sub(r"\\(mathbf|mathrm|mathbb|mathcal|text|textrm|operatorname|boldsymbol|bm|left|right)\b\s*", "", text)
    text = re.sub(r"\\[td]?frac\s*\{([^{}]*)\}\s*\{([^{}]*)\}", r"(\1)/(\2)", text)
    text = re.sub(r"\\[td]?frac\s*([0-9A-Za-z])\s*([0-9A-Za-z])", r" \1/\2", text)
    text = re.sub(r"\\(?:hat|bar|tilde)\s*\{?([A-Za-z])\}?", r"\1̂", text)
    text = re.sub(r"\\sqrt\s*\{([^{}]*)\}", r"√(\1)", text)
    text = re.sub(r"\\sqrt\s*([0-9A-Za-z])", r"√\1", text)
    text = re.sub(r"\\([A-Za-z]+)", lambda found: _NAMES.get(found[1], found[1]), text)
    text = re.sub(r"\\\\|\\[,;:! ]", " ", text).replace("\\", "").replace("&", "")
    text = re.sub(r"([\^_])\{(\w+)\}", r"\1\2", text)
    text = re.sub(r"([\^_])\{([^{}]+)\}", r"\1(\2)", text)
    text = text.replace("{", "").replace("}", "").replace("^ᵀ", "ᵀ")
    return " ".join(text.split())


# Progress


NAME = "answers.json"
NAME_1 = "quizzes.json"  # the file of version 1


def state_file() -> Path:
    """Where answers are kept: in the folder ``UNROLLED_STATE``, else in the user's state folder."""
    folder = os.environ.get("UNROLLED_STATE") or platformdirs.user_state_dir("unrolled")
    return Path(folder) / NAME


@dataclass
class Progress:
    """The log of what was answered so far, and the file that keeps it (none where it can't be kept)."""

    file: Path | None
    log: list[answers.Event]
    folder: Path  # of the quizzes
    console: Console

    @classmethod
    def load(cls, folder: Path, console: Console) -> Progress:
        """Read the log, and take over what version 1 kept. A file that can't be understood is set aside under another name, with a message."""
        progress = cls(state_file(), [], folder, console)
        progress._locked(progress._begin)
        return progress

    def _begin(self) -> None:
        self.log = self._read(self.file)
        self._take_over(self.file.with_name(NAME_1))

    def standings(self) -> dict[str, answers.Standing]:
        """How each question stands that was answered."""
        return answers.standings(self.log)

    def record(self, question: Question, response: list[str] | str, right: bool) -> None:
        """Keep an answer, at once."""
        self.add([answers.answer_event(question.id, response, right, self.log)])

    def add(self, events: list[answers.Event]) -> None:
        """Add events to the file, which another terminal may have written to since, and to the log."""
        known, self.log = self.log, answers.merged(self.log, events)
        if self.file is None:
            return

        def write() -> None:
            self.log = answers.merged(self._read(self.file, known), events)
            _write(self.file, self.log)

        self._locked(write)

    def _locked(self, work: Callable[[], None]) -> None:
        """Do something while no other terminal uses the file. Where it can't be used, say so, once, and go on without it."""
        file = self.file
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(file.with_name(f".{file.stem}.lock"), timeout=10):
                work()
        except (OSError, answers.NewerLogError) as error:
            self.file = None
            if isinstance(error, answers.NewerLogError):
                why = gettext("it was written by a newer version of the course (its form is {form}, this one reads up to {own})")
                why = why.format(form=error.version, own=answers.VERSION)
            else:
                why = error.strerror or str(error)
            text = gettext("Progress is not kept: {file} can't be used ({why}); let UNROLLED_STATE name a folder that you may write to.")
            self.console.print(
                text.format(file=escape(str(file)), why=escape(why)),
                style="yellow",
            )

    def _read(self, file: Path, known: list[answers.Event] = ()) -> list[answers.Event]:
        """The log in a file. One that can't be understood is set aside, and ``known`` stands for it. Raises NewerLogError."""
        try:
            return answers.read(file.read_text(encoding="utf-8"), quizzes.version_1_names(self.folder))[0]
        except FileNotFoundError:
            return []
        except answers.NewerLogError:
            raise
        except ValueError:  # no log, or no text
            aside = _set_aside(file, "damaged")
        text = gettext("The answers in {file} could not be understood; the file is kept as {aside} beside it, and a new one begins.")
        self.console.print(text.format(file=escape(str(file)), aside=escape(aside.name)), style="yellow")
        return list(known)

    def _take_over(self, file: Path) -> None:
        """Add what version 1 kept in its own file, and give that file another name."""
        old = self._read(file)
        if old:
            self.log = answers.merged(self.log, old)
            _write(self.file, self.log)
            aside = _set_aside(file, "version-1")
            text = gettext("{count} answers of an earlier version were taken over; their file is kept as {aside}.")
            self.console.print(text.format(count=len(old), aside=escape(aside.name)), style="dim")


def _set_aside(file: Path, why: str) -> Path:
    """Give a file another name, that no file has: ``answers.damaged.json``, ``answers.damaged-2.json``."""
    names = (f"{file.stem}.{why}{'' if number == 1 else f'-{number}'}{file.suffix}" for number in itertools.count(1))
    aside = next(path for path in map(file.with_name, names) if not path.exists())
    file.rename(aside)
    return aside


def _write(file: Path, log: list[answers.Event]) -> None:
    """Write a log whole: beside, then moved into place."""
    handle, beside = tempfile.mkstemp(dir=file.parent, prefix=f".{file.stem}-", suffix=".json")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(answers.write(log))
        os.replace(beside, file)
    except BaseException:
        os.unlink(beside)
        raise
