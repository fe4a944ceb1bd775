"""A learner's own text: its parts, the network that is trained on it, and everything that the report tells."""

from __future__ import annotations

import gzip
import hashlib
import lzma
import math
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from ..metrics import bits_per_character
from ..language import gettext, texts
from ..ngram import KneserNey, best_order, order_name
from ..text import Vocabulary, sequential_batches
from ..torch_models import KINDS, token_log_probs
from .run import RunError

N, T, E = 32, 64, 64  # sequences in a batch, steps before the gradient is cut, numbers in an embedding
SHORTEST = 4_000  # characters
MOST_CHARACTERS_KNOWN = 3_000  # the rarest beyond are <unk>
LONGEST_PART = 40_000  # characters of the validation part, and of the test part
MOST_COUNTED = 8_000_000  # characters that n-gram models and compressors read
# The default training: as much work as reading 5 million characters with 128 LSTM units and 100 kinds of character, but no character more than 40 times.
DEFAULT_WORK, DEFAULT_PASSES = 5_000_000, 40
TEMPERATURES = (0.3, 0.6, 0.8, 1.0)
SAMPLE = 420  # characters


class CharacterModel(nn.Module):
    """An embedding of the last character, an RNN, LSTM or GRU, and an output layer. Its interface is that of `torch_models.TorchLanguageModel`."""

    def __init__(self, kind: str, V: int, H: int, seed: int):
        super().__init__()
        self.V, self.H = V, H
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.embed = nn.Embedding(V, E)
            self.cell = KINDS[kind](E, H)
            self.output = nn.Linear(H, V)
        if kind == "lstm":
            with torch.no_grad():  # forget gates begin open; torch adds two biases, so that only one is set
                self.cell.bias_ih_l0[H : 2 * H] = 1.0
                self.cell.bias_hh_l0[H : 2 * H] = 0.0

    def forward(self, X: torch.Tensor, state=None):
        """X: ids `(T, N)`. Returns logits `(T, N, V)` and the last state in torch's form."""
        H, state = self.cell(self.embed(X), state)
        return self.output(H), state


@dataclass(frozen=True)
class Parts:
    """A text in three stretches, one after the other. Nothing is learnt from the last two."""

    train: str
    validation: str
    test: str


