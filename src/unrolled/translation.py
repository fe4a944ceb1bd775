"""The encoder–decoder that translates numerals, with any rule for what the decoder sees of the source; built on the page on translation.

    task = Numerals()
    model = untrained(task, LastState)
    train(model, task.SOURCES, task.TARGETS)
    translate(model, task.X_TEST)

`T` source steps, `U` target steps, `N` pairs, `H` units.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cached_property

import numpy as np
import torch
from torch import nn

from . import corpora
from .text import Vocabulary
from .training import progress

F = nn.functional
Pair = tuple[str, str]


def words(english: str) -> list[str]:
    """An English numeral in words: "forty-two" has two."""
    return english.replace("-", " ").split()


class Numerals:
    """Pairs of English and Chinese numerals as ids: 55,309 to train on, 2,694 of at least four words held out, none of them in training.

    english, chinese: vocabularies; the Chinese one has `<s>` and `</s>`. SOURCES and TARGETS, X_TEST and Y_TEST: lists of arrays of ids; a
    target ends with `</s>`. test: the held-out pairs as text.
    """

    def __init__(self) -> None:
        drawn = dict.fromkeys(corpora.numerals(4_000, seed=1))  # each number once
        self.test = [pair for pair in drawn if len(words(pair[0])) >= 4]
        unseen = {english for english, _ in self.test}
        self.pairs = [pair for pair in corpora.numerals(60_000, seed=0) if pair[0] not in unseen]
        self.english = Vocabulary([word for english, _ in self.pairs for word in words(english)])
        self.chinese = Vocabulary(["<s>", "</s>"] + [character for _, chinese in self.pairs for character in chinese])
        self.START, self.END = self.chinese.id("<s>"), self.chinese.id("</s>")
        self.SOURCES, self.TARGETS = self.encode(self.pairs)
        self.X_TEST, self.Y_TEST = self.encode(self.test)

    def encode(self, pairs: Sequence[Pair]) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Ids of both sides; the Chinese one ends with `</s>`."""
        return [self.english.encode(words(e)) for e, _ in pairs], [self.chinese.encode([*z, "</s>"]) for _, z in pairs]

    @cached_property
    def n_words(self) -> np.ndarray:
        """Words of each held-out source: `(test,)`."""
        return np.array([len(x) for x in self.X_TEST])

    def spelled(self, ids: Sequence[int]) -> str:
        """An output as text, without `</s>`."""
        return "".join(self.chinese.decode(ids)).removesuffix("</s>")

    def exact(self, model: EncoderDecoder, sources: Sequence[Sequence[int]] | None = None) -> np.ndarray:
        """For each held-out number: is the greedy output right, every character? `(test,)` bool. sources: in place of X_TEST."""
        outputs = translate(model, self.X_TEST if sources is None else sources)
        return np.array([output == y.tolist() for output, y in zip(outputs, self.Y_TEST, strict=True)])

    def by_length(self, right: np.ndarray, groups: Sequence[tuple[int, int]]) -> list[float]:
        """The share of right outputs among sources of `a` to `b` words, for each group (a, b)."""
        return [float(right[(a <= self.n_words) & (self.n_words <= b)].mean()) for a, b in groups]


def padded(sequences: Sequence[Sequence[int]]) -> tuple[torch.Tensor, torch.Tensor]:
    """Ids `(T, N)` of sequences side by side, zeros behind their ends, and their lengths `(N,)`."""
    lengths = torch.tensor([len(sequence) for sequence in sequences])
    ids = torch.zeros(int(lengths.max()), len(sequences), dtype=torch.long)
    for n, sequence in enumerate(sequences):
        ids[: len(sequence), n] = torch.as_tensor(sequence)
    return ids, lengths


# --- Rules for the context: what the decoder sees of the source -----------------------------------


