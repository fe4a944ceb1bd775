"""Load, validate and grade the quizzes that every chapter begins and ends with.

A chapter's quizzes are one file, ``book/quizzes/<chapter>.yml``, with two lists of questions, ``before`` and
``after``. The page (``unrolled.site.quiz``) and the terminal (``unrolled.quiz_terminal``) show the same file and
judge by the same rule, :func:`grade`.
"""

from __future__ import annotations

import ast
import difflib
import functools
import hashlib
import importlib
import json
import math
import operator
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from .language import gettext, listed, texts

if TYPE_CHECKING:
    import jsonschema

PARTS = ("before", "after")
INCOMPLETE = texts("What you chose is right, but it is not all: something else is right, too.")


class QuizError(ValueError):
    """A quiz file that can't be used; the message is one sentence that names file, question and field."""


class ResponseError(ValueError):
    """A response that is no answer at all (nothing chosen, not a number); the message says what is expected."""


@dataclass(frozen=True)
class Choice:
    """One choice of a question of kind ``one`` or ``many``; ``text`` and ``feedback`` are MyST.

    ``id`` names it for ever, whatever place it is shown in: answers are kept by it.
    """

    id: str
    text: str
    right: bool
    feedback: str
    last: bool = False  # shown after the others, as "none of these" must be


@dataclass(frozen=True)
class Mistake:
    """A known wrong answer (a number or a text) with the feedback that fits it."""

    answer: float | str
    feedback: str


@dataclass(frozen=True)
class Question:
    """One question. Fields that its kind does not use are empty.

    ``id`` is unique in the course and does not name the chapter: a question may move to another page and keep its answers.
    """

    id: str
    kind: str  # one, many, number or text
    prompt: str
    line: int  # where the question begins in its file, from 1
    choices: tuple[Choice, ...] = ()  # one, many
    answer: float = math.nan  # number
    tolerance: float | str = 0.0  # number: absolute, or relative to the answer: "2 %"
    unit: str = ""  # number
    accept: tuple[str, ...] = ()  # text
    right: str = ""  # number, text: feedback to a right answer
    wrong: str = ""  # number, text: feedback to any other wrong answer
    mistakes: tuple[Mistake, ...] = ()  # number, text
    section: str = ""
    compute: str = ""
    keep_order: bool = False  # the choices are a scale, or follow each other: show them as they are written

    @functools.cached_property
    def shown(self) -> tuple[Choice, ...]:
        """The choices in the order in which page and terminal show them: shuffled, the same each time for everybody."""
        if self.keep_order:
            return self.choices
        return tuple(sorted(self.choices, key=lambda choice: (choice.last, _lot(f"{choice.id} of {self.id}"))))

    def margin(self, value: float) -> float:
        """How far a response may lie from ``value`` and still be taken for it."""
        slack = 1e-9 * abs(value)  # what a calculator rounds away
        if isinstance(self.tolerance, str):
            return abs(value) * float(self.tolerance.rstrip("% ")) / 100 + slack
        return self.tolerance + slack


def _lot(text: str) -> str:
    """What decides by chance, and always alike, which of two texts comes first."""
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class Quiz:
    """The quizzes of one chapter: its file's name without ``.yml``, and the questions of both parts."""

    name: str
    path: Path
    before: tuple[Question, ...]
    after: tuple[Question, ...]

    def part(self, part: str) -> tuple[Question, ...]:
        """The questions of ``before`` or ``after``."""
        if part not in PARTS:
            raise QuizError(gettext("A quiz has the parts before and after, received {part!r}; choose one of the two.").format(part=part))
        return self.before if part == "before" else self.after


@dataclass(frozen=True)
class Verdict:
    """What :func:`grade` says: right or not, and the feedback (MyST) that the response has earned."""

    correct: bool
    messages: tuple[str, ...]


# Finding and loading


def names(folder: Path) -> list[str]:
    """The names of all quizzes in ``folder``, in alphabetical order."""
    return sorted(path.stem for path in Path(folder).glob("*.yml"))


