"""Does a model make the verb agree with its subject, and which unit of its state knows what that takes?

Two kinds of questions about toy English, and about any model of its characters. *Which form of the verb is likelier?* is asked at the places
where the two forms part (`hard_sites`, `window_probs`, `context_probs`, `right_verbs`). *Which unit knows?* is asked over stretches of text on
which a feature has to be remembered (`spans_to_verbs`, `spans_around_verbs`, `spans_over_nouns`, `search_units`).
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from .corpora.toy_english import DETERMINERS, NOUNS, AgreementSite, ToyEnglish
from .text import Vocabulary

NUMBER = {form: number for forms in NOUNS for form, number in zip(forms, ("singular", "plural"), strict=True)}
SHOWN = {word: number for number in ("singular", "plural") for word in DETERMINERS[number]}  # "the" shows none
WORD = re.compile("[a-z]+")


# --- Which form of the verb is likelier? ---------------------------------------------------------


def hard_sites(sample: ToyEnglish, sites: Sequence[AgreementSite]) -> list[AgreementSite]:
    """Those of the sites whose nearest noun has another number than the subject."""
    hard = []
    for site in sites:
        between = sample.text[site.position - site.distance + 1 : site.position].split()
        nouns = [NUMBER[word] for word in between if word in NUMBER]
        if nouns and nouns[-1] != site.subject_number:
            hard.append(site)
    return hard


@torch.no_grad()
def window_probs(model: torch.nn.Module, ids: np.ndarray, sites: Sequence[AgreementSite], window: int = 160) -> np.ndarray:
    """What a torch language model predicts at each site after `window` characters before it: `(sites, V)`.

    ids: the whole text. Raises ValueError for a site with fewer characters before it.
    """
    if any(site.position < window for site in sites):
        raise ValueError(f"Each site needs {window} characters before it; leave out those whose position is smaller.")
    X = np.array([ids[site.position - window : site.position] for site in sites]).T  # (window, sites)
    return model(torch.as_tensor(X))[0][-1].softmax(dim=-1).numpy()


def context_probs(model, ids: np.ndarray, sites: Sequence[AgreementSite]) -> np.ndarray:
    """What an n-gram model predicts at each site: `(sites, V)`. Sites with the same n - 1 characters before them are computed once."""
    known: dict[tuple[int, ...], np.ndarray] = {}
    rows = []
    for site in sites:
        context = ids[max(0, site.position - model.n + 1) : site.position]
        key = tuple(context.tolist())
        if key not in known:
            known[key] = model.probs(context)
        rows.append(known[key])
    return np.array(rows)


def right_verbs(probs: np.ndarray, sites: Sequence[AgreementSite], vocabulary: Vocabulary) -> np.ndarray:
    """At each site, is the form that agrees likelier than the other one? probs: `(sites, V)`. Returns `(sites,)` bool."""
    verdicts = [
        row[vocabulary.encode(site.right)].sum() > row[vocabulary.encode(site.wrong)].sum() for row, site in zip(probs, sites, strict=True)
    ]
    return np.array(verdicts, dtype=bool)


# --- Which unit knows? ---------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Spans:
    """Stretches of text over which a feature has to be remembered, side by side so that they begin at the same step.

    windows: ids `(T, N)`; step `start` reads the first character of each stretch, the steps before it what stands before it in the text.
    firsts: where each stretch begins in the text `(N,)`. lengths: characters of each stretch `(N,)`. labels: the feature `(N,)` bool.
    """

    windows: np.ndarray
    start: int
    firsts: np.ndarray
    lengths: np.ndarray
    labels: np.ndarray

    @property
    def searched(self) -> np.ndarray:
        """The first half of the stretches, in which `search_units` searches; the others test what it found: `(N,)` bool."""
        return np.arange(len(self.labels)) < len(self.labels) // 2

    def owners(self) -> np.ndarray:
        """To which stretch each of `rows` belongs: `(rows,)`."""
        return np.repeat(np.arange(len(self.lengths)), self.lengths)

    def places(self) -> np.ndarray:
        """Where each of `rows` stands in the text: `(rows,)`."""
        return np.concatenate([first + np.arange(length) for first, length in zip(self.firsts, self.lengths, strict=True)])

    def rows(self, values: np.ndarray) -> np.ndarray:
        """values `(T, N, ...)` at all characters of all stretches, one after the other: `(rows, ...)`."""
        steps = np.concatenate([self.start + np.arange(length) for length in self.lengths])
        return values[steps, self.owners()]


def _spans(ids: np.ndarray, starts: Sequence[int], ends: Sequence[int], labels: Sequence[bool], before: int) -> Spans:
    """Stretches of a text from each start up to its end, which is the last character; `before` characters are read before them."""
    start, end = np.array(starts), np.array(ends)
    length = end - start + 1
    places = start + np.arange(-before, length.max())[:, None]  # (T, N)
    return Spans(ids[np.minimum(places, len(ids) - 1)], before, start, length, np.array(labels))


def spans_to_verbs(sample: ToyEnglish, ids: np.ndarray, most: int = 800, before: int = 80) -> Spans:
    """From the second character after the subject to the space before its verb, where at least one noun stands between them.

    Over these characters the subject's number has to be remembered; labels: is it plural? (Over the first character, a space, the subject is
    still being taken in.)
    """
    found = []
    for site in sample.sites:
        start, end = _to_verb(sample, site)
        if site.nouns_between and start >= before:
            found.append((start, end, site.subject_number == "plural"))
    return _spans(ids, *zip(*found[:most], strict=True), before)


def _to_verb(sample: ToyEnglish, site: AgreementSite) -> tuple[int, int]:
    return site.position - site.distance + 2, sample.text.rindex(" ", 0, site.position)


def spans_around_verbs(sample: ToyEnglish, ids: np.ndarray, most: int = 800, before: int = 80) -> Spans:
    """Half of them lead up to a verb, as in `spans_to_verbs`, half from the space after a verb to the last letter of the sentence.

    Over these characters it has to be remembered whether the verb has come; labels: has it?
    """
    found: dict[bool, list[tuple[int, int, bool]]] = {False: [], True: []}
    for site in sample.sites:
        start, end = _to_verb(sample, site)
        if site.nouns_between and start >= before:
            found[False].append((start, end, False))
        after, stop = sample.text.find(" ", site.position), sample.text.find(".", site.position)
        if before <= after < stop:
            found[True].append((after, stop - 1, True))
    return _spans(ids, *_in_turn(found, most), before)


def _in_turn(found: dict[bool, list[tuple[int, int, bool]]], most: int) -> tuple:
    """Starts, ends and labels of equally many stretches of two kinds, one of each in turn."""
    each = min(most // 2, *map(len, found.values()))
    return tuple(zip(*(span for pair in zip(found[False][:each], found[True][:each], strict=True) for span in pair), strict=True))


def spans_over_nouns(sample: ToyEnglish, ids: np.ndarray, most: int = 800, before: int = 80) -> Spans:
    """From the space after a determiner that shows a number to the last letter that the noun's two forms share.

    Over these characters the number of the noun that is being written has to be remembered; labels: is it plural? Only nouns that follow the subject are taken, half
    of them with its number and half with the other one, so that the subject's number tells nothing.
    """
    found: dict[bool, list[tuple[int, int, bool]]] = {True: [], False: []}  # by whether the noun has the subject's number
    for site in sample.sites:
        words = list(WORD.finditer(sample.text, site.position - site.distance + 1, site.position))
        for determiner, noun in zip(words, words[1:]):
            if determiner[0] in SHOWN and noun[0] in NUMBER and determiner.end() >= before:
                shared = os.path.commonprefix(next(forms for forms in NOUNS if noun[0] in forms))
                number = SHOWN[determiner[0]]
                found[number == site.subject_number].append((determiner.end(), noun.start() + len(shared) - 1, number == "plural"))
    return _spans(ids, *_in_turn(found, most), before)


@dataclass(frozen=True)
class Unit:
    """A unit that may know a feature: the share of characters at which a threshold tells it, where it was searched and in the other half; the
    threshold, and whether the label True lies above it."""

    index: int
    found: float
    tested: float
    threshold: float
    above: bool


def search_units(values: np.ndarray, spans: Spans) -> list[Unit]:
    """Every unit with the threshold that tells the two labels apart best, the best unit first. values: a state `(T, N, H)`.

    The threshold is sought in the half `spans.searched` and tested in the other one.
    """
    rows, owners = spans.rows(values), spans.owners()
    labels, known = spans.labels[owners], spans.searched[owners]
    units = []
    for index in range(values.shape[-1]):
        share, threshold, above = _best_threshold(rows[known, index], labels[known])
        tested = np.mean(((rows[~known, index] > threshold) == above) == labels[~known])
        units.append(Unit(index, float(share), float(tested), float(threshold), bool(above)))
    return sorted(units, key=lambda unit: -unit.found)


def _best_threshold(values: np.ndarray, labels: np.ndarray) -> tuple[float, float, bool]:
    """Share of right answers, threshold, and whether the label True lies above it."""
    order = np.argsort(values)
    sorted_labels = labels[order]
    false_below = np.cumsum(~sorted_labels)[:-1]  # at each cut between two values
    true_above = sorted_labels.sum() - np.cumsum(sorted_labels)[:-1]
    share = (false_below + true_above) / len(labels)
    cut = np.maximum(share, 1 - share).argmax()
    return max(share[cut], 1 - share[cut]), values[order[cut : cut + 2]].mean(), share[cut] > 0.5
