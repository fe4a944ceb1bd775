"""`greedy_decode`: the likeliest token, step by step."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from .... import reference
from ...task import Case, Mistake, Output, Task
from .shared import ASSIGNMENT, GREEDY, best_sequence, draw, greedy_with, never_ends, not_the_best, total_logp, with_twin, without


def _ends(length: int, at_least: int = 1) -> Callable:
    """Greedy decoding ends by itself after so many ids, or after `at_least` to `length` ones."""

    def wanted(log_p, start, end):
        ids = greedy_with(log_p, start, end, 50)
        return ids[-1] == end and at_least <= len(ids) <= length and start not in ids

    return wanted


def _start_again(log_p, start, end):
    ids = greedy_with(log_p, start, end, 50)
    return end not in ids and start in ids[1:4]


def _greedy_case(name: str, log_p, start: int, end: int, max_len: int) -> Case:
    return Case(name, {"log_p": log_p, "start": start, "end": end, "max_len": max_len})


def _greedy_tie(rng: np.random.Generator) -> tuple[np.ndarray, int, int]:
    """A table in which the likeliest tokens have twins of a higher id; the last id is one of them."""

    def wanted(log_p, start, end):
        ids = greedy_with(log_p, start, end, 50)
        return ids[-1] == end and 3 <= len(ids) and 7 not in (start, end) and 7 not in ids and ids[0] != start

    log_p, start, end = draw(rng, 8, wanted)
    return with_twin(log_p, greedy_with(log_p, start, end, 50)[0], 7), start, end


def _greedy_form(rng: np.random.Generator) -> Case:
    return _greedy_case("a few tokens", *draw(rng, 6, _ends(5, at_least=2)), 8)


def _greedy_values(rng: np.random.Generator) -> list[Case]:
    exact = draw(rng, 6, _ends(4, at_least=3))
    zeros = draw(rng, 7, _ends(5, at_least=3))
    low = draw(rng, 7, _ends(5, at_least=3))
    order = rng.permutation(7)
    log_p, start, _ = draw(rng, 6, lambda log_p, start, _: _ends(5, at_least=2)(log_p, start, 0))
    return [
        _greedy_case("the likeliest token ends at once", *draw(rng, 5, _ends(1)), 6),
        _greedy_case("two tokens", *draw(rng, 5, _ends(2, at_least=2)), 6),
        _greedy_case("several tokens", *draw(rng, 8, _ends(6, at_least=4)), 12),
        _greedy_case("the likeliest sequence is another one", *draw(rng, 5, not_the_best), 4),
        _greedy_case("an end that never comes: max_len stops it", *draw(rng, 6, never_ends), 7),
        _greedy_case("one token allowed (max_len=1)", *draw(rng, 6, never_ends), 1),
        _greedy_case("an end that comes with the last token allowed", *exact, len(greedy_with(*exact, 50))),
        _greedy_case("an end that would come one token later", *exact, len(greedy_with(*exact, 50)) - 1),
        _greedy_case("the start token comes again", *draw(rng, 6, _start_again), 8),
        _greedy_case("ties", *_greedy_tie(rng), 12),
        _greedy_case("impossible transitions, whose log-probability is minus infinity",
                     without(zeros[0], rng, [zeros[1], *greedy_with(*zeros, 50)]), *zeros[1:], 12),
        _greedy_case("log-probabilities so low that exp gives 0", low[0] - 800.0 - 100.0 * order[:, None], *low[1:], 12),
        _greedy_case("an end with the id 0", log_p, start, 0, 9),
        _greedy_case("a larger vocabulary", *draw(rng, 40, _ends(50, at_least=6)), 60),
    ]


def _decode(log_p, start, end, max_len, *, choose=None, before=0, follow=True):
    """Greedy decoding with another choice `choose(log_p, ids, last)`, or always from the start's row."""
    ids, last = [], start
    while len(ids) < max_len - before:
        token = int(np.argmax(log_p[last])) if choose is None else int(choose(log_p, ids, last))
        ids.append(token)
        if token == end:
            break
        last = token if follow else start
    return ids


def _decode_with(**changes) -> Callable:
    return lambda log_p, start, end, max_len: _decode(log_p, start, end, max_len, **changes)


def _greedy_then(change: Callable) -> Callable:
    """The right ids passed through `change(ids, log_p, start, end, max_len)`."""
    return lambda log_p, start, end, max_len: change(greedy_with(log_p, start, end, max_len), log_p, start, end, max_len)


def _goes_on(log_p, start, end, max_len):
    return greedy_with(log_p, start, -1, max_len)


def _no_repeats(log_p, ids, last):
    row = log_p[last].copy()
    row[[i for i in ids if len(set(ids)) < len(row)]] = -math.inf
    return row.argmax()


def _never(token_of: Callable) -> Callable:
    """Greedy decoding in which one token is never chosen."""

    def greedy_decode(log_p, start, end, max_len):
        table = log_p.copy()
        table[:, token_of(start, end)] = -math.inf
        return greedy_with(table, start, end, max_len)

    return greedy_decode


def _start_masked_in_place(log_p, start, end, max_len):
    ids = greedy_with(log_p, start, end, max_len)
    log_p[:, start] = -math.inf
    return ids


def _of_probabilities(log_p, start, end, max_len):
    return greedy_with(np.exp(log_p), start, end, max_len)


def _end_put_last(ids, log_p, start, end, max_len):
    return ids if ids[-1] == end else [*ids[:-1], end]


