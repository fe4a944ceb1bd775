"""`majority_and_bag_baselines`: what is right without looking at a text, and what counts of its characters say."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .... import reference
from ...task import Case, Mistake, Output, Section, Task
from .shared import ASSIGNMENT

BASELINES = Section("tasks/languages", "languages-baselines", "Baselines first")


def _case(name: str, rows: Sequence[tuple[str, str]], new: Sequence[str]) -> Case:
    return Case(name, {"texts": [text for text, _ in rows], "labels": [label for _, label in rows], "new": list(new)})


def _word(rng: np.random.Generator, letters: str, longest: int = 6) -> str:
    return "".join(rng.choice(list(letters), size=rng.integers(2, longest + 1)))


def _rows(rng: np.random.Generator, counts: dict[str, int], letters: str) -> list[tuple[str, str]]:
    """Texts of each class, which prefers some letters, in random order."""
    rows = []
    for label, count in counts.items():
        favourites = "".join(rng.permutation(list(letters))[: len(letters) // 2]) * 2 + letters
        rows += [(_word(rng, favourites), label) for _ in range(count)]
    return [rows[i] for i in rng.permutation(len(rows))]


def _form(rng: np.random.Generator) -> Case:
    return _case("a few words", _rows(rng, {"x": 4, "y": 3}, "abcd"), ["ab", "cdd", "a"])


def _values(rng: np.random.Generator) -> list[Case]:
    names = [str(name) for name in rng.permutation(["da", "en", "fi", "sv", "cy", "eu"])]
    tied = _rows(rng, {names[0]: 3, names[1]: 3, names[2]: 3}, "abcde")
    while tied[0][1] == min(names[:3]):  # the first label seen is not the first of the alphabet
        tied = tied[1:] + tied[:1]
    large = _rows(rng, dict(zip(names, (9, 4, 12, 3, 7, 5), strict=True)), "abcdefg hij")
    return [
        _case("two classes of equal size", [("aab", names[0]), ("abb", names[1])], ["a", "b"]),
        _case("texts of several characters", _rows(rng, {names[0]: 3, names[1]: 3}, "abc"), ["aab", "cc", "abc"]),
        _case("a class that is more frequent", _rows(rng, {names[1]: 5, names[0]: 2}, "abcd"), ["abcd", "dd"]),
        _case("classes of equal size: the first of the alphabet", tied, ["abc", "e"]),
        _case("characters that no training text has", _rows(rng, {names[0]: 4, names[1]: 3, names[2]: 2}, "abcd"), ["abz", "zq", "cdzz"]),
        _case("large and small letters, spaces and accents", [("Éa b", names[0]), ("éA B", names[1]), ("a é ", names[1])], ["É", "a B", "é A"]),
        _case("an empty text", _rows(rng, {names[0]: 3, names[1]: 2}, "abc"), ["", "a"]),
        _case("six classes", large, [_word(rng, "abcdefg hijk", 12) for _ in range(8)]),
        _case("long texts, whose probability is too small for a float", [("ab" * 300, names[0]), ("abc" * 250, names[1])], ["abc" * 300, "ab" * 400]),
    ]


def _majority(labels) -> str:
    counts = Counter(labels)
    return min(counts, key=lambda label: (-counts[label], label))


def _baselines(
    texts: Sequence[str],
    labels: Sequence[str],
    new: Sequence[str],
    *,
    majority: Callable[[list], Any] = _majority,
    classes: Callable = lambda labels: sorted(set(labels)),
    prior: Callable = lambda count, rows, K: math.log(count / rows),
    tokens: Callable = list,
    added: float = 1.0,
    size: Callable = lambda texts, new, counts: len({c for text in texts for c in text}),
    known_only: bool = True,
    log: Callable = math.log,
    combine: Callable = sum,
):
    names, rows = classes(labels), list(zip(texts, labels, strict=True))
    known = {token for text in texts for token in tokens(text)}
    scores = np.empty((len(new), len(names)))
    for column, name in enumerate(names):
        counts = Counter(token for text, label in rows if label == name for token in tokens(text))
        total = sum(counts.values()) + added * size(texts, new, counts)
        first = prior(list(labels).count(name), len(rows), len(names))
        for row, text in enumerate(new):
            terms = [log((counts[token] + added) / total) for token in tokens(text) if token in known or not known_only]
            scores[row, column] = first + combine(terms)
    return majority(list(labels)), scores


def _with(**changes) -> Callable:
    return lambda texts, labels, new: _baselines(texts, labels, new, **changes)


def _scores_then(change: Callable) -> Callable:
    def majority_and_bag_baselines(texts, labels, new):
        majority, scores = _baselines(texts, labels, new)
        return majority, change(scores)

    return majority_and_bag_baselines


def _mean(terms: list[float]) -> float:
    return sum(terms) / len(terms) if terms else 0.0


def _multiplied(texts, labels, new):
    """Right products of probabilities, which underflow, and their logarithm at the end."""
    with np.errstate(divide="ignore"):
        majority, scores = _baselines(texts, labels, new)
        return majority, np.log(np.exp(scores))


def _count_of_texts(texts, labels, new):
    """Counts in how many texts a character stands, over the number of texts."""
    return _baselines(["".join(sorted(set(text))) for text in texts], labels, new)


def _each_once(text: str) -> list[str]:
    return sorted(set(text))


TASK = Task(
    name="majority_and_bag_baselines", assignment=ASSIGNMENT, points=2, section=BASELINES,
    arguments={"texts": None, "labels": None, "new": None},
    outputs=(Output("majority", "str"), Output("scores", "array", ("N", "K"))),
    form_case=_form, value_cases=_values,
    reference=reference.majority_and_bag_baselines, solution=_baselines,
    measure=lambda arguments: {"N": len(arguments["new"]), "K": len(set(arguments["labels"]))},
    mistakes=(
        Mistake("least-frequent", "the least frequent label as the majority", _with(majority=lambda labels: min(
            set(labels), key=lambda label: (labels.count(label), label)))),
        Mistake("ties-by-appearance", "a majority whose ties go to the label seen first, as from most_common(): they go by the alphabet",
                _with(majority=lambda labels: Counter(labels).most_common(1)[0][0])),
        Mistake("ties-reversed", "a majority whose ties go to the last label of the alphabet, as from max of (count, label)", _with(
            majority=lambda labels: max(set(labels), key=lambda label: (labels.count(label), label)))),
        Mistake("first-of-the-alphabet", "the first label of the alphabet as the majority", _with(majority=min)),
        Mistake("no-prior", "scores without the class's share of the rows", _with(prior=lambda *_: 0.0)),
        Mistake("uniform-prior", "scores with the same share for every class: take its share of the rows", _with(
            prior=lambda count, rows, K: -math.log(K))),
        Mistake("prior-not-log", "scores to which the class's share is added: add its logarithm", _with(prior=lambda count, rows, K: count / rows)),
        Mistake("prior-of-counts", "scores with the logarithm of the class's number of rows: divide it by all rows", _with(
            prior=lambda count, rows, K: math.log(count))),
        Mistake("prior-smoothed", "scores with a share of the rows to which 1 was added: only characters are smoothed", _with(
            prior=lambda count, rows, K: math.log((count + 1) / (rows + K)))),
        Mistake("V-of-the-class", "scores in which V counts the characters of the class alone: it counts those of all training texts", _with(
            size=lambda texts, new, counts: len(counts))),
        Mistake("V-with-new", "scores in which V counts the characters of the new texts, too: only training tells", _with(
            size=lambda texts, new, counts: len({c for text in [*texts, *new] for c in text}))),
        Mistake("V-plus-1", "scores in which V has a place more, for the unknown character: it is skipped", _with(
            size=lambda texts, new, counts: len({c for text in texts for c in text}) + 1)),
        Mistake("V-left-out", "scores whose denominators lack V: 1 was added for each of V characters", _with(size=lambda *_: 0)),
        Mistake("V-is-K", "scores in which V counts the classes: it counts different characters", lambda texts, labels, new: _baselines(
            texts, labels, new, size=lambda *_: len(set(labels)))),
        Mistake("half-added", "scores with 1/2 added to each count: add 1", _with(added=0.5)),
        Mistake("unknown-counted", "scores in which a character that no training text has counts as one seen 0 times: skip it", _with(
            known_only=False)),
        Mistake("each-once", "scores in which a character counts once per new text: a bag counts each time it stands there", (
            lambda texts, labels, new: _baselines(texts, labels, ["".join(_each_once(text)) for text in new]))),
        Mistake("texts-with-it", "scores from the number of texts that have a character: count each time it stands there", _count_of_texts),
        Mistake("words", "scores from words: the bag holds characters", _with(
            tokens=str.split, size=lambda texts, new, counts: len({word for text in texts for word in text.split()}))),
        Mistake("lower-case", "scores in which large and small letters are alike: they are different characters",
                lambda texts, labels, new: _baselines([text.lower() for text in texts], labels, [text.lower() for text in new])),
        Mistake("no-spaces", "scores without the spaces: a space is a character, too", lambda texts, labels, new: _baselines(
            [text.replace(" ", "") for text in texts], labels, [text.replace(" ", "") for text in new])),
        Mistake("mean", "scores with the mean over the characters: take the sum", _with(combine=_mean)),
        Mistake("log2", "scores in bits: take the natural logarithm", _scores_then(lambda scores: scores / math.log(2))),
        Mistake("log10", "scores by the logarithm to base 10: take the natural one", _scores_then(lambda scores: scores / math.log(10))),
        Mistake("minus", "scores with the sign turned", _scores_then(lambda scores: -scores)),
        Mistake("probabilities", "probabilities: return their logarithms", _scores_then(np.exp)),
        Mistake("normalised", "scores whose exp sums to 1 in each row: return the sums of logarithms as they are", _scores_then(
            lambda scores: scores - np.logaddexp.reduce(scores, axis=1, keepdims=True))),
        Mistake("underflow", "products of probabilities, which underflow for a long text: add logarithms", _multiplied),
        Mistake("columns-by-appearance", "right scores with the classes in the order of their appearance: sort them", _with(
            classes=lambda labels: list(dict.fromkeys(labels)))),
        Mistake("columns-reversed", "right scores with the classes from the last of the alphabet to the first", _scores_then(
            lambda scores: scores[:, ::-1].copy())),
        Mistake("transposed", "right scores (K, N): a row for each new text", _scores_then(lambda scores: scores.T.copy())),
        Mistake("scores-only", "right scores without the majority: return both", lambda texts, labels, new: _baselines(texts, labels, new)[1]),
        Mistake("predictions", "the likeliest label for each new text: return the scores", lambda texts, labels, new: (
            _majority(labels), [sorted(set(labels))[i] for i in _baselines(texts, labels, new)[1].argmax(axis=1)])),
        Mistake("majority-everywhere", "the majority once for each new text: return it once", lambda texts, labels, new: (
            [_majority(labels)] * len(new), _baselines(texts, labels, new)[1])),
        Mistake("labels-sorted", "right results from a function that sorts the caller's labels in place: use sorted()",
                lambda texts, labels, new: (_baselines(texts, labels, new), labels.sort())[0]),
    ),
)