def path_of(name: str, folder: Path) -> Path:
    """The file of the quiz called ``name``. Raises QuizError, which lists the known ones, nearest first."""
    known = names(folder)
    if name in known:
        return Path(folder) / f"{name}.yml"
    if not known:
        raise QuizError(gettext(
            "No quiz is called {name!r}: {folder} holds no .yml file; name the folder of quizzes."
        ).format(name=name, folder=shown(folder)))
    nearest = sorted(known, key=lambda other: -difflib.SequenceMatcher(None, name, other).ratio())
    text = gettext("No quiz is called {name}; {folder} holds {names}: use one of these.")
    raise QuizError(text.format(name=repr(name), folder=shown(folder), names=listed(nearest)))


def find(name: str, folder: Path) -> Quiz:
    """Load the quiz called ``name`` from ``folder``. Raises QuizError."""
    return load(path_of(name, folder))


def find_all(folder: Path) -> list[Quiz]:
    """Load all quizzes of ``folder``. Raises QuizError, also where one id stands in two files."""
    seen: dict[str, Quiz] = {}
    course = [find(name, folder) for name in names(folder)]
    for quiz in course:
        for question in quiz.before + quiz.after:
            if question.id in seen:
                expected = f"an id that is unique in the course, as answers are kept by it (it stands in {seen[question.id].path.name}, too)"
                raise _fault(quiz, question, "id", expected, repr(question.id))
            seen[question.id] = quiz
    return course


def version_1_names(folder: Path) -> dict[str, str]:
    """Which question each key of version 1 of the kept answers, ``chapter.part.question``, means today."""
    path = Path(folder) / "version-1.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def load(path: Path) -> Quiz:
    """Read and check one quiz file. Raises QuizError with one sentence: file, question, field, expected, received."""
    path = Path(path)
    try:
        status = path.stat()
    except OSError as error:
        raise QuizError(gettext("{path}: expected a readable file, received {problem!r}.").format(path=shown(path), problem=error.strerror)) from error
    return _load(path, status.st_mtime_ns, status.st_size)


@functools.lru_cache(maxsize=256)  # a build asks for each file three times: for both parts in the page, and for the progress page
def _load(path: Path, changed: int, size: int) -> Quiz:
    root, data = _read(path)
    _check_form(path, data)
    quiz = Quiz(name=path.stem, path=path, **{part: _questions(root, data, part) for part in PARTS})
    _check_sense(quiz)
    return quiz


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # by libyaml, where PyYAML has it: ten times as fast
    """YAML as version 1.2 reads it: ``yes`` and ``on`` are words, ``1e-3`` is a number, and a key stands once."""

    yaml_implicit_resolvers: dict = {}

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        seen = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value in seen:
                problem = f"the key {key.value!r} stands twice in one place"
                raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
            seen.add(key.value if isinstance(key, yaml.ScalarNode) else None)
        return super().construct_mapping(node, deep)


for _tag, _pattern, _first in [
    ("null", r"^(~|null|)$", ["~", "n", ""]),
    ("bool", r"^(true|false)$", ["t", "f"]),
    ("int", r"^[-+]?(0|[1-9][0-9]*)$", list("-+0123456789")),
    ("float", r"^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$", list("-+.0123456789")),
]:
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), _first)


