"""Ask a chapter's quiz in a terminal, and remember what was right.

Progress is one JSON file, ``quizzes.json``, in the folder that ``UNROLLED_STATE`` names, else in the user's state
folder. Its ``questions`` map ``<chapter>.<part>.<question id>`` to what the page keeps in the browser: ``answered``
(how often), ``correct`` (is the last answer right), ``first`` (was the first), ``response`` (the last answer).
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

import platformdirs
from rich.console import Console
from rich.markdown import Markdown
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table

from unrolled import quizzes
from unrolled.quizzes import Question, Quiz

TITLES = {"before": "before you read", "after": "after you have read"}


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
    progress = Progress.load(state_file(), console)
    scores = []
    for each in [part] if part else quizzes.PARTS:
        scores.append(ask(quiz, each, console, input, progress))
        if not scores[-1].finished:
            break
    return scores


def review(name: str | None, folder: Path, console: Console, input: Callable[[str], str] = input) -> int:
    """Ask again, over all quizzes or the one called ``name``, the questions whose last answer was wrong; return how many there were."""
    progress = Progress.load(state_file(), console)
    total = 0
    for each in [name] if name else quizzes.names(folder):
        quiz = quizzes.find(each, folder)
        for part in quizzes.PARTS:
            keys = {key for key in _keys(quiz, part) if not progress.questions.get(key, {"correct": True})["correct"]}
            total += len(keys)
            if keys and not ask(quiz, part, console, input, progress, only=keys).finished:
                return total
    if total == 0:
        console.print("Nothing to review: the last answer to every question you tried is right.")
    return total


def show_progress(folder: Path, console: Console) -> None:
    """A table of all quizzes: how many questions are answered, right first time, and to review."""
    progress = Progress.load(state_file(), console)
    table = Table("chapter", "answered", "right first time", "to review")
    for name in quizzes.names(folder):
        keys = [key for part in quizzes.PARTS for key in _keys(quizzes.find(name, folder), part)]
        records = [progress.questions[key] for key in keys if key in progress.questions]
        missed = sum(not record["correct"] for record in records)
        table.add_row(name, f"{len(records)} of {len(keys)}", str(sum(record["first"] for record in records)), str(missed))
    console.print(table)


def export_progress(target: Path, console: Console) -> int:
    """Write all answers to a file, which ``import_progress`` and the page My progress read; return how many there are."""
    progress = Progress.load(state_file(), console)
    _write(target, progress.questions)
    return len(progress.questions)


def import_progress(source: Path, console: Console) -> int:
    """Take over the answers of a file that was exported here or by the page; return how many. Raises QuizError for another file, and
    then nothing is changed; OSError where files can't be read or written."""
    try:
        content = json.loads(source.read_text(encoding="utf-8"))
        questions = content["questions"]
        whole = content["version"] == 1 and all(map(_is_record, questions.values()))
    except (ValueError, KeyError, TypeError, AttributeError):
        whole = False
    if not whole:
        raise quizzes.QuizError(
            f"{source} holds no answers to quizzes, so nothing was changed: choose a file that unrolled quiz --export or the page "
            "My progress wrote."
        )
    progress = Progress.load(state_file(), console)
    _write(state_file(), progress.questions | questions)
    return len(questions)


def clear_progress() -> None:
    """Forget every answer."""
    state_file().unlink(missing_ok=True)


def _keys(quiz: Quiz, part: str) -> list[str]:
    """Under which names the answers to a part's questions are kept."""
    return [f"{quiz.name}.{part}.{question.id}" for question in quiz.part(part)]


def ask(
    quiz: Quiz,
    part: str,
    console: Console,
    input: Callable[[str], str],
    progress: Progress,
    only: set[str] | None = None,
) -> Score:
    """Ask the questions of one part in turn, or of them just those whose keys are in ``only``, and tell the score at the end."""
    pairs = [(key, question) for key, question in zip(_keys(quiz, part), quiz.part(part)) if only is None or key in only]
    keys, questions = [key for key, _ in pairs], [question for _, question in pairs]
    console.rule(f"[bold]{escape(quiz.name)}: {TITLES[part]}")
    console.print("Enter sends an answer; q leaves, and what you answered is kept.", style="dim")
    finished = True
    try:
        for number, (question, key) in enumerate(zip(questions, keys, strict=True), start=1):
            console.print(f"\n[bold]Question {number} of {len(questions)}[/]")
            _ask_question(question, key, console, input, progress)
    except (_Left, EOFError, KeyboardInterrupt):
        finished = False
        console.print()
    records = [progress.questions[key] for key in keys if key in progress.questions]
    score = Score(
        part=part,
        total=len(questions),
        right=sum(record["correct"] for record in records),
        first=sum(record["first"] for record in records),
        finished=finished,
    )
    kept = "" if finished or progress.file is None else " Kept for the next time."
    console.print(f"\n[bold]{score.right} of {score.total} right, {score.first} right first time.[/]{kept}")
    return score