def parts_of(text: str) -> Parts:
    """The last tenth is held out: its first half for choosing, its second half for the report. Raises RunError for a text that is too short."""
    if len(text) < SHORTEST:
        raise RunError(
            gettext(
                "A text should have at least {SHORTEST:,} characters to learn from, but this one has {length:,}: join several files, "
                "or choose a longer one."
            ).format(SHORTEST=SHORTEST, length=len(text))
        )
    held_out = min(len(text) // 10, 2 * LONGEST_PART)
    cut = len(text) - held_out
    return Parts(text[:cut], text[cut : cut + held_out // 2], text[cut + held_out // 2 :])


class TextTask:
    """Predict the next character. The state is carried from batch to batch, and its gradient cut."""

    unit = texts("nats per character")

    def __init__(self, parts: Parts, kind: str, units: int, passes: float | None, seed: int, device: str):
        self.parts, self.kind, self.seed, self.device = parts, kind, seed, device
        # All characters that occur less often than some count, as few as need be, are <unk>.
        counts = sorted(Counter(parts.train).values(), reverse=True)
        least = 1 if len(counts) <= MOST_CHARACTERS_KNOWN else counts[MOST_CHARACTERS_KNOWN] + 1
        self.vocabulary = Vocabulary(parts.train, min_count=least)
        self.ids, self.validation_ids, self.test_ids = (self.vocabulary.encode(part) for part in (parts.train, parts.validation, parts.test))
        self.N = min(N, max(1, (len(self.ids) - T) // (4 * T)))
        self.model = CharacterModel(kind, len(self.vocabulary), units, seed).to(device)
        self.per_pass = len(sequential_batches(self.ids, self.N, T, T - 1))
        self.passes = self._default_passes(units) if passes is None else passes
        self.updates = max(1, round(self.passes * self.per_pass))
        self._pass, self._batches = -1, []
        self._state = None

    def _default_passes(self, units: int) -> float:
        """How often the text is read unless the learner says so: the more a character costs, the less often."""
        gates = {"rnn": 1, "gru": 3, "lstm": 4}[self.kind]
        work = gates * units * (units + E) + units * self.model.V
        usual = 4 * 128 * (128 + E) + 128 * 100
        return min(DEFAULT_PASSES, DEFAULT_WORK * usual / work / len(self.ids))

    def loss(self, update: int) -> torch.Tensor:
        number, place = divmod(update, self.per_pass)
        if number != self._pass:  # each pass is cut at another place
            offset = int(np.random.default_rng([self.seed, number]).integers(T))
            self._pass, self._batches = number, sequential_batches(self.ids, self.N, T, offset)[: self.per_pass]
        if place == 0:
            self._state = None
        X, Y = self._batches[place]
        logits, state = self.model(torch.as_tensor(X, device=self.device), self._state)
        self._state = tuple(s.detach() for s in state) if isinstance(state, tuple) else state.detach()
        return nn.functional.cross_entropy(logits.flatten(0, 1), torch.as_tensor(Y, device=self.device).flatten())

    def validate(self) -> float:
        return float(-token_log_probs(self.model, self.validation_ids).mean())

    def carried(self) -> Any:
        return self._state

    def carry(self, value: Any) -> None:
        self._state = value


# --- What the report tells ---------------------------------------------------------------------


def ladder(task: TextTask) -> tuple[dict[str, float], str]:
    """For each model its bits per character on the test part, and the name of the best n-gram model.

    The order of that is chosen on the validation part. The compressors have the training text, too: what the test part adds to their file counts.
    """
    parts, V = task.parts, len(task.vocabulary)
    known = task.ids[-MOST_COUNTED:]
    rungs = {"uniform": math.log2(V)}
    best, _ = best_order(known, task.validation_ids, V)
    for n in sorted({1, 2, 3, best}):
        rungs[order_name(n)] = bits_per_character(KneserNey(known, n, V).held_out_loss(task.test_ids))
    before, added = parts.train[-MOST_COUNTED:].encode(), parts.test.encode()
    for name, compress in (("gzip", lambda raw: gzip.compress(raw, 9)), ("xz", lambda raw: lzma.compress(raw, preset=9))):
        rungs[name] = 8 * (len(compress(before + added)) - len(compress(before))) / len(parts.test)
    rungs[task.kind.upper()] = bits_per_character(float(-token_log_probs(task.model, task.test_ids).mean()))
    return rungs, order_name(best)


@torch.no_grad()
def sample(task: TextTask, temperature: float, length: int = SAMPLE) -> str:
    """What the network writes after the last characters before the test part; never `<unk>`."""
    rng = np.random.default_rng(task.seed)
    model = task.model.eval()
    ids = torch.as_tensor(task.validation_ids[-200:], device=task.device)
    logits, state = model(ids[:, None])
    drawn = []
    for _ in range(length):
        scores = logits[-1, 0].double().cpu().numpy() / temperature
        scores[0] = -np.inf
        probs = np.exp(scores - scores.max())
        drawn.append(int(rng.choice(len(probs), p=probs / probs.sum())))
        logits, state = model(torch.tensor([[drawn[-1]]], device=task.device), state)
    return "".join(task.vocabulary.decode(drawn))


@dataclass(frozen=True)
class Piece:
    """A piece of a sample. known: does it stand in the training text? None for what lies between words."""

    text: str
    known: bool | None


class Known:
    """Says of each word of a sample whether it stands in the training text.

    Where words are not parted by spaces, as in Chinese, three characters at a time are looked up instead.
    """

    def __init__(self, text: str):
        self.text = text
        words = re.findall(r"\w+", text[:200_000])
        self.by_words = bool(words) and sum(map(len, words)) / len(words) < 15
        self._words = set(re.findall(r"\w+", text)) if self.by_words else set()

    def pieces(self, sample: str) -> list[Piece]:
        """The sample cut into words and what lies between, or into stretches of three."""
        if not self.by_words:
            return [Piece(sample[i : i + 3], sample[i : i + 3] in self.text) for i in range(0, len(sample), 3)]
        found = re.findall(r"\w+|\W+", sample)
        # The first and the last word may be cut off.
        return [
            Piece(piece, None if not re.match(r"\w", piece) or i in (0, len(found) - 1) else piece in self._words) for i, piece in enumerate(found)
        ]

    def longest_copy(self, sample: str) -> str:
        """The longest stretch of the sample that stands in the training text."""
        best, start = "", 0
        for end in range(1, len(sample) + 1):
            while start < end and sample[start:end] not in self.text:
                start += 1
            if end - start > len(best):
                best = sample[start:end]
        return best


def surprise(task: TextTask, most: int = 1_600) -> tuple[str, np.ndarray]:
    """A stretch of the test part, and for each character of it −log2 of its probability."""
    bits = -token_log_probs(task.model, task.test_ids) / math.log(2)
    text = task.parts.test[1:]
    start = max(0, min(2_000, len(text) - most))
    return text[start : start + most], bits[start : start + most]


# --- Units that track something ----------------------------------------------------------------


def _quotes(text: str) -> np.ndarray:
    """1 inside quotation marks: straight ones open and close in turn, and a blank line closes them; others open and close by their form."""
    inside = np.zeros(len(text))
    open_ = False
    for i, character in enumerate(text):
        if character == "\n" and text[i - 1 : i] == "\n":
            open_ = False
        elif character == '"':
            open_ = not open_
        elif character in "“«„「":
            open_ = True
        elif character in "”»」":
            open_ = False
        inside[i] = open_
    return inside


def _brackets(text: str) -> np.ndarray:
    """How many brackets are open, at most 5; a blank line closes all."""
    depth = np.zeros(len(text))
    now = 0
    for i, character in enumerate(text):
        if character == "\n" and text[i - 1 : i] == "\n":
            now = 0
        elif character in "([{（【":
            now = min(5, now + 1)
        elif character in ")]}）】":
            now = max(0, now - 1)
        depth[i] = now
    return depth


def _place_in_line(text: str) -> np.ndarray:
    """How many characters the line has had so far, at most 200."""
    place = np.zeros(len(text))
    for i in range(1, len(text)):
        place[i] = 0 if text[i - 1] == "\n" else min(200, place[i - 1] + 1)
    return place


def _indentation(text: str) -> np.ndarray:
    """With how many spaces the line began, at most 40 (a tab counts 4): known from its first character that is no space."""
    depth = np.zeros(len(text))
    now, leading = 0, True
    for i, character in enumerate(text):
        if character == "\n":
            leading, now = True, 0
        elif leading and character in " \t":
            now = min(40, now + (4 if character == "\t" else 1))
        else:
            leading = False
        depth[i] = now
    return depth


def _place_in_word(text: str) -> np.ndarray:
    """How many letters the word has had so far, at most 20."""
    place = np.zeros(len(text))
    for i, character in enumerate(text):
        place[i] = min(20, (place[i - 1] if i else 0) + 1) if character.isalnum() else 0
    return place


TRACKED: dict[str, Callable[[str], np.ndarray]] = {
    texts("inside quotation marks"): _quotes,
    texts("open brackets"): _brackets,
    texts("place in the line"): _place_in_line,
    texts("indentation of the line"): _indentation,
    texts("place in the word"): _place_in_word,
}


@dataclass(frozen=True)
class Finding:
    """The unit that follows something best. correlation: on a part of the text that it was not chosen on. untrained: the same search in a network that
    was not trained. excerpt and values: where it can be seen, values from −1 to 1."""

    what: str
    unit: int
    correlation: float
    untrained: float
    excerpt: str
    values: np.ndarray


@torch.no_grad()
def _activations(model: CharacterModel, ids: np.ndarray, device: str) -> np.ndarray:
    """What each unit remembers after each character: an LSTM's cell states, else the hidden states `(len(ids), H)`. One sequence."""
    model.eval()
    X = torch.as_tensor(ids, device=device)[:, None]
    if not isinstance(model.cell, nn.LSTM):
        H, _ = model.cell(model.embed(X))
        return H[:, 0].cpu().numpy()
    inputs, state, cells = model.embed(X), None, []
    for x in inputs.split(1):  # torch returns the cell state of the last step alone
        _, state = model.cell(x, state)
        cells.append(state[1][0, 0])
    return torch.tanh(torch.stack(cells)).cpu().numpy()


def _correlations(values: np.ndarray, feature: np.ndarray) -> np.ndarray:
    """Pearson's correlation of each column with the feature; 0 for a column that does not vary."""
    centred, feature = values - values.mean(axis=0), feature - feature.mean()
    scale = np.sqrt((centred**2).sum(axis=0) * (feature**2).sum())
    return np.divide(centred.T @ feature, scale, out=np.zeros(values.shape[1]), where=scale > 1e-12)


def search_units(task: TextTask, most: int = 8_000) -> list[Finding]:
    """For each thing that a text can have, the unit that follows it best: chosen on the validation part, measured on the test part.

    A thing that these parts hardly have is left out.
    """
    texts = [task.parts.validation[:most], task.parts.test[:most]]
    ids = [task.validation_ids[:most], task.test_ids[:most]]
    trained = [_activations(task.model, part, task.device) for part in ids]
    fresh = CharacterModel(task.kind, task.model.V, task.model.H, task.seed + 1).to(task.device)
    untrained = [_activations(fresh, part, task.device) for part in ids]
    findings = []
    for what, measure in TRACKED.items():
        chosen_on, measured_on = (measure(text) for text in texts)
        if min((part > 0).mean() for part in (chosen_on, measured_on)) < 0.005 or min(part.std() for part in (chosen_on, measured_on)) == 0:
            continue
        unit = int(np.abs(_correlations(trained[0], chosen_on)).argmax())
        other = int(np.abs(_correlations(untrained[0], chosen_on)).argmax())
        correlation = float(_correlations(trained[1], measured_on)[unit])
        by_chance = float(_correlations(untrained[1], measured_on)[other])
        start = _liveliest(measured_on, 320)
        findings.append(
            Finding(
                what, unit, correlation, by_chance, texts[1][start : start + 320],
                np.sign(correlation) * trained[1][start : start + 320, unit],
            )
        )  # fmt: skip
    return sorted(findings, key=lambda finding: -abs(finding.correlation))


def _liveliest(feature: np.ndarray, length: int) -> int:
    """Where a stretch of that length begins in which the feature varies most."""
    starts = range(0, max(1, len(feature) - length), length // 4)
    return max(starts, key=lambda start: feature[start : start + length].std())


def fingerprint(text: str) -> str:
    """Which text it was: the first 16 digits of its SHA-256."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]