def _end_appended(ids, log_p, start, end, max_len):
    return ids if ids[-1] == end else [*ids, end]


def _padded_with_end(ids, log_p, start, end, max_len):
    return ids + [end] * (max_len - len(ids))


TASK = Task(
    name="greedy_decode", assignment=ASSIGNMENT, points=2, section=GREEDY,
    arguments={"log_p": ("V", "V"), "start": None, "end": None, "max_len": None},
    outputs=(Output("ids", "list", items=(Output("id", "int"),)),),
    form_case=_greedy_form, value_cases=_greedy_values,
    reference=reference.greedy_decode, solution=greedy_with,
    mistakes=(
        Mistake("end-left-out", "ids without the end: it belongs to them", _greedy_then(
            lambda ids, log_p, start, end, max_len: ids[:-1] if ids[-1] == end else ids)),
        Mistake("start-included", "ids that begin with the start: they are those after it", _greedy_then(
            lambda ids, log_p, start, end, max_len: [start, *ids])),
        Mistake("start-included-and-counted", "ids that begin with the start, which counts as one of max_len: the ids are those after it",
                _greedy_then(lambda ids, log_p, start, end, max_len: [start, *ids][:max_len])),
        Mistake("max_len-counts-start", "at most max_len - 1 ids: the start does not count", _decode_with(before=1)),
        Mistake("one-too-many", "at most max_len + 1 ids", _decode_with(before=-1)),
        Mistake("goes-on-after-end", "ids that go on after the end: stop there", _goes_on),
        Mistake("padded", "ids that are filled up to max_len with the end", _greedy_then(_padded_with_end)),
        Mistake("end-appended", "ids with an end put behind them where max_len was reached: an unfinished output stays unfinished",
                _greedy_then(_end_appended)),
        Mistake("end-put-last", "ids whose last one was replaced by the end where max_len was reached: an unfinished output stays "
                "unfinished", _greedy_then(_end_put_last)),
        Mistake("columns", "ids read down the columns: log_p[i, j] is log P(j | i), so take the row of the last id",
                _decode_with(choose=lambda log_p, ids, last: log_p[:, last].argmax())),
        Mistake("least-likely", "the least likely id at each step: log-probabilities are negative, and the largest is nearest to 0",
                _decode_with(choose=lambda log_p, ids, last: log_p[last].argmin())),
        Mistake("ties-to-the-highest", "ids in which a tie goes to the highest one: the lowest wins",
                _decode_with(choose=lambda log_p, ids, last: len(log_p) - 1 - log_p[last][::-1].argmax())),
        Mistake("start-row-always", "the likeliest id after the start, again and again: the row is that of the last id",
                _decode_with(follow=False)),
        Mistake("first-row", "a beginning from the first row of the table: it starts with the row of start",
                lambda log_p, start, end, max_len: greedy_with(log_p, 0, end, max_len)),
        Mistake("most-frequent", "ids chosen by their total over all rows: take the row of the last id alone",
                _decode_with(choose=lambda log_p, ids, last: np.exp(log_p).sum(axis=0).argmax())),
        Mistake("no-repeats", "ids of which none comes twice: nothing forbids that", _decode_with(choose=_no_repeats)),
        Mistake("start-never-again", "ids among which the start never comes: nothing forbids it", _never(lambda start, end: start)),
        Mistake("stops-at-start", "ids that stop when the start comes again: only the end stops them", _greedy_then(
            lambda ids, log_p, start, end, max_len: ids[: ids.index(start) + 1] if start in ids else ids)),
        Mistake("stops-on-repeat", "ids that stop when one comes for the second time: only the end stops them", _greedy_then(
            lambda ids, log_p, start, end, max_len: next((ids[:i] for i in range(len(ids)) if ids[i] in ids[:i]), ids))),
        Mistake("end-is-0", "ids that stop at the id 0, whatever `end` is", lambda log_p, start, end, max_len: (
            greedy_with(log_p, start, 0, max_len))),
        Mistake("end-is-false", "ids that never stop at an end whose id is 0, as from `if end and last == end`", lambda log_p, start, end, max_len: (
            greedy_with(log_p, start, end or -1, max_len))),
        Mistake("first-only", "the first id alone: go on until the end", _greedy_then(lambda ids, *rest: ids[:1])),
        Mistake("last-only", "the last id alone: return all of them", _greedy_then(lambda ids, *rest: ids[-1:])),
        Mistake("reversed", "right ids from the last to the first", _greedy_then(lambda ids, *rest: ids[::-1])),
        Mistake("by-way-of-probabilities", "a choice among probabilities that have underflowed to 0: compare the logarithms as they came",
                _of_probabilities),
        Mistake("best-sequence", "the likeliest sequence of all: greedy decoding takes the likeliest id at each step",
                lambda log_p, start, end, max_len: best_sequence(log_p, start, end, max_len)[0]),
        Mistake("array", "an array of right ids: return a list", _greedy_then(lambda ids, *rest: np.array(ids))),
        Mistake("with-total", "right ids with their log-probability: only beam_search returns that", _greedy_then(
            lambda ids, log_p, start, *rest: (ids, total_logp(log_p, start, ids)))),
        Mistake("one-hot", "a row of zeros and a one for each id: return the ids", _greedy_then(
            lambda ids, log_p, *rest: [np.eye(len(log_p))[i] for i in ids])),
        Mistake("table-changed", "right ids from a function that makes the start impossible in the caller's table: work on a copy",
                _start_masked_in_place),
    ),
)