def _ask_question(
    question: Question, key: str, console: Console, input: Callable[[str], str], progress: Progress
) -> None:
    """Ask until the answer is right or the learner moves on."""
    console.print(Markdown(plain(question.prompt)))
    if question.choices:
        table = Table.grid(padding=(0, 1))
        for number, choice in enumerate(question.choices, start=1):
            table.add_row(f" {number}.", Markdown(plain(choice.text)))
        console.print(table)
    while True:
        response = _read_response(question, console, input)
        verdict = quizzes.grade(question, response)
        progress.record(key, response, verdict.correct, console)
        console.print("[bold green]✓ Right.[/]" if verdict.correct else "[bold red]✗ Not yet.[/]")
        numbers = [f"{index + 1}. " for index in response] if question.kind == "many" else []
        for number, message in zip_longest(numbers, verdict.messages, fillvalue=""):
            console.print(Padding(Markdown(number + plain(message)), (0, 0, 0, 2)))
        if verdict.correct:
            return
        if question.section:
            console.print(f"  Reread the section {escape(question.section)}.", style="dim")
        if _line("Enter goes on, r tries again, q leaves: ", input).lower() not in ("r", "retry"):
            return


def _read_response(question: Question, console: Console, input: Callable[[str], str]) -> Any:
    """Read until something can be judged."""
    number = len(question.choices)
    unit = f" ({plain_line(question.unit)})" if question.unit else ""
    prompt = {
        "one": f"Your choice (1–{number}): ",
        "many": f"Your choices (1–{number}, with commas): ",
        "number": f"Your answer{unit}: ",
        "text": "Your answer: ",
    }[question.kind]
    while True:
        typed = _line(prompt, input)
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
    words = [word for word in re.split(r"[,\s]+", typed) if word]
    if not words:
        raise quizzes.ResponseError("Choose an answer first.")
    if not all(re.fullmatch("[0-9]{1,4}", word) for word in words) or (question.kind == "one" and len(words) > 1):
        wanted = "one number" if question.kind == "one" else "numbers, such as 1, 3"
        raise quizzes.ResponseError(f"Type {wanted}, among the {len(question.choices)} choices.")
    indices = sorted({int(word) - 1 for word in words})
    return indices[0] if question.kind == "one" else indices


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


def state_file() -> Path:
    """Where progress is kept: in the folder ``UNROLLED_STATE``, else in the user's state folder."""
    folder = os.environ.get("UNROLLED_STATE") or platformdirs.user_state_dir("unrolled")
    return Path(folder) / "quizzes.json"


@dataclass
class Progress:
    """What was answered so far, and the file that keeps it (none once it proved unwritable)."""

    file: Path | None
    questions: dict[str, dict[str, Any]]

    @classmethod
    def load(cls, file: Path, console: Console) -> Progress:
        """Read a state file. One that can't be understood is moved aside, with a message."""
        try:
            questions = json.loads(file.read_text(encoding="utf-8"))["questions"]
            if all(map(_is_record, questions.values())):
                return cls(file, questions)
        except FileNotFoundError:
            return cls(file, {})
        except OSError as error:
            _say_not_kept(file, error, console)
            return cls(None, {})
        except (ValueError, KeyError, TypeError, AttributeError):
            pass
        aside = file.with_name(f"{file.name}.unreadable")
        try:
            file.replace(aside)
        except OSError as error:
            _say_not_kept(file, error, console)
            return cls(None, {})
        console.print(
            f"The progress in {escape(str(file))} could not be understood; it was moved to {escape(aside.name)} "
            "beside it, and a new one begins.",
            style="yellow",
        )
        return cls(file, {})

    def record(self, key: str, response: Any, correct: bool, console: Console) -> None:
        """Keep an answer, at once."""
        before = self.questions.get(key, {"answered": 0, "first": correct})
        self.questions[key] = {
            "answered": before["answered"] + 1,
            "correct": correct,
            "first": before["first"],
            "response": [response] if isinstance(response, int) else response,
        }
        if self.file is None:
            return
        try:
            _write(self.file, self.questions)
        except OSError as error:
            _say_not_kept(self.file, error, console)
            self.file = None


def _write(file: Path, questions: dict[str, dict[str, Any]]) -> None:
    """Write a state file whole: beside, then moved into place."""
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, beside = tempfile.mkstemp(dir=file.parent, prefix=".quizzes-", suffix=".json")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            json.dump({"version": 1, "questions": questions}, stream, indent=1, ensure_ascii=False)
        os.replace(beside, file)
    except BaseException:
        os.unlink(beside)
        raise


def _is_record(record: Any) -> bool:
    kinds = {"answered": int, "correct": bool, "first": bool, "response": (str, list)}
    return isinstance(record, dict) and all(isinstance(record.get(name), kind) for name, kind in kinds.items())


def _say_not_kept(file: Path, error: OSError, console: Console) -> None:
    console.print(
        f"Progress is not kept: {escape(str(file))} can't be used ({error.strerror}); "
        "let UNROLLED_STATE name a folder that you may write to.",
        style="yellow",
    )