def _read(path: Path) -> tuple[yaml.Node | None, Any]:
    """The file as YAML nodes (which know their lines) and as data."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise QuizError(gettext("{path}: expected a readable file, received {problem!r}.").format(path=shown(path), problem=error.strerror)) from error
    except UnicodeDecodeError as error:
        raise QuizError(gettext("{path}: expected UTF-8, received byte {byte:#x}.").format(path=shown(path), byte=error.object[error.start])) from error
    loader = _Loader(text)
    try:
        root = loader.get_single_node()
        if root is not None:
            _refuse_escapes(root, text)
        return root, None if root is None else loader.construct_document(root)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise QuizError(
            gettext(
                "{path}{line}: expected YAML, received an error: {problem}; a text with ': ' or ' #' in it, or that begins with a "
                "special character, needs quotes or a | block."
            ).format(path=shown(path), line=line, problem=problem)
        ) from error
    finally:
        loader.dispose()


def _refuse_escapes(node: yaml.Node, text: str) -> None:
    """In double quotes YAML turns the ``\\t`` of ``\\times`` into a tab: refuse what would mangle LaTeX silently."""
    if isinstance(node, yaml.ScalarNode):
        if node.style == '"':
            source = text[node.start_mark.index : node.end_mark.index]
            escape = next((found for found in re.findall(r"\\(.)", source) if found.isalpha()), None)
            if escape:
                raise yaml.constructor.ConstructorError(
                    None, None, rf"in double quotes \{escape} is an escape; use single quotes", node.start_mark
                )
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            _refuse_escapes(key, text)
            _refuse_escapes(value, text)
    else:
        for value in node.value:
            _refuse_escapes(value, text)


def _questions(root: yaml.Node, data: dict, part: str) -> tuple[Question, ...]:
    nodes = next(value for key, value in root.value if key.value == part).value
    return tuple(_question(raw, node.start_mark.line + 1) for raw, node in zip(data[part], nodes, strict=True))


def _question(raw: dict, line: int) -> Question:
    fields = dict(raw, line=line)
    fields["choices"] = tuple(Choice(**choice) for choice in raw.get("choices", ()))
    fields["mistakes"] = tuple(Mistake(**mistake) for mistake in raw.get("mistakes", ()))
    fields["accept"] = tuple(raw.get("accept", ()))
    return Question(**fields)


# Checking a file


@functools.cache
def _validator() -> jsonschema.Draft202012Validator:
    import jsonschema  # here, not above: it takes a second where all of its formats are installed

    schema = json.loads(Path(__file__).with_name("quizzes.schema.json").read_text(encoding="utf-8"))
    return jsonschema.Draft202012Validator(schema)


def _check_form(path: Path, data: Any) -> None:
    """Hold the data to the schema; raise a sentence about the first thing that is wrong."""
    errors = list(_validator().iter_errors(data))
    if not errors:
        return
    error = min(errors, key=_place)
    steps, expected, received = _explain(error)
    raise QuizError(_sentence(path, data, [*error.absolute_path, *steps], expected, received))


def _place(error: jsonschema.ValidationError) -> tuple:
    """What to report first: ``before``, then the question, then what is nearest to its top; a misspelt field before
    the field that is missing for it."""
    part, position, *steps = [*error.absolute_path, -1, -1][: max(2, len(error.absolute_path))]
    return (part == "after", position, len(steps), [str(step) for step in steps], error.validator == "required")


def _explain(error: jsonschema.ValidationError) -> tuple[list, str, str]:
    """What a schema error means: the steps from its place to the field, what is expected there, what came."""
    value = error.instance
    if error.validator == "required":
        missing = next(name for name in error.validator_value if name not in value)
        return [missing], "a value", "nothing"
    if error.validator == "additionalProperties":
        allowed = list(error.schema["properties"])
        unknown = next(name for name in value if name not in allowed)
        return [unknown], f"one of the fields {', '.join(allowed)}", f"an unknown field{_meant(unknown, allowed)}"
    if error.validator == "enum":
        expected = "one of " + ", ".join(error.validator_value)
        return [], expected, _brief(value) + _meant(value, error.validator_value)
    if error.validator == "minItems":
        least = error.validator_value
        return [], f"at least {least} {'entry' if least == 1 else 'entries'}", str(len(value))
    if error.validator == "minimum":
        return [], "a tolerance of 0 or more", _brief(value)
    if error.validator == "pattern":
        if error.schema_path[-2] == "tolerance":
            return [], "a number, or a percentage such as 2%", _brief(value)
        if error.validator_value == r"\S":
            return [], "some text", "an empty one"
        return [], "lower-case letters, digits and single hyphens", _brief(value)
    wanted = {
        "string": "a text",
        "number": "a number",
        "boolean": "true or false",
        "array": "a list",
        "object": "a mapping of fields",
    }
    expected = " or ".join(wanted[kind] for kind in _as_list(error.validator_value))
    hint = " (put it in quotes)" if "string" in error.validator_value and isinstance(value, int | float) else ""
    return [], expected, _brief(value) + hint


def _as_list(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def _meant(word: Any, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(str(word), known, n=1)
    return f" (did you mean {near[0]}?)" if near else ""


def _brief(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if isinstance(value, dict):
        return "a mapping"
    shown = repr(value)
    return shown if len(shown) <= 60 else shown[:56] + "...'"


def _sentence(path: Path, data: Any, steps: list, expected: str, received: str) -> str:
    """One sentence that names file, question and field."""
    place = shown(path)
    if len(steps) >= 2 and steps[0] in PARTS:
        part, position, *steps = steps
        raw = data[part][position]
        known = isinstance(raw, dict) and isinstance(raw.get("id"), str)
        place += f", question {raw['id']!r}" if known else f", question {position + 1} of {part}"
    if steps:
        field = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps).lstrip(".")
        place += f", field {field!r}"
    return f"{place}: expected {expected}, received {received}."


def _check_sense(quiz: Quiz) -> None:
    """Hold a well-formed quiz to what a schema can't say."""
    seen: set[str] = set()
    for question in quiz.before + quiz.after:
        if question.id in seen:
            raise _fault(quiz, question, "id", "an id that is unique in the file", "one that stands twice")
        seen.add(question.id)
        {"one": _check_choices, "many": _check_choices, "number": _check_number, "text": _check_text}[question.kind](
            quiz, question
        )
        if question.compute:
            try:
                ast.parse(question.compute.strip(), mode="eval")
            except SyntaxError as error:
                raise _fault(quiz, question, "compute", "a Python expression", f"{error.msg}") from error


