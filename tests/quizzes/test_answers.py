"""The log of answers: what is an event, how logs are merged, how a question stands, and what files are read."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unrolled import answers

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)


def event(number, right=True, question="gate", answer=("a",), minutes=0):
    at = f"2026-11-28T12:{minutes:02}:00.000Z"
    return {"id": f"e{number}", "at": at, "question": question, "answer": list(answer), "right": right}


def reset(number, question="gate", minutes=0):
    return {"id": f"e{number}", "at": f"2026-11-28T12:{minutes:02}:00.000Z", "question": question, "reset": True}


def of_version_1(answered=2, right=True, first=False, question="gate"):
    return {
        "id": f"v1 gru.before.{question} {answered}", "at": None, "question": question, "answer": ["b"], "right": right, "first": first,
        "answered": answered,
    }  # fmt: skip


EVENTS = st.builds(event, st.integers(0, 20), st.booleans(), st.sampled_from(["gate", "slope"]), minutes=st.integers(0, 59))
LOGS = st.lists(EVENTS | st.builds(reset, st.integers(30, 40), minutes=st.integers(0, 59)), max_size=8, unique_by=lambda one: one["id"])

# Merging


@given(LOGS)
def test_merging_a_log_with_itself_changes_nothing(log):
    once = answers.merged(log)
    assert answers.merged(once, log, once) == once


@given(LOGS, LOGS, LOGS)
def test_logs_of_several_places_are_merged_in_any_order(one, two, three):
    def apart(log, place):
        return [one | {"id": f"{one['id']} {place}"} for one in log]

    logs = [apart(log, place) for place, log in enumerate([one, two, three])]
    expected = answers.merged(*logs)
    assert answers.merged(answers.merged(logs[2], logs[0]), logs[1]) == expected
    assert len(expected) == sum(map(len, logs))


def test_fields_that_are_not_known_are_kept():
    more = event(1) | {"seconds": 3.5}
    assert answers.read(answers.write([more]), {}) == ([more], 0)


# How a question stands


def test_first_is_the_first_answer_and_right_the_last():
    standing = answers.standings([event(2, True, minutes=2), event(1, False, minutes=1)])["gate"]
    assert (standing.answered, standing.right, standing.first) == (2, True, False)


def test_the_first_answer_of_all_places_is_the_first():
    here, there = [event(1, True, minutes=5)], [event(2, False, minutes=1)]
    assert not answers.standings(answers.merged(here, there))["gate"].first


def test_what_was_answered_before_a_reset_does_not_count():
    log = [event(1, False), reset(2, minutes=1)]
    assert answers.standings(log) == {}
    assert answers.standings([*log, event(3, True, minutes=2)])["gate"].first


def test_a_reset_of_one_question_leaves_the_others():
    assert list(answers.standings([event(1), event(2, question="slope"), reset(3, minutes=1)])) == ["slope"]


def test_answers_of_version_1_come_before_all_others():
    standing = answers.standings([event(1, True), of_version_1(2, right=False, first=False)])["gate"]
    assert (standing.answered, standing.right, standing.first) == (3, True, False)


def test_of_two_states_of_version_1_that_with_more_answers_counts():
    standing = answers.standings([of_version_1(5, right=True), of_version_1(2, right=False)])["gate"]
    assert (standing.answered, standing.right, standing.at) == (5, True, None)


# New events


def test_an_answer_is_an_event_with_a_time_in_utc():
    made = answers.answer_event("gate", ["a"], True, [], NOON + timedelta(milliseconds=7))
    assert answers.is_event(made)
    assert made["at"] == "2026-11-28T12:00:00.007Z"


def test_a_clock_that_was_turned_back_does_not_make_a_later_answer_an_earlier_one():
    log = [answers.answer_event("gate", ["b"], False, [], NOON)]
    log.append(answers.answer_event("gate", ["a"], True, log, NOON - timedelta(days=1)))
    standing = answers.standings(log)["gate"]
    assert standing.right and not standing.first


# Files


@given(LOGS)
def test_what_is_written_is_read_back(log):
    assert answers.read(answers.write(log), {}) == (answers.merged(log), 0)


@pytest.mark.parametrize("spoiled", [
    {"id": ""}, {"id": 3}, {"at": "2026-11-28"}, {"at": "2026-02-30T12:00:00.000Z"}, {"at": "2026-11-28T12:00:00.000+01:00"}, {"at": None},
    {"question": None}, {"answer": [0]}, {"answer": 3}, {"right": "yes"}, {"right": None},
])  # fmt: skip
def test_a_log_with_anything_else_in_it_is_refused(spoiled):
    text = json.dumps({"version": 2, "answers": [event(1), event(2) | spoiled]})
    with pytest.raises(answers.LogError, match="holds no answers"):
        answers.read(text, {})


def test_a_log_of_a_newer_version_is_told_from_a_damaged_one():
    with pytest.raises(answers.NewerLogError, match="its form is 3, this one reads up to 2"):
        answers.read('{"version": 3}', {})


def test_reading_what_version_1_kept_twice_adds_nothing():
    text = json.dumps({"version": 1, "questions": {"gru.before.gate": {"answered": 2, "correct": True, "first": False, "response": [1]}}})
    first, second = (answers.read(text, {"gru.before.gate": "gate"})[0] for _ in range(2))
    assert answers.merged(first, second) == first
    assert first[0]["answer"] == ["b"]
