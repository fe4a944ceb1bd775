"""`beam_search`: the best sequences that a beam of some width keeps."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np

from .... import reference
from ...task import Case, Mistake, Output, Section, Task
from ..common import float32_mistake
from .shared import ASSIGNMENT, GREEDY, best_sequence, draw, never_ends, not_the_best, quiet, total_logp, with_twin, without

BEAM = Section("tasks/translation", "translation-beam", "Beam search")


def _by_total(candidates: list) -> list:
    """Best first; of equals the lexicographically smaller one."""
    return sorted(candidates, key=lambda c: (-c[1], c[0]))


def _finished(hypothesis: tuple, end: int) -> bool:
    return hypothesis[0][-1:] == (end,)


def _step_score(log_p, last: int, ids: tuple, total: float) -> Iterator[tuple]:
    for token in range(len(log_p)):
        yield (*ids, token), total + log_p[last, token]


def _beam(log_p, start, end, width, max_len, *, order=_by_total, extend=_step_score, prune=None, row=None, final=None,
          finished=_finished):
    """Beam search with one of its parts replaced.

    order(candidates): sorted, best first. extend(log_p, last, ids, total): the extensions. prune(ordered, width): what is kept. row(ids): whose
    row of the table is read. final(kept): the order at the end.
    """
    kept = [((), 0.0)]
    for _ in range(max_len):
        candidates = []
        for ids, total in kept:
            if finished((ids, total), end):
                candidates.append((ids, total))
                continue
            last = row(ids, start) if row else (ids[-1] if ids else start)
            candidates += extend(log_p, last, ids, total)
        kept = order(candidates)[:width] if prune is None else prune(order(candidates), width)
    ids, total = (final(kept, end) if final else kept)[0]
    return list(ids), float(total)


def _beam_with(**changes) -> Callable:
    return quiet(lambda log_p, start, end, width, max_len: _beam(log_p, start, end, width, max_len, **changes))


def _beam_then(change: Callable) -> Callable:
    """The right ids and total passed through `change(ids, total, log_p, start, end)`."""
    return lambda log_p, start, end, width, max_len: change(*_beam(log_p, start, end, width, max_len), log_p, start, end)


def _set_aside(log_p, start, end, width, max_len):
    """Finished hypotheses leave the beam for a list of their own, and take no place in it."""
    kept, done = [((), 0.0)], []
    for _ in range(max_len):
        candidates = [c for ids, total in kept for c in _step_score(log_p, ids[-1] if ids else start, ids, total)]
        done += [c for c in _by_total(candidates)[:width] if _finished(c, end)]
        kept = [c for c in _by_total(candidates) if not _finished(c, end)][:width]
    ids, total = _by_total(done + kept)[0]
    return list(ids), float(total)


def _slots_closed(log_p, start, end, width, max_len):
    """Finished hypotheses leave the beam, and the beam has a place less for each."""
    kept, done = [((), 0.0)], []
    for _ in range(max_len):
        candidates = [c for ids, total in kept for c in _step_score(log_p, ids[-1] if ids else start, ids, total)]
        ordered = _by_total(candidates)[: width - len(done)]
        done += [c for c in ordered if _finished(c, end)]
        kept = [c for c in ordered if not _finished(c, end)]
        if not kept:
            break
    ids, total = _by_total(done + kept)[0]
    return list(ids), float(total)


def _finished_dropped(log_p, start, end, width, max_len):
    """Finished hypotheses are no candidates of the next step: only those that end at the last step remain."""
    kept = [((), 0.0)]
    for _ in range(max_len):
        candidates = [c for ids, total in kept if not _finished((ids, total), end)
                      for c in _step_score(log_p, ids[-1] if ids else start, ids, total)]
        if not candidates:
            break
        kept = _by_total(candidates)[:width]
    ids, total = kept[0]
    return list(ids), float(total)


def _per_parent(count: Callable) -> Callable:
    """Of the extensions of each hypothesis only the best `count(width)` become candidates."""

    def beam_search(log_p, start, end, width, max_len):
        def extend(log_p, last, ids, total):
            return _by_total(list(_step_score(log_p, last, ids, total)))[: count(width) if ids else width]

        return _beam(log_p, start, end, width, max_len, extend=extend)

    return beam_search


def _no_pruning(log_p, start, end, width, max_len):
    """The best `width` extensions of every hypothesis, and all of them are kept."""
    def extend(log_p, last, ids, total):
        return _by_total(list(_step_score(log_p, last, ids, total)))[:width]

    return _beam(log_p, start, end, width, max_len, extend=extend, prune=lambda ordered, width: ordered[:400])


def _finished_first(kept, end):
    return sorted(kept, key=lambda c: not _finished(c, end))


def _by_mean(hypotheses: list, _) -> list:
    return sorted(hypotheses, key=lambda c: c[1] / max(1, len(c[0])), reverse=True)


def _stops_at_first(log_p, start, end, width, max_len):
    kept = [((), 0.0)]
    for _ in range(max_len):
        candidates = [c for ids, total in kept for c in _step_score(log_p, ids[-1] if ids else start, ids, total)]
        kept = _by_total(candidates)[:width]
        if done := [c for c in kept if _finished(c, end)]:
            kept = done
            break
    ids, total = kept[0]
    return list(ids), float(total)


def _end_row_zeroed_in_place(log_p, start, end, width, max_len):
    result = _beam(log_p, start, end, width, max_len)
    log_p[end, end] = 0.0
    return result


def _search_case(name: str, log_p, start: int, end: int, width: int, max_len: int) -> Case:
    return Case(name, {"log_p": log_p, "start": start, "end": end, "width": width, "max_len": max_len})


def _differ(width: int, max_len: int, one: Callable, other: Callable) -> Callable:
    """These two ways of searching give different ids."""
    return lambda log_p, start, end: one(log_p, start, end, width, max_len)[0] != other(log_p, start, end, width, max_len)[0]


def _differs(width: int, max_len: int, *others: Callable, and_also: Callable | None = None) -> Callable:
    """Beam search gives other ids than each of these ways of searching."""

    def wanted(log_p, start, end):
        ids, total = _beam(log_p, start, end, width, max_len)
        if and_also and not and_also(ids, end):
            return False
        return all(other(log_p, start, end, width, max_len)[0] != ids for other in others)

    return wanted


def _ended(ids, end) -> bool:
    return ids[-1] == end and len(ids) >= 2


def _unfinished(ids, end) -> bool:
    return ids[-1] != end


def _narrower(log_p, start, end, width, max_len):
    return _beam(log_p, start, end, width - 1, max_len)


def _wider(log_p, start, end, width, max_len):
    return _beam(log_p, start, end, width + 1, max_len)


def _width_1(log_p, start, end, width, max_len):
    return _beam(log_p, start, end, 1, max_len)


def _search_tie(rng: np.random.Generator, width: int = 2) -> tuple[np.ndarray, int, int]:
    """A table in which every token has a twin, so that the beam must choose among equals at every step."""

    def wanted(log_p, start, end):
        twins = twinned(log_p)
        return (start in (1, 2) and end in (1, 2, 3) and _differs(width, 5, _last_of_equals)(twins, start, end)
                and _ended(_beam(twins, start, end, width, 5)[0], end) and len(_beam(twins, start, end, width, 5)[0]) >= 3)

    def twinned(log_p):
        for token in range(4, 6):
            log_p = with_twin(log_p, token, token + 2)
        return log_p

    log_p, start, end = draw(rng, 8, wanted)
    return twinned(log_p), start, end


def _crossed_tie(rng: np.random.Generator) -> tuple[np.ndarray, int, int]:
    """A table in which two sequences are equally likely, and the one with the larger ids is ahead after a step."""
    log_p = rng.uniform(-14.0, -12.0, size=(5, 5))
    likely, unlikely = rng.uniform(-1.0, -0.5), rng.uniform(-2.0, -1.5)
    log_p[0, 2], log_p[2, 4] = unlikely, likely
    log_p[0, 3], log_p[3, 4] = likely, unlikely
    return log_p, 0, 1


def _last_of_equals(log_p, start, end, width, max_len):
    return _beam(log_p, start, end, width, max_len, order=lambda candidates: sorted(candidates, key=lambda c: (c[1], c[0]))[::-1])


def _beam_form(rng: np.random.Generator) -> Case:
    return _search_case("width 2, a few tokens", *draw(rng, 6, _differs(2, 5, _width_1, and_also=_ended)), 2, 5)


def _beam_values(rng: np.random.Generator) -> list[Case]:
    V = int(rng.integers(5, 8))
    means = _beam_with(final=_by_mean), _beam_with(order=lambda candidates: _by_mean(candidates, None))
    shorter = _differs(3, 6, *means, and_also=_ended)
    wide = draw(rng, 4, _differs(64, 4, _width_1, and_also=_ended))
    sparse = draw(rng, V, _differs(3, 6, _width_1, and_also=_ended))
    path = [sparse[1], *_beam(*sparse, 3, 6)[0]]
    low = draw(rng, V, _differs(3, 6, _width_1, and_also=_ended))
    end_is_0 = draw(rng, 5, lambda log_p, start, end: _differs(2, 5, _width_1, and_also=_ended)(log_p, start, 0))
    return [
        _search_case("one token allowed (max_len=1), width 1", *draw(rng, V, never_ends), 1, 1),
        _search_case("width 1, which is greedy", *draw(rng, V, not_the_best), 1, 4),
        _search_case("width 2 finds what greedy misses", *draw(rng, V, _differs(2, 4, _width_1, and_also=_ended)), 2, 4),
        _search_case("a finished hypothesis stays while others go on",
                     *draw(rng, V, _differs(3, 6, _stops_at_first, _finished_dropped, and_also=_ended), alpha=0.5), 3, 6),
        _search_case("a finished hypothesis keeps its place in the beam", *draw(rng, V, _differs(3, 6, _set_aside, _slots_closed)), 3, 6),
        _search_case("the best one kept is unfinished at max_len",
                     *draw(rng, V, _differs(3, 5, _beam_with(final=_finished_first), and_also=_unfinished)), 3, 5),
        _search_case("two of the kept come from the same beginning",
                     *draw(rng, V, _differs(3, 5, _per_parent(lambda width: 1), _no_pruning)), 3, 5),
        _search_case("a short output is likelier than a longer one",
                     *draw(rng, V, lambda *table: shorter(*table) and _differ(3, 6, *means)(*table)), 3, 6),
        _search_case("one place more or less in the beam would matter", *draw(rng, V, _differs(2, 6, _narrower, _wider)), 2, 6),
        _search_case("a beam so wide that it drops nothing", *wide, 64, 4),
        _search_case("the start token comes again", *draw(rng, 5, _differs(
            2, 6, lambda log_p, start, *a: _beam(_impossible(log_p, start), start, *a))), 2, 6),
        _search_case("ties", *_search_tie(rng), 2, 5),
        _search_case("ties in a wider beam", *_search_tie(rng, 3), 3, 5),
        _search_case("a tie between a likelier beginning and a likelier end", *_crossed_tie(rng), 2, 2),
        _search_case("impossible transitions, whose log-probability is minus infinity", without(sparse[0], rng, path), *sparse[1:], 3, 6),
        _search_case("an end with the id 0", end_is_0[0], end_is_0[1], 0, 2, 5),
        _search_case("log-probabilities so low that exp gives 0", low[0] - 800.0, *low[1:], 3, 6),
        _search_case("a larger vocabulary", *draw(rng, 20, _differs(4, 10, _width_1)), 4, 10),
    ]


def _impossible(log_p, token: int):
    log_p = log_p.copy()
    log_p[:, token] = -math.inf
    return log_p


TASK = Task(
    name="beam_search", assignment=ASSIGNMENT, points=4, section=BEAM,
    arguments={"log_p": ("V", "V"), "start": None, "end": None, "width": None, "max_len": None},
    outputs=(Output("ids", "list", items=(Output("id", "int"),)), Output("total", "float")),
    form_case=_beam_form, value_cases=_beam_values,
    reference=reference.beam_search, solution=_beam,
    mistakes=(
        Mistake("greedy", "greedy decoding: keep the best `width` at each step", _width_1, section=GREEDY),
        Mistake("one-narrower", "a beam with one place less than `width`", lambda log_p, start, end, width, max_len: (
            _beam(log_p, start, end, max(1, width - 1), max_len))),
        Mistake("one-wider", "a beam with one place more than `width`", _wider),
        Mistake("best-of-all", "the best of all sequences: the beam drops what is not among the best `width`",
                lambda log_p, start, end, width, max_len: best_sequence(log_p, start, end, max_len)),
        Mistake("one-child-each", "a beam in which each hypothesis goes on with its likeliest token only: all extensions of all of them are "
                "candidates together", _per_parent(lambda width: 1)),
        Mistake("no-pruning", "a search that keeps the best `width` extensions of every hypothesis: of all candidates together the best "
                "`width` are kept", _no_pruning),
        Mistake("finished-set-aside", "finished hypotheses that are put aside and leave their place in the beam to others: they stay among the "
                "candidates, unchanged", _set_aside),
        Mistake("places-closed", "finished hypotheses that are put aside and keep their place for ever: better ones may push them out",
                _slots_closed),
        Mistake("finished-dropped", "finished hypotheses that are forgotten at the next step: they stay among the candidates, unchanged",
                _finished_dropped),
        Mistake("finished-extended", "finished hypotheses that go on after the end: they stay as they are", _beam_with(
            finished=lambda hypothesis, end: False)),
        Mistake("stops-at-first-finished", "a search that stops as soon as one hypothesis is finished: go on until all kept are finished, or to "
                "max_len", _stops_at_first),
        Mistake("finished-preferred", "the best finished hypothesis where an unfinished one is better: unfinished ones count, too",
                _beam_with(final=_finished_first)),
        Mistake("mean-at-the-end", "the hypothesis with the best mean log-probability a token: compare the totals", _beam_with(
            final=_by_mean)),
        Mistake("mean-at-each-step", "a beam sorted by the mean log-probability a token: compare the totals", _beam_with(
            order=lambda candidates: _by_mean(candidates, None))),
        Mistake("last-step-only", "a beam sorted by the last token's log-probability alone: add up the totals", _beam_with(
            extend=lambda log_p, last, ids, total: [((*ids, token), log_p[last, token]) for token in range(len(log_p))])),
        Mistake("worst-kept", "a beam that keeps the least likely: log-probabilities are negative, and the largest is nearest to 0",
                _beam_with(order=lambda candidates: sorted(candidates, key=lambda c: (c[1], c[0])))),
        Mistake("worst-returned", "the last of those kept: return the best", _beam_with(final=lambda kept, end: kept[::-1])),
        Mistake("longest-returned", "the longest of those kept: return the best", _beam_with(
            final=lambda kept, end: sorted(kept, key=lambda c: -len(c[0])))),
        Mistake("ties-to-the-larger", "a beam in which a tie goes to the lexicographically larger ids: the smaller ones win",
                _last_of_equals),
        Mistake("columns", "a search down the columns: log_p[i, j] is log P(j | i), so take the row of the last id",
                lambda log_p, *rest: _beam(log_p.T, *rest)),
        Mistake("start-row-always", "extensions by the start's row at every step: the row is that of the last id", _beam_with(
            row=lambda ids, start: start)),
        Mistake("first-row", "a beginning from the first row of the table: it starts with the row of start",
                lambda log_p, start, *rest: _beam(log_p, 0, *rest)),
        Mistake("start-never-again", "hypotheses among which the start never comes: nothing forbids it",
                lambda log_p, start, *rest: _beam(_impossible(log_p, start), start, *rest)),
        Mistake("end-left-out", "right ids without the end: it belongs to them", _beam_then(
            lambda ids, total, log_p, start, end: (ids[:-1] if ids[-1] == end else ids, total))),
        Mistake("end-not-counted", "a total without the end's log-probability", _beam_then(
            lambda ids, total, log_p, start, end: (ids, total_logp(log_p, start, ids[:-1] if ids[-1] == end else ids)))),
        Mistake("first-not-counted", "a total without the first token's log-probability, the one after the start", _beam_then(
            lambda ids, total, log_p, start, end: (ids, total_logp(log_p, ids[0], ids[1:])))),
        Mistake("start-included", "right ids that begin with the start: they are those after it", _beam_then(
            lambda ids, total, log_p, start, end: ([start, *ids], total))),
        Mistake("max_len-counts-start", "at most max_len - 1 ids: the start does not count", lambda log_p, start, end, width, max_len: (
            _beam(log_p, start, end, width, max_len - 1))),
        Mistake("one-too-many", "at most max_len + 1 ids", lambda log_p, start, end, width, max_len: (
            _beam(log_p, start, end, width, max_len + 1))),
        Mistake("end-is-0", "hypotheses that finish at the id 0, whatever `end` is", lambda log_p, start, end, *rest: (
            _beam(log_p, start, 0, *rest))),
        Mistake("probability", "right ids with the probability: return the total of the logarithms", _beam_then(
            lambda ids, total, *rest: (ids, math.exp(total)))),
        Mistake("minus-total", "right ids with the total's sign turned round", _beam_then(lambda ids, total, *rest: (ids, -total))),
        Mistake("mean-returned", "right ids with the mean a token: return the total", _beam_then(
            lambda ids, total, *rest: (ids, total / len(ids)))),
        Mistake("product-of-logs", "log-probabilities that are multiplied: add them", _beam_with(
            extend=lambda log_p, last, ids, total: [
                ((*ids, token), total * log_p[last, token] if ids else log_p[last, token]) for token in range(len(log_p))])),
        Mistake("by-way-of-probabilities", "products of probabilities, which underflow to 0: add the logarithms as they came",
                quiet(lambda log_p, start, end, width, max_len: _of_products(log_p, start, end, width, max_len))),
        Mistake("ids-alone", "right ids without the total: return both", _beam_then(lambda ids, *rest: ids)),
        Mistake("swapped", "right results in another order: the ids come first", _beam_then(lambda ids, total, *rest: (total, ids))),
        Mistake("array", "an array of right ids: return a list", _beam_then(lambda ids, total, *rest: (np.array(ids), total))),
        Mistake("all-kept", "a list of what was kept: return the best of it alone", _beam_then(
            lambda ids, total, *rest: [(ids, total)])),
        Mistake("table-changed", "right results from a function that writes into the caller's table: work on a copy",
                _end_row_zeroed_in_place),
        float32_mistake(_beam, tolerance=1e-5),
    ),
)


def _of_products(log_p, start, end, width, max_len):
    """The beam by products of probabilities; the logarithm is taken at the end."""
    p = np.exp(log_p)

    def extend(_, last, ids, total):
        return [((*ids, token), (total if ids else 1.0) * p[last, token]) for token in range(len(p))]

    ids, product = _beam(log_p, start, end, width, max_len, extend=extend)
    return ids, float(np.log(product))