def _check_choices(quiz: Quiz, question: Question) -> None:
    texts = [choice.text.strip() for choice in question.choices]
    ids = [choice.id for choice in question.choices]
    for position, text in enumerate(texts):
        if ids[position] in ids[:position]:
            raise _fault(quiz, question, f"choices[{position}].id", "ids that differ", f"{ids[position]!r} twice")
        if text in texts[:position]:
            raise _fault(quiz, question, f"choices[{position}].text", "choices that differ", "one that stands twice")
    right = sum(choice.right for choice in question.choices)
    if question.kind == "one" and right != 1:
        raise _fault(quiz, question, "choices", "exactly one right choice", f"{right}")
    if question.kind == "many" and not 0 < right < len(question.choices):
        expected = "at least one right and one wrong choice"
        raise _fault(quiz, question, "choices", expected, f"{right} right of {len(question.choices)}")


def _check_number(quiz: Quiz, question: Question) -> None:
    values = [("answer", question.answer)]
    values += [(f"mistakes[{at}].answer", mistake.answer) for at, mistake in enumerate(question.mistakes)]
    for position, (field, value) in enumerate(values):
        if not math.isfinite(value):
            raise _fault(quiz, question, field, "a finite number", str(value))
        for other, earlier in values[:position]:
            if abs(value - earlier) <= question.margin(earlier):
                expected = f"a number further from {other} ({earlier}) than the tolerance"
                raise _fault(quiz, question, field, expected, str(value))


def _check_text(quiz: Quiz, question: Question) -> None:
    values = [(f"accept[{at}]", text) for at, text in enumerate(question.accept)]
    values += [(f"mistakes[{at}].answer", mistake.answer) for at, mistake in enumerate(question.mistakes)]
    seen: dict[str, str] = {"q": "the letter that leaves a quiz in the terminal"}
    for field, text in values:
        plain = normalise(text)
        if plain in seen:
            raise _fault(quiz, question, field, f"an answer that differs from {seen[plain]}", repr(text))
        seen[plain] = field


def _fault(quiz: Quiz, question: Question, field: str, expected: str, received: str) -> QuizError:
    return QuizError(
        f"{shown(quiz.path)}, question {question.id!r}, field {field!r}: expected {expected}, received {received}."
    )


def shown(path: Path) -> str:
    """A path as a reader at the present folder would write it."""
    path = Path(path)
    try:
        return path.resolve().relative_to(Path.cwd()).as_posix()
    except ValueError:
        return path.as_posix()


# Grading


def grade(question: Question, response: Any) -> Verdict:
    """Judge a response.

    ``response`` is a list of ids of choices (``one``, ``many``), a number or what was typed for one (``number``), or a text
    (``text``). Raises ResponseError when it is no answer at all.
    """
    if question.kind in ("one", "many"):
        return _grade_choices(question, response)
    if question.kind == "number":
        return _grade_number(question, read_number(response))
    return _grade_text(question, str(response))


