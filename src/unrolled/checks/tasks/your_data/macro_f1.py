"""`macro_f1`: a score to which every class contributes alike, however rare it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from .... import reference
from ...task import Case, Mistake, Output, Section, Task
from .shared import ASSIGNMENT

SCORE = Section("tasks/languages", "languages-score", "A score in which every class counts alike")


def _case(name: str, labels: Sequence[str], predictions: Sequence[str]) -> Case:
    return Case(name, {"labels": [str(label) for label in labels], "predictions": [str(label) for label in predictions]})


def _drawn(rng: np.random.Generator, classes: list[str], counts: Sequence[int], right: float) -> tuple[list[str], list[str]]:
    """Labels with these counts, and predictions of which about so many are right; each class is met by some, and F1 differs from its rivals."""
    labels = [str(label) for label in rng.permutation(np.repeat(classes, counts))]
    while True:
        predictions = [label if rng.random() < right else str(rng.choice(classes)) for label in labels]
        truth = _macro(labels, predictions)
        rivals = (_accuracy, _weighted, _of_means, _macro_of(_precision), _macro_of(_recall))
        if 0.1 < truth < 0.95 and all(abs(rival(labels, predictions) - truth) > 1e-3 for rival in rivals):
            return labels, predictions


def _form(rng: np.random.Generator) -> Case:
    return _case("a few labels", ["a", "b", "b", "c", "a"], ["a", "b", "a", "c", "c"])


def _values(rng: np.random.Generator) -> list[Case]:
    names = [str(name) for name in rng.permutation(["da", "en", "fi", "sv", "cy", "eu"])]
    a, b, c, d = names[:4]
    return [
        _case("two classes, one error", [a, a, a, b, b], [a, a, b, b, b]),
        _case("three classes", *_drawn(rng, names[:3], (7, 5, 6), 0.6)),
        _case("a rare class", *_drawn(rng, names[:2], (30, 3), 0.7)),
        _case("a class that is never predicted", [a, a, a, b, b, c], [a, a, b, b, a, b]),
        _case("a class that is predicted and never right, since no label has it", [a, a, b, b, b], [a, c, b, b, c]),
        _case("one class missing in each list", [a, b, b, d, d], [a, b, c, a, b]),
        _case("all right", [a, b, c, b], [a, b, c, b]),
        _case("a single hit", [a, b, c, d], [a, c, d, b]),
        _case("names that contain others", ["a", "aa", "aaa", "aa", "a"], ["a", "aa", "aa", "a", "aa"]),
        _case("six classes, many rows", *_drawn(rng, names, (40, 5, 12, 3, 25, 9), 0.65)),
    ]


def _counts(labels, predictions, name) -> tuple[int, int, int]:
    """How often the class is right, predicted, and meant."""
    hits = sum(label == predicted == name for label, predicted in zip(labels, predictions, strict=True))
    return hits, list(predictions).count(name), list(labels).count(name)


def _f1(hits, predicted, meant) -> float:
    return 2 * hits / (predicted + meant) if predicted + meant else 0.0


def _precision(hits, predicted, meant) -> float:
    return hits / predicted if predicted else 0.0


def _recall(hits, predicted, meant) -> float:
    return hits / meant if meant else 0.0


def _classes(labels, predictions) -> list[str]:
    return sorted({*labels, *predictions})


def _macro(labels, predictions, *, score=_f1, classes=_classes, mean=lambda scores: sum(scores) / len(scores)) -> float:
    return float(mean([score(*_counts(labels, predictions, name)) for name in classes(labels, predictions)]))


def _macro_of(score: Callable) -> Callable:
    return lambda labels, predictions: _macro(labels, predictions, score=score)


def _over(classes: Callable) -> Callable:
    return lambda labels, predictions: _macro(labels, predictions, classes=classes)


def _mean_by(mean: Callable) -> Callable:
    return lambda labels, predictions: _macro(labels, predictions, mean=mean)


def _accuracy(labels, predictions) -> float:
    return sum(label == predicted for label, predicted in zip(labels, predictions, strict=True)) / len(labels)


def _weighted(labels, predictions) -> float:
    return sum(_f1(*_counts(labels, predictions, name)) * list(labels).count(name) for name in set(labels)) / len(labels)


def _of_means(labels, predictions) -> float:
    precision, recall = _macro(labels, predictions, score=_precision), _macro(labels, predictions, score=_recall)
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def _accuracy_of_class(labels, predictions) -> float:
    names = _classes(labels, predictions)
    return sum(sum((label == name) == (predicted == name) for label, predicted in zip(labels, predictions, strict=True)) / len(labels)
               for name in names) / len(names)  # fmt: skip


def _without_zeros(scores: list[float]) -> float:
    above = [score for score in scores if score > 0]
    return sum(above) / len(above) if above else 0.0


def _divided_by_labels(labels, predictions) -> float:
    """The scores of all classes, over the number of classes that labels have."""
    return _macro(labels, predictions, mean=sum) / len(set(labels))


def _paired(labels, predictions) -> float:
    """Counts a class as hit as often as both lists have it, wherever."""
    return _macro(labels, predictions, mean=lambda _: (
        sum(2 * min(list(labels).count(n), list(predictions).count(n)) / (list(labels).count(n) + list(predictions).count(n))
            for n in _classes(labels, predictions)) / len(_classes(labels, predictions))))  # fmt: skip


TASK = Task(
    name="macro_f1", assignment=ASSIGNMENT, points=2, section=SCORE,
    arguments={"labels": None, "predictions": None},
    outputs=(Output("macro F1", "float"),),
    form_case=_form, value_cases=_values,
    reference=reference.macro_f1, solution=_macro,
    mistakes=(
        Mistake("accuracy", "the accuracy: macro F1 is a mean over classes", _accuracy),
        Mistake("weighted", "a mean of F1 weighted by the number of labels: every class counts alike", _weighted),
        Mistake("precision", "a mean of precisions: F1 counts what was missed, too", _macro_of(_precision)),
        Mistake("recall", "a mean of recalls: F1 counts wrong predictions of the class, too", _macro_of(_recall)),
        Mistake("of-means", "F1 of the mean precision and the mean recall: take F1 of each class first", _of_means),
        Mistake("mean-of-both", "the mean of precision and recall in place of their harmonic mean, 2 P R / (P + R)", _macro_of(
            lambda *counts: (_precision(*counts) + _recall(*counts)) / 2)),
        Mistake("without-2", "F1 without the factor 2", _macro_of(lambda *counts: _f1(*counts) / 2)),
        Mistake("jaccard", "hits over all rows in which the class is meant or predicted: F1 counts the hits twice, above and below", _macro_of(
            lambda hits, predicted, meant: hits / (predicted + meant - hits) if predicted + meant else 0.0)),
        Mistake("geometric", "the root of precision times recall: F1 is their harmonic mean", _macro_of(
            lambda *counts: (_precision(*counts) * _recall(*counts)) ** 0.5)),
        Mistake("product", "precision times recall: F1 is their harmonic mean", _macro_of(lambda *counts: _precision(*counts) * _recall(*counts))),
        Mistake("labels-only", "a mean over the classes that labels have: one that is predicted only counts, with 0", _over(
            lambda labels, predictions: sorted(set(labels)))),
        Mistake("predicted-only", "a mean over the classes that are predicted: one that is never predicted counts, with 0", _over(
            lambda labels, predictions: sorted(set(predictions)))),
        Mistake("in-both", "a mean over the classes that both lists have: the others count, with 0", _over(
            lambda labels, predictions: sorted(set(labels) & set(predictions)))),
        Mistake("zeros-left-out", "a mean over the classes with a hit: the others count, with 0", _mean_by(_without_zeros)),
        Mistake("divided-by-labels", "a sum over all classes divided by the number of those that labels have", _divided_by_labels),
        Mistake("sum", "the sum over the classes: take the mean", _mean_by(sum)),
        Mistake("lowest", "the lowest F1 of a class: take the mean", _mean_by(min)),
        Mistake("highest", "the highest F1 of a class: take the mean", _mean_by(max)),
        Mistake("median", "the median over the classes: take the mean", _mean_by(lambda scores: float(np.median(scores)))),
        Mistake("mean-over-rows", "a mean over rows of the F1 of each row's label: a class counts once", lambda labels, predictions: (
            _macro(labels, predictions, classes=lambda labels, predictions: [*labels, *(set(predictions) - set(labels))]))),
        Mistake("right-or-not", "for each class the share of rows on which it is told apart from the rest: rows of other classes that are "
                "rightly called something else are no hits", _accuracy_of_class),
        Mistake("wherever", "hits counted as often as both lists have the class, wherever: compare row by row", _paired),
        Mistake("per-cent", "macro F1 in per cent: it lies between 0 and 1", lambda labels, predictions: 100 * _macro(labels, predictions)),
        Mistake("error", "1 minus macro F1", lambda labels, predictions: 1 - _macro(labels, predictions)),
        Mistake("per-class", "F1 of each class: return their mean", lambda labels, predictions: [
            _f1(*_counts(labels, predictions, name)) for name in _classes(labels, predictions)]),
        Mistake("labels-sorted", "right macro F1 from a function that sorts the caller's labels in place: use sorted()",
                lambda labels, predictions: (_macro(labels, predictions), labels.sort())[0]),
    ),
)
