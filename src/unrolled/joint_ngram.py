"""From spelling to sound by counting: letters are aligned with phones, and an n-gram model counts the pairs [bisani2008].

The simplest form: each letter of a word goes with 0, 1 or 2 phones. Such a pair is a *graphone*: "x" with K S, the "e" of "cake" with nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from .ngram import KneserNey

Phones = tuple[str, ...]
Graphone = tuple[str, Phones]
MOST = 2  # phones that a letter may have


class _Group(NamedTuple):
    """Words of T letters and U phones each: their places, letters `(N, T)`, and the ids of each stretch of k phones that ends at phone u.

    chunks: for k = 0, 1, 2 an array `(N, U + 1)`; entries where no such stretch ends are 0 and never reached.
    """

    words: list[int]
    letters: np.ndarray
    chunks: list[np.ndarray]


class Aligner:
    """Which phones belong to which letter, learnt by expectation–maximisation from pairs of a word and one pronunciation.

    A pronunciation has the probability of all its alignments together; in one, each letter brings forth its phones by itself, with P(phones | letter).
    Words with more than two phones a letter, such as abbreviations that are spelt out, have no alignment: `dropped` counts them.
    """

    def __init__(self, pairs: Sequence[tuple[str, Phones]], rounds: int = 8):
        usable = [(word, phones) for word, phones in pairs if 0 < len(phones) <= MOST * len(word)]
        if not usable:
            raise ValueError(f"Expected pairs of a word and its phones, at most {MOST} phones a letter; received {len(pairs)} pairs and none that is.")
        self.dropped = len(pairs) - len(usable)
        self.pairs = usable
        self._letters = {letter: i for i, letter in enumerate(sorted({letter for word, _ in usable for letter in word}))}
        self._phones = {phone: i for i, phone in enumerate(sorted({phone for _, phones in usable for phone in phones}))}
        P = len(self._phones)
        self._groups = self._grouped(usable)
        self.probs = np.full((len(self._letters), 1 + P + P * P), 1.0)
        self.probs[:, 1 + P :] = 0.01  # pairs of phones are rare, and there are many of them
        self.probs /= self.probs.sum(axis=1, keepdims=True)
        for _ in range(rounds):
            counts = self._expected_counts() + 1e-9
            self.probs = counts / counts.sum(axis=1, keepdims=True)

    def _grouped(self, pairs: Sequence[tuple[str, Phones]]) -> list[_Group]:
        P = len(self._phones)
        shapes: dict[tuple[int, int], list[int]] = {}
        for i, (word, phones) in enumerate(pairs):
            shapes.setdefault((len(word), len(phones)), []).append(i)
        groups = []
        for (_, U), words in shapes.items():
            letters = np.array([[self._letters[letter] for letter in pairs[i][0]] for i in words])
            phones = np.array([[self._phones[phone] for phone in pairs[i][1]] for i in words])  # (N, U)
            nothing, one, two = (np.zeros((len(words), U + 1), dtype=np.int64) for _ in range(3))
            one[:, 1:] = 1 + phones
            two[:, 2:] = 1 + P + phones[:, :-1] * P + phones[:, 1:]
            groups.append(_Group(words, letters, [nothing, one, two]))
        return groups

    def _chunk_probs(self, group: _Group, t: int) -> list[np.ndarray]:
        """P(the k phones that end at phone u | letter t) for k = 0, 1, 2: each `(N, U + 1)`, of which the first k columns mean nothing."""
        return [self.probs[group.letters[:, t, None], chunk] for chunk in group.chunks]

    def _expected_counts(self) -> np.ndarray:
        """How often each letter has each stretch of phones, in expectation over all alignments."""
        counts = np.zeros(self.probs.size)
        for group in self._groups:
            N, T = group.letters.shape
            U = group.chunks[0].shape[1] - 1
            probs = [self._chunk_probs(group, t) for t in range(T)]
            forward = np.zeros((T + 1, N, U + 1))  # probability of the first u phones from the first t letters
            forward[0, :, 0] = 1.0
            for t in range(T):
                for k in range(min(MOST, U) + 1):
                    forward[t + 1, :, k:] += forward[t, :, : U + 1 - k] * probs[t][k][:, k:]
            backward = np.zeros((N, U + 1))  # of the phones behind u from the letters behind t
            backward[:, U] = 1 / forward[T, :, U]  # so that products are posterior probabilities
            for t in reversed(range(T)):
                before = np.zeros((N, U + 1))
                for k in range(min(MOST, U) + 1):
                    reached = probs[t][k][:, k:] * backward[:, k:]
                    keys = group.letters[:, t, None] * self.probs.shape[1] + group.chunks[k][:, k:]
                    weights = forward[t, :, : U + 1 - k] * reached
                    counts += np.bincount(keys.ravel(), weights=weights.ravel(), minlength=counts.size)
                    before[:, : U + 1 - k] += reached
                backward = before
        return counts.reshape(self.probs.shape)

    def alignments(self) -> list[tuple[Graphone, ...]]:
        """The likeliest alignment of each pair, in the order of `pairs`."""
        return self._aligned(self.pairs, self._groups)

    def align(self, word: str, phones: Phones) -> tuple[Graphone, ...]:
        """The likeliest alignment of a pair that need not have been learnt from.

        Raises ValueError for a letter or phone that was never met, and for more than two phones a letter.
        """
        strange = sorted((set(word) - set(self._letters)) | (set(phones) - set(self._phones)))
        if strange or not 0 < len(phones) <= MOST * len(word):
            raise ValueError(
                f"Expected a word and its phones, all of them met before and at most {MOST} phones a letter; received {word!r} and {' '.join(phones)!r}."
            )
        return self._aligned([(word, phones)], self._grouped([(word, phones)]))[0]

    def _aligned(self, pairs: Sequence[tuple[str, Phones]], groups: list[_Group]) -> list[tuple[Graphone, ...]]:
        found: list[tuple[Graphone, ...]] = [()] * len(pairs)
        for group in groups:
            N, T = group.letters.shape
            U = group.chunks[0].shape[1] - 1
            best = np.full((N, U + 1), -np.inf)
            best[:, 0] = 0.0
            taken = np.zeros((T, N, U + 1), dtype=np.int64)
            for t in range(T):
                candidates = np.full((MOST + 1, N, U + 1), -np.inf)
                for k, probs in enumerate(self._chunk_probs(group, t)):
                    if k <= U:
                        candidates[k, :, k:] = best[:, : U + 1 - k] + np.log(probs[:, k:])
                taken[t], best = candidates.argmax(axis=0), candidates.max(axis=0)
            rows, u = np.arange(N), np.full(N, U)
            lengths = np.empty((T, N), dtype=np.int64)
            for t in reversed(range(T)):
                lengths[t] = taken[t, rows, u]
                u = u - lengths[t]
            for n, i in enumerate(group.words):
                word, phones = pairs[i]
                ends = np.cumsum(lengths[:, n])
                found[i] = tuple(
                    (letter, phones[end - k : end]) for letter, end, k in zip(word, ends.tolist(), lengths[:, n].tolist(), strict=True)
                )
        return found


def majority(alignments: Sequence[Sequence[Graphone]]) -> dict[str, Phones]:
    """For each letter the phones that it has most often: the simplest way to pronounce anything."""
    counts: dict[str, Counter] = {}
    for graphones in alignments:
        for letter, phones in graphones:
            counts.setdefault(letter, Counter())[phones] += 1
    return {letter: max(sorted(counted), key=counted.__getitem__) for letter, counted in counts.items()}


class JointNGram:
    """An interpolated Kneser–Ney n-gram model of graphones. A word is a sentence of them, with n - 1 boundaries before and one behind.

    alignments: one sequence of graphones a word. n: the order. most: how many graphones of a letter, the most frequent ones, a search tries.
    """

    BOUNDARY = 0

    def __init__(self, alignments: Sequence[Sequence[Graphone]], n: int, most: int = 24):
        counted = Counter(graphone for graphones in alignments for graphone in graphones)
        self.graphones: list[Graphone] = [("", ()), *sorted(counted)]  # the boundary is no letter's
        ids = {graphone: i for i, graphone in enumerate(self.graphones)}
        before = [self.BOUNDARY] * (n - 1)
        text = [i for graphones in alignments for i in (*before, *(ids[graphone] for graphone in graphones), self.BOUNDARY)]
        self.n = n
        self.model = KneserNey(np.array(text), n, len(self.graphones))
        by_letter: dict[str, list[int]] = {}
        for graphone, _ in counted.most_common():
            by_letter.setdefault(graphone[0], []).append(ids[graphone])
        self._candidates = {letter: np.array(tried[:most]) for letter, tried in by_letter.items()}

    def pronounce(self, words: Sequence[str], width: int = 8) -> dict[str, Phones]:
        """For each word the likeliest pronunciation that a beam of that width finds. Raises ValueError for a letter that no alignment had."""
        return {word: found[0][0] for word, found in self.candidates(words, width).items()}

    def candidates(self, words: Sequence[str], width: int = 8) -> dict[str, list[tuple[Phones, float]]]:
        """For each word the pronunciations that a beam of that width ends with, the likeliest first, each with its log-probability.

        The probability of a pronunciation is the sum over those of its alignments that are in the beam. Raises ValueError for a letter that no
        alignment had.
        """
        strange = sorted({letter for word in words for letter in word} - set(self._candidates))
        if strange:
            raise ValueError(f"The model knows the letters {''.join(sorted(self._candidates))}; received {''.join(strange)!r} in a word.")
        by_length: dict[int, list[str]] = {}
        for word in words:
            by_length.setdefault(len(word), []).append(word)
        found: dict[str, list[tuple[Phones, float]]] = {}
        for same in by_length.values():
            for k in range(0, len(same), 256):  # so that memory stays small
                found.update(self._same_length(same[k : k + 256], width))
        return {word: found[word] for word in words}

    def _same_length(self, words: list[str], width: int) -> dict[str, list[tuple[Phones, float]]]:
        N = len(words)
        start = self.model.start(np.full(self.n - 1, self.BOUNDARY))
        state = [np.broadcast_to(part, (N, 1)) for part in start]
        totals = np.zeros((N, 1))
        written = np.zeros((N, 1, 0), dtype=np.int64)
        for t in range(len(words[0])):
            tried = [self._candidates[word[t]] for word in words]
            tokens = np.zeros((N, 1, max(map(len, tried))), dtype=np.int64)
            real = np.zeros(tokens.shape, dtype=bool)
            for row, candidates in enumerate(tried):
                tokens[row, 0, : len(candidates)] = candidates
                real[row, 0, : len(candidates)] = True
            probs, after = self.model.extend([part[..., None] for part in state], np.broadcast_to(tokens, (N, totals.shape[1], tokens.shape[2])))
            scores = np.where(real, totals[..., None] + np.log(probs), -np.inf).reshape(N, -1)
            best = np.argsort(-scores, axis=1, kind="stable")[:, :width]
            parents, chosen = best // tokens.shape[2], best % tokens.shape[2]
            rows = np.arange(N)[:, None]
            totals = scores[rows, best]
            state = [part.reshape(N, -1)[rows, best] for part in after]
            written = np.concatenate([written[rows, parents], tokens[rows, 0, chosen][..., None]], axis=2)
        ends, _ = self.model.extend(state, np.zeros(totals.shape, dtype=np.int64) + self.BOUNDARY)
        log_probs = totals + np.log(ends)
        found = {}
        for row, word in enumerate(words):
            summed: dict[Phones, float] = {}
            for ids, log_p in zip(written[row], log_probs[row].tolist(), strict=True):
                phones = tuple(phone for i in ids for phone in self.graphones[i][1])
                summed[phones] = float(np.logaddexp(summed.get(phones, -np.inf), log_p))
            found[word] = sorted(summed.items(), key=lambda one: -one[1])
        return found
