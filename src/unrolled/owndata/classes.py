"""A learner's own labelled texts: baselines, the network that reads them, and everything that the report tells."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from ..corpora import Parts
from ..language import gettext, texts
from ..ngram import KneserNey
from ..text import Vocabulary
from ..torch_models import KINDS
from .run import RunError

N, E = 32, 64
LONGEST = {texts("characters"): 200, texts("words"): 150}  # tokens of a text that are read
MOST_TOKENS_KNOWN = 20_000
SHORT_TEXT = 40  # characters: texts of which half are no longer are read by characters
DEFAULT_TOKENS, DEFAULT_PASSES = 4_000_000, 30
ORDER = 5  # of the n-gram model of each class
MOST_SHOWN = 30  # classes in the table of confusions


def tokens_of(text: str, by: str) -> list[str]:
    """The characters of a text, or its words in small letters and its marks."""
    return list(text) if by == "characters" else re.findall(r"\w+|[^\w\s]", text.lower())


class Classifier(nn.Module):
    """An embedding, a recurrent network in both directions, the mean of its states over the real tokens, and an output layer."""

    def __init__(self, kind: str, V: int, classes: int, H: int, seed: int):
        super().__init__()
        self.V, self.H = V, H
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.embed = nn.Embedding(V, E)
            self.cell = KINDS[kind](E, H, bidirectional=True)
            self.output = nn.Linear(2 * H, classes)

    def forward(self, X: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """Padded ids X `(T, N)` and lengths `(N,)` -> logits `(N, classes)`."""
        packed = nn.utils.rnn.pack_padded_sequence(self.embed(X), lengths.cpu(), enforce_sorted=False)
        H, _ = nn.utils.rnn.pad_packed_sequence(self.cell(packed)[0])  # zero on padding: (T, N, 2H)
        return self.output(H.sum(dim=0) / lengths[:, None].to(H.device))


class LabelledTask:
    """Predict the label of a text."""

    unit = texts("nats per text")

    def __init__(self, parts: Parts, kind: str, units: int, passes: float | None, seed: int, device: str):
        self.parts, self.kind, self.seed, self.device = parts, kind, seed, device
        self.classes = parts.train.classes
        if len(self.classes) < 2:
            raise RunError(
                gettext(
                    "The training part should have texts of at least two classes, but all {count:,} have the label {label!r}: bring more "
                    "texts of the other classes."
                ).format(count=len(parts.train), label=self.classes[0])
            )
        lengths = sorted(map(len, parts.train.texts))
        self.by = "characters" if lengths[len(lengths) // 2] <= SHORT_TEXT else "words"
        tokens = [tokens_of(text, self.by) for text in parts.train.texts]
        counts = sorted(Counter(token for one in tokens for token in one).values(), reverse=True)
        least = 2 if self.by == "words" and len(counts) > 1_000 else 1
        if len(counts) > MOST_TOKENS_KNOWN:
            least = max(least, counts[MOST_TOKENS_KNOWN] + 1)
        self.vocabulary = Vocabulary((token for one in tokens for token in one), min_count=least)
        self.ids, self.targets = self.encoded(parts.train.texts), self._numbers(parts.train.labels)
        self.model = Classifier(kind, len(self.vocabulary), len(self.classes), units, seed).to(device)
        self.per_pass = math.ceil(len(self.ids) / N)
        total = sum(map(len, self.ids))
        self.passes = min(DEFAULT_PASSES, DEFAULT_TOKENS / total * (64 / units)) if passes is None else passes
        self.updates = max(1, round(self.passes * self.per_pass))
        self._pass, self._batches = -1, []

    def encoded(self, texts: Sequence[str]) -> list[np.ndarray]:
        """Ids of the first tokens of each text; a text without a token is one `<unk>`."""
        longest = LONGEST[self.by]
        encoded = [self.vocabulary.encode(tokens_of(text, self.by)[:longest]) for text in texts]
        return [ids if len(ids) else np.zeros(1, dtype=np.int64) for ids in encoded]

    def _numbers(self, labels: Sequence[str]) -> np.ndarray:
        number = {label: i for i, label in enumerate(self.classes)}
        return np.array([number.get(label, -100) for label in labels])  # one that training has not: no part of a loss

    def _padded(self, texts: Sequence[np.ndarray]) -> tuple[torch.Tensor, torch.Tensor]:
        lengths = torch.tensor([len(ids) for ids in texts])
        X = torch.zeros(int(lengths.max()), len(texts), dtype=torch.long)
        for n, ids in enumerate(texts):
            X[: len(ids), n] = torch.as_tensor(ids)
        return X.to(self.device), lengths

    def loss(self, update: int) -> torch.Tensor:
        number, place = divmod(update, self.per_pass)
        if number != self._pass:
            rng = np.random.default_rng([self.seed, number])
            # Texts of about one length share a batch, so that little is padded; which, and in what order, is drawn anew in each pass.
            lengths = np.array([len(ids) for ids in self.ids])
            order = np.argsort(lengths + rng.uniform(0, 0.2 * lengths.max() + 1, len(lengths)), kind="stable")
            batches = [order[i : i + N] for i in range(0, len(order), N)]
            self._pass, self._batches = number, [batches[i] for i in rng.permutation(len(batches))]
        rows = self._batches[place]
        logits = self.model(*self._padded([self.ids[i] for i in rows]))
        return nn.functional.cross_entropy(logits, torch.as_tensor(self.targets[rows], device=self.device))

    @torch.no_grad()
    def probs(self, texts: Sequence[str]) -> np.ndarray:
        """Probabilities of the classes `(len(texts), classes)`."""
        self.model.eval()
        encoded = self.encoded(texts)
        order = np.argsort([len(ids) for ids in encoded], kind="stable")
        found = np.empty((len(texts), len(self.classes)))
        for start in range(0, len(order), 256):
            rows = order[start : start + 256]
            found[rows] = self.model(*self._padded([encoded[i] for i in rows])).double().softmax(dim=-1).cpu().numpy()
        return found

    def validate(self) -> float:
        probs, targets = self.probs(self.parts.validation.texts), self._numbers(self.parts.validation.labels)
        known = targets >= 0
        return float(-np.log(np.maximum(probs[known, targets[known]], 1e-12)).mean()) if known.any() else 0.0

    def carried(self) -> Any:
        return None

    def carry(self, value: Any) -> None:
        pass


# --- What the report tells ---------------------------------------------------------------------


@dataclass(frozen=True)
class Score:
    """accuracy, and macro_f1: the mean over the classes of their F1. Both on the test part."""

    accuracy: float
    macro_f1: float


def score(predicted: Sequence[str], labels: Sequence[str]) -> Score:
    """Accuracy, and F1 averaged over the classes that the labels have; a class that is never predicted has F1 = 0."""
    right = Counter(label for guess, label in zip(predicted, labels, strict=True) if guess == label)
    guessed, real = Counter(predicted), Counter(labels)
    f1 = [2 * right[name] / (guessed[name] + real[name]) for name in real]
    return Score(sum(right.values()) / len(labels), sum(f1) / len(f1))


def baselines(parts: Parts, by: str) -> dict[str, list[str]]:
    """What simple models predict for the test part: the commonest label; an n-gram model of characters for each class, with Bayes' rule; and, where
    scikit-learn is there, a bag of words (and of pieces of words, where texts are short) with logistic regression."""
    train, test = parts.train, parts.test
    majority = Counter(train.labels).most_common(1)[0][0]
    found = {gettext("the commonest label"): [majority] * len(test), gettext("{n}-gram model of each class").format(n=ORDER): _ngrams_by_class(parts)}
    try:
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
    except ModuleNotFoundError:
        return found
    bags = {gettext("bag of words"): TfidfVectorizer(token_pattern=r"\w+|[^\w\s]", max_features=50_000, sublinear_tf=True)}
    if by == "characters":
        bags[gettext("bag of 1 to 4 characters")] = TfidfVectorizer(analyzer="char_wb", ngram_range=(1, 4), max_features=50_000, sublinear_tf=True)
    for name, bag in bags.items():
        model = make_pipeline(bag, LogisticRegression(C=10, max_iter=300))
        found[name] = list(model.fit(train.texts, train.labels).predict(test.texts))
    return found


def _ngrams_by_class(parts: Parts) -> list[str]:
    """The class under whose character model the text is likeliest, times the share of the class."""
    vocabulary = Vocabulary(character for text in parts.train.texts for character in text)
    START, V = len(vocabulary), len(vocabulary) + 1  # a text begins and ends with it
    joined: dict[str, list[int]] = {}
    for text, label in zip(parts.train.texts, parts.train.labels, strict=True):
        joined.setdefault(label, [START] * (ORDER - 1)).extend([*vocabulary.encode(text).tolist(), *[START] * (ORDER - 1)])
    tests = [np.array([*[START] * (ORDER - 1), *vocabulary.encode(text).tolist(), START]) for text in parts.test.texts]
    ends = np.cumsum([len(ids) for ids in tests])
    all_tests = np.concatenate(tests)
    labels, scores = sorted(joined), []
    for label in labels:
        log_probs = np.concatenate([[0.0], KneserNey(np.array(joined[label]), ORDER, V).log_probs(all_tests)])
        # Each text's own characters, and its end; the marks before it say nothing of it.
        sums = [log_probs[end - len(ids) + ORDER - 1 : end].sum() for ids, end in zip(tests, ends, strict=True)]
        scores.append(np.array(sums) + math.log(parts.train.labels.count(label) / len(parts.train)))
    return [labels[i] for i in np.argmax(scores, axis=0)]


@dataclass(frozen=True)
class Mistake:
    """A text of the test part that the network is sure of, and wrong."""

    text: str
    label: str
    predicted: str
    probability: float


def mistakes(probs: np.ndarray, parts: Parts, classes: Sequence[str], most: int = 25) -> list[Mistake]:
    """The wrong predictions with the highest probabilities."""
    found = [
        Mistake(text, label, classes[row.argmax()], float(row.max()))
        for text, label, row in zip(parts.test.texts, parts.test.labels, probs, strict=True)
        if classes[row.argmax()] != label
    ]
    return sorted(found, key=lambda mistake: -mistake.probability)[:most]


def confusions(predicted: Sequence[str], labels: Sequence[str]) -> tuple[list[str], np.ndarray]:
    """Names, and how often each label (a row) was taken for each (a column). The commonest classes where there are many."""
    counted = Counter(zip(labels, predicted, strict=True))
    order = [name for name, _ in Counter(labels).most_common()]
    names = sorted([*order, *(set(predicted) - set(order))][:MOST_SHOWN])
    return names, np.array([[counted[row, column] for column in names] for row in names])
