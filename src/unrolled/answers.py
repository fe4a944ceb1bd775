"""The log of a learner's answers: what it holds, how two logs become one, and how a question stands.

A log is a list of events. Events are only ever added, so logs of several places (a browser, a terminal, a file) are merged by
uniting them: by :func:`merged`, in any order and as often as one likes. ``static/unrolled-answers.js`` of the page does the same.

An answer is ::

    {"id": "0f3c…", "at": "2026-11-28T17:49:26.123Z", "question": "jacobian", "answer": ["b"], "right": true}

``id`` is random and belongs to this event alone, wherever it is copied to; ``at`` is the time in UTC; ``question`` is the question's id,
which is unique in the course and does not name the page; ``answer`` holds the ids of the choices, or the text that was typed. ::

    {"id": "77ab…", "at": "2026-11-29T08:00:00.000Z", "question": "jacobian", "reset": true}

says that earlier answers to the question no longer count. What version 1 of these files knew of a question has no date. It is the last
answer, with how many there were and whether the first was right; its ``id`` is made from its content, so that it is taken over once::

    {"id": "v1 gru.after.jacobian 3 …", "at": null, "question": "jacobian", "answer": ["b"], "right": true, "first": false, "answered": 3}

A question that was met in another way than by an answer, such as that of a mistake which a check has named, stands in the log in the same
form: as one undated wrong answer, empty, whose ``id`` is made from the question (:func:`met_event`). So it is due at once, once for all places.

Fields that are not named here are kept as they are. Times have one form, so that their order is that of their text.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

VERSION = 2
Event = dict[str, Any]

_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z", re.ASCII)


class LogError(ValueError):
    """A text that is no log of answers; the message says what was expected, in words that complete “FILE …”."""


class NewerLogError(LogError):
    """A log in a form, `version`, that a later version of the course has written."""

    def __init__(self, version: int) -> None:
        self.version = version
        super().__init__(f"was written by a newer version of the course (its form is {version}, this one reads up to {VERSION})")


@dataclass(frozen=True)
class Standing:
    """How a question stands: how often it was answered, whether the last and the first answer were right, and the last answer."""

    answered: int
    right: bool
    first: bool
    answer: list[str] | str
    at: str | None  # when it was answered last; None where only version 1 knows of it


# Events


def answer_event(question: str, answer: list[str] | str, right: bool, log: Iterable[Event], now: datetime | None = None) -> Event:
    """An answer given now. It is dated after all that the log knows of the question, even if the clock was turned back."""
    return {"id": uuid.uuid4().hex, "at": _time_after(question, log, now), "question": question, "answer": answer, "right": right}


def met_event(question: str) -> Event:
    """A question that is to be asked though it was never answered. Wherever it was met, the event is the same."""
    return {"id": f"met {question}", "at": None, "question": question, "answer": "", "right": False, "first": False, "answered": 1}


def _time_after(question: str, log: Iterable[Event], now: datetime | None) -> str:
    time = _written(now or datetime.now(UTC))
    latest = max((event["at"] or "" for event in log if event["question"] == question), default="")
    return time if time > latest else _written(datetime.fromisoformat(latest) + timedelta(milliseconds=1))


def _written(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def is_event(event: Any) -> bool:
    """Whether a value, as JSON gives it, is an event of a log."""
    if not (isinstance(event, dict) and _is_name(event.get("id")) and _is_name(event.get("question"))):
        return False
    at = event.get("at")
    if event.get("reset") is True:
        return _is_time(at)
    if not (isinstance(event.get("right"), bool) and _is_answer(event.get("answer"))):
        return False
    return _is_time(at) or (at is None and isinstance(event.get("first"), bool) and _is_count(event.get("answered")))


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def _is_answer(value: Any) -> bool:
    return isinstance(value, str) or (isinstance(value, list) and all(isinstance(one, str) for one in value))


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**53


def _is_time(value: Any) -> bool:
    if not (isinstance(value, str) and _TIME.fullmatch(value)):
        return False
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True


# Logs


def merged(*logs: Iterable[Event]) -> list[Event]:
    """All events of these logs, each once, in the order of their times; what has no date comes first."""
    events: dict[str, Event] = {}
    for log in logs:
        for event in log:
            events.setdefault(event["id"], event)
    return sorted(events.values(), key=_order)


def _order(event: Event) -> tuple[str, str]:
    return event["at"] or "", event["id"]


def standings(log: Iterable[Event]) -> dict[str, Standing]:
    """How each question stands that was answered since it was last reset."""
    answers: dict[str, list[Event]] = {}
    for event in merged(log):
        if event.get("reset"):
            answers.pop(event["question"], None)
        else:
            answers.setdefault(event["question"], []).append(event)
    return {question: _standing(events) for question, events in answers.items()}


def _standing(events: list[Event]) -> Standing:
    """``events``: the answers to one question, in order. Of several undated ones, that which knows most answers counts."""
    undated = [event for event in events if event["at"] is None]
    dated = events[len(undated) :]
    if undated:
        old = max(undated, key=lambda event: (event["answered"], event["id"]))
        answered, first, last = old["answered"] + len(dated), old["first"], [old, *dated][-1]
    else:
        answered, first, last = len(dated), dated[0]["right"], dated[-1]
    return Standing(answered, last["right"], first, last["answer"], last["at"])


# Files


def write(log: Iterable[Event]) -> str:
    """A log as the text of a file."""
    return json.dumps({"version": VERSION, "answers": merged(log)}, indent=1) + "\n"


def read(text: str, names: Mapping[str, str]) -> tuple[list[Event], int]:
    """The log of a file of this version or of version 1, and how many of its answers belong to no question of the course.

    ``names`` maps the keys of version 1, ``chapter.part.question``, to the questions' ids. Raises LogError where any part can't be understood.
    """
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        content = None
    version = content.get("version") if isinstance(content, dict) else None
    if not _is_count(version):
        raise LogError("holds no answers to quizzes")
    if version > VERSION:
        raise NewerLogError(version)
    if version == 1:
        return _read_version_1(content.get("questions"), names)
    answers = content.get("answers")
    if not (isinstance(answers, list) and all(map(is_event, answers))):
        raise LogError("holds no answers to quizzes")
    return merged(answers), 0


def _read_version_1(questions: Any, names: Mapping[str, str]) -> tuple[list[Event], int]:
    if not (isinstance(questions, dict) and all(map(_is_version_1, questions.values()))):
        raise LogError("holds no answers to quizzes")
    known = {key: record for key, record in questions.items() if key in names}
    return [_from_version_1(key, names[key], record) for key, record in known.items()], len(questions) - len(known)


def _is_version_1(record: Any) -> bool:
    if not isinstance(record, dict):
        return False
    response = record.get("response")
    chosen = isinstance(response, list) and all(isinstance(one, int) and not isinstance(one, bool) and 0 <= one < 26 for one in response)
    flags = all(isinstance(record.get(name), bool) for name in ("correct", "first"))
    return flags and _is_count(record.get("answered")) and (chosen or isinstance(response, str))


def _from_version_1(key: str, question: str, record: Mapping[str, Any]) -> Event:
    """Version 1 kept the positions of choices. They are called a, b, c … in the order that they had then."""
    response = record["response"]
    answer = response if isinstance(response, str) else [chr(ord("a") + index) for index in response]
    right, first = record["correct"], record["first"]
    said = answer if isinstance(answer, str) else ",".join(answer)
    name = f"v1 {key} {record['answered']} {'right' if right else 'wrong'} {'right' if first else 'wrong'} {said}"
    return {
        "id": name, "at": None, "question": question, "answer": answer, "right": right, "first": first, "answered": record["answered"],
    }  # fmt: skip