def weighted_mean(scores: torch.Tensor, keys: torch.Tensor, lengths: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Scores `(T, N)`, keys `(T, N, H)` -> context `(N, H)` and weights `(T, N)`, which are exactly 0 from each length on."""
    real = torch.arange(len(keys))[:, None] < lengths
    weights = scores.masked_fill(~real, -math.inf).softmax(dim=0)
    return (weights[..., None] * keys).sum(dim=0), weights


class LastState(nn.Module):
    """The plain rule: all weight on the last real position."""

    def __init__(self, H: int):
        super().__init__()

    def forward(self, query, keys, lengths):
        """`(N, H)`, `(T, N, H)`, `(N,)` -> context `(N, H)`, weights `(T, N)`."""
        weights = F.one_hot(lengths - 1, len(keys)).T
        return keys[lengths - 1, torch.arange(len(lengths))], weights


# --- The model ------------------------------------------------------------------------------------


class EncoderDecoder(nn.Module):
    """A GRU that reads the source and a GRU that writes the target, which sees a context of the source's states by the rule `attend`."""

    def __init__(self, source_size: int, target_size: int, start: int, end: int, attend: nn.Module, E: int = 16, H: int = 32):
        super().__init__()
        self.start, self.end = start, end
        self.embed_source = nn.Embedding(source_size, E)
        self.embed_target = nn.Embedding(target_size, E)
        self.encoder = nn.GRU(E, H)
        self.decoder = nn.GRUCell(E + H, H)
        self.output = nn.Linear(H, target_size)
        self.attend = attend

    def encode(self, X, lengths):
        """Ids `(T, N)` -> all states `(T, N, H)`, own last states `(N, H)`."""
        packed = nn.utils.rnn.pack_padded_sequence(self.embed_source(X), lengths, enforce_sorted=False)
        keys, last = self.encoder(packed)
        return nn.utils.rnn.pad_packed_sequence(keys)[0], last[0]

    def step(self, y, S, keys, lengths):
        """One target step: ids y `(N,)`, state S `(N, H)` -> logits `(N, V)`, the next S, weights `(T, N)`."""
        context, weights = self.attend(S, keys, lengths)
        S = self.decoder(torch.cat([self.embed_target(y), context], dim=-1), S)
        return self.output(S), S, weights

    def forward(self, X, lengths, Y):
        """Logits `(U, N, V)` under teacher forcing."""
        keys, S = self.encode(X, lengths)
        logits = []
        for y in torch.cat([torch.full_like(Y[:1], self.start), Y[:-1]]):
            step_logits, S, _ = self.step(y, S, keys, lengths)
            logits.append(step_logits)
        return torch.stack(logits)


def untrained(task: Numerals, make_attention: Callable[[int], nn.Module], H: int = 32, seed: int = 0) -> EncoderDecoder:
    """A model for the task with torch's usual start from `seed`. Sets torch's global seed."""
    torch.manual_seed(seed)
    return EncoderDecoder(len(task.english), len(task.chinese), task.START, task.END, make_attention(H), H=H)


def masked_cross_entropy(logits: torch.Tensor, Y: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    """Mean nats per real token: logits `(U, N, V)`, ids Y `(U, N)`."""
    real = torch.arange(len(Y))[:, None] < lengths
    return F.cross_entropy(logits[real], Y[real])


def train(
    model: EncoderDecoder,
    sources: Sequence[Sequence[int]],
    targets: Sequence[Sequence[int]],
    updates: int = 800,
    N: int = 64,
    loss_of: Callable[..., torch.Tensor] = masked_cross_entropy,
) -> list[float]:
    """Train in place on the pairs in their order, `N` per update, with Adam (0.01, a half cosine to zero, clipped at 1). Returns the losses.

    Raises ValueError when there are fewer pairs than updates times N, since none is used twice.
    """
    if len(sources) < updates * N:
        raise ValueError(f"{updates} updates of {N} pairs need {updates * N:,} pairs, received {len(sources):,}: lower updates or N.")
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, updates)
    losses = []
    for update in progress(range(updates), "update"):
        batch = slice(update * N, (update + 1) * N)
        X, X_lengths = padded(sources[batch])
        Y, Y_lengths = padded(targets[batch])
        loss = loss_of(model(X, X_lengths, Y), Y, Y_lengths)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
    return losses


# --- Using it -------------------------------------------------------------------------------------


@torch.no_grad()
def translate(model: EncoderDecoder, sources: Sequence[Sequence[int]], max_len: int = 16) -> list[list[int]]:
    """Greedy outputs, one list of ids per source, `</s>` included where the model wrote it."""
    X, lengths = padded(sources)
    keys, S = model.encode(X, lengths)
    y, ids = torch.full((X.shape[1],), model.start), []
    for _ in range(max_len):
        logits, S, _ = model.step(y, S, keys, lengths)
        y = logits.argmax(dim=-1)
        ids.append(y)
    outputs = torch.stack(ids).T.tolist()
    return [output[: output.index(model.end) + 1] if model.end in output else output for output in outputs]


@torch.no_grad()
def alignment(model: EncoderDecoder, source: Sequence[int], target: Sequence[int]) -> np.ndarray:
    """Weights `(U, T)` on the source's positions while the model writes `target`."""
    X, lengths = padded([source])
    keys, S = model.encode(X, lengths)
    y, rows = torch.tensor([model.start]), []
    for token in target:
        _, S, weights = model.step(y, S, keys, lengths)
        rows.append(weights[:, 0].numpy())
        y = torch.tensor([int(token)])
    return np.array(rows)