def _grade_choices(question: Question, response: Iterable[str]) -> Verdict:
    chosen = set(response)
    if not chosen:
        raise ResponseError(gettext("Choose an answer first."))
    if chosen - {choice.id for choice in question.choices} or (question.kind == "one" and len(chosen) > 1):
        raise ResponseError(gettext("Choose among the {count} choices.").format(count=len(question.choices)))
    right = {choice.id for choice in question.choices if choice.right}
    messages = [choice.feedback for choice in question.shown if choice.id in chosen]
    if chosen < right:
        messages.append(gettext(INCOMPLETE))
    return Verdict(chosen == right, tuple(messages))


def _grade_number(question: Question, number: float) -> Verdict:
    if abs(number - question.answer) <= question.margin(question.answer):
        return Verdict(True, (question.right,))
    for mistake in question.mistakes:
        if abs(number - mistake.answer) <= question.margin(mistake.answer):
            return Verdict(False, (mistake.feedback,))
    return Verdict(False, (question.wrong,))


def _grade_text(question: Question, text: str) -> Verdict:
    plain = normalise(text)
    if not plain:
        raise ResponseError(gettext("Type an answer first."))
    if plain in map(normalise, question.accept):
        return Verdict(True, (question.right,))
    for mistake in question.mistakes:
        if plain == normalise(mistake.answer):
            return Verdict(False, (mistake.feedback,))
    return Verdict(False, (question.wrong,))


def normalise(text: str) -> str:
    """A text as it is compared: compatible characters made one (NFKC), lower case, single spaces."""
    return " ".join(unicodedata.normalize("NFKC", text).lower().split())


def read_number(typed: str | float) -> float:
    """What was typed, as a number; the point is decimal, and 1e-3 may be written. Raises ResponseError."""
    if not isinstance(typed, str):
        return float(typed)
    if not re.fullmatch(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?", typed.strip()):
        raise ResponseError(gettext("Type a number, such as 0.25 or 1e-3."))
    number = float(typed)
    if not math.isfinite(number):
        raise ResponseError(gettext("Type a number that is not so large."))
    return number


# Keys that code can compute


def check_computed_keys(quiz: Quiz) -> None:
    """Evaluate each question's ``compute:`` and compare it with the key.

    The expression sees ``np``, ``math`` and ``unrolled`` (submodules are imported when named). Its value is the number,
    an accepted text, or the index (from 0) or text of the right choice; for ``many`` a list of these. Raises
    QuizError, which names file and question, the key, and what the expression gave.
    """
    for question in quiz.before + quiz.after:
        if question.compute:
            _check_computed_key(quiz, question)


def _check_computed_key(quiz: Quiz, question: Question) -> None:
    try:
        value = _evaluate(question.compute)
        agrees = _agrees(question, value)
    except Exception as error:  # whatever an expression raises belongs in the sentence
        received = f"{type(error).__name__}: {error}"
        raise _fault(quiz, question, "compute", "an expression that gives the key", received) from error
    if not agrees:
        raise _fault(quiz, question, "compute", f"the key {_key(question)}", f"{value!r} from the expression")


def _evaluate(expression: str) -> Any:
    import numpy as np

    import unrolled

    tree = ast.parse(expression.strip(), mode="eval")
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and ast.unparse(node).startswith("unrolled."):
            name = ast.unparse(node)
            try:
                importlib.import_module(name)
            except ModuleNotFoundError as error:
                if not name.startswith(str(error.name)):
                    raise
    return eval(compile(tree, "<compute>", "eval"), {"np": np, "math": math, "unrolled": unrolled})


def _key(question: Question) -> Any:
    if question.kind == "number":
        return question.answer
    if question.kind == "text":
        return list(question.accept)
    return [index for index, choice in enumerate(question.choices) if choice.right]


def _agrees(question: Question, value: Any) -> bool:
    if question.kind == "number":
        return bool(abs(float(value) - question.answer) <= question.margin(question.answer))
    if question.kind == "text":
        return normalise(value) in map(normalise, question.accept)
    values = [value] if question.kind == "one" else list(value)
    texts = [choice.text.strip() for choice in question.choices]
    indices = {texts.index(one.strip()) if isinstance(one, str) else operator.index(one) for one in values}
    return sorted(indices) == _key(question)
