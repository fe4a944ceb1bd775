"""An encoder–decoder in torch, with attention or without: its batches, its training, greedy decoding and beam search.

The encoder reads in both directions. The decoder's LSTM sees what was written before; what it needs of the source, the context, joins its state
behind it, so that under teacher forcing all target steps go through the LSTM at once. Sources of one length share a batch: none is padded.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import nn

IGNORED = -100  # in targets: past the end, no part of the loss
Pairs = Sequence[tuple[Sequence[int], Sequence[int]]]  # ids of a source, and of its target without start and end


class Memory(NamedTuple):
    """What the decoder knows of a batch of sources: all encoder states `(T, N, 2H)`, and one vector of each whole source `(N, 2H)`."""

    keys: torch.Tensor
    last: torch.Tensor


class EncoderDecoder(nn.Module):
    """A bidirectional LSTM reads, an LSTM writes; both have `H` units in a direction.

    Target ids: 0 is the start, 1 the end, the tokens follow. attention: at each target step the context is a weighted mean of all encoder states,
    with the weights of scaled dot products; without it, always the encoder's two last states. Both have the same output layers.
    """

    START, END = 0, 1

    def __init__(self, V_source: int, V_target: int, E: int, H: int, seed: int, attention: bool = True, layers: int = 1, dropout: float = 0.0):
        super().__init__()
        self.H, self.attention, self.layers = H, attention, layers
        between = dropout if layers > 1 else 0.0
        with torch.random.fork_rng(devices=[]):  # the weights come from `seed`; torch's global state stays as it was
            torch.manual_seed(seed)
            self.embed_source = nn.Embedding(V_source, E)
            self.embed_target = nn.Embedding(V_target, E)
            self.encoder = nn.LSTM(E, H, layers, bidirectional=True, dropout=between)
            self.bridge = nn.Linear(2 * H, 2 * layers * H)
            self.decoder = nn.LSTM(E, H, layers, dropout=between)
            self.query = nn.Linear(H, 2 * H, bias=False)
            self.combine = nn.Linear(3 * H, H)
            self.output = nn.Linear(H, V_target)
        self.dropout = nn.Dropout(dropout)

    def encode(self, X: torch.Tensor) -> tuple[Memory, tuple[torch.Tensor, torch.Tensor]]:
        """Sources X `(T, N)` of one length -> what is known of them, and the decoder's start state."""
        keys, (last, _) = self.encoder(self.dropout(self.embed_source(X)))
        last = torch.cat([last[-2], last[-1]], dim=-1)  # forward at the last letter, backward at the first: (N, 2H)
        start = torch.tanh(self.bridge(last)).view(len(last), 2, self.layers, self.H)
        S, C = start.permute(1, 2, 0, 3).contiguous()  # each (layers, N, H)
        return Memory(keys, last), (S, C)

    def decode(self, Y: torch.Tensor, memory: Memory, state) -> tuple[torch.Tensor, tuple, torch.Tensor | None]:
        """Tokens written before, Y `(U, N)` -> logits `(U, N, V)`, the last state, and attention's weights `(U, N, T)`."""
        S, state = self.decoder(self.dropout(self.embed_target(Y)), state)  # (U, N, H)
        weights = None
        if self.attention:
            keys = memory.keys.permute(1, 2, 0)  # (N, 2H, T)
            scores = torch.bmm(self.query(S).transpose(0, 1), keys) / math.sqrt(keys.shape[1])  # (N, U, T)
            weights = scores.softmax(dim=-1)
            context = torch.bmm(weights, keys.transpose(1, 2)).transpose(0, 1)  # (U, N, 2H)
            weights = weights.transpose(0, 1)
        else:
            context = memory.last.expand(len(S), -1, -1)
        joined = torch.tanh(self.combine(torch.cat([S, context], dim=-1)))
        return self.output(self.dropout(joined)), state, weights

    def forward(self, X: torch.Tensor, Y: torch.Tensor) -> torch.Tensor:
        """Logits `(U, N, V)` for targets Y `(U, N)` under teacher forcing: the input of each step is the right token before it."""
        memory, state = self.encode(X)
        before = torch.cat([torch.full_like(Y[:1], self.START), Y[:-1].clamp(min=0)])  # what follows an end is ignored
        return self.decode(before, memory, state)[0]


# --- Batches and training ----------------------------------------------------------------------


def batches(pairs: Pairs, N: int, rng: np.random.Generator) -> list[tuple[np.ndarray, np.ndarray]]:
    """One pass over all pairs in random order: X `(T, n)`, Y `(U, n)`, n at most N. The sources of a batch have one length, its targets nearly one.

    Y ends in END, and holds IGNORED behind it.
    """
    by_length: dict[int, list[int]] = {}
    for i in rng.permutation(len(pairs)):
        by_length.setdefault(len(pairs[i][0]), []).append(int(i))
    for members in by_length.values():
        members.sort(key=lambda i: len(pairs[i][1]))  # less padding; of one length each stays at a random place
    groups = [members[k : k + N] for members in by_length.values() for k in range(0, len(members), N)]
    return [_batch([pairs[i] for i in groups[g]]) for g in rng.permutation(len(groups))]


def _batch(pairs: Pairs) -> tuple[np.ndarray, np.ndarray]:
    X = np.array([source for source, _ in pairs], dtype=np.int64).T  # (T, n)
    Y = np.full((max(len(target) for _, target in pairs) + 1, len(pairs)), IGNORED, dtype=np.int64)
    for n, (_, target) in enumerate(pairs):
        Y[: len(target), n] = target
        Y[len(target), n] = EncoderDecoder.END
    return X, Y


def loss_of(model: EncoderDecoder, X: np.ndarray, Y: np.ndarray, smoothing: float = 0.0) -> torch.Tensor:
    """Mean nats a real target token, the end included. smoothing: the share of the target that label smoothing spreads over all tokens."""
    device = model.output.weight.device
    X, Y = torch.as_tensor(X, device=device), torch.as_tensor(Y, device=device)
    return nn.functional.cross_entropy(model(X, Y).flatten(0, 1), Y.flatten(), ignore_index=IGNORED, label_smoothing=smoothing)


# --- Decoding ----------------------------------------------------------------------------------


def _groups(sources: Sequence[Sequence[int]], N: int) -> Iterator[list[int]]:
    """Places of sources of one length, at most N together."""
    by_length: dict[int, list[int]] = {}
    for i, source in enumerate(sources):
        by_length.setdefault(len(source), []).append(i)
    for members in by_length.values():
        yield from (members[k : k + N] for k in range(0, len(members), N))


def _longest(T: int) -> int:
    """How many tokens an output may have: twice the source's and a few more."""
    return 2 * T + 5


@torch.no_grad()
def greedy(model: EncoderDecoder, sources: Sequence[Sequence[int]], N: int = 512) -> list[list[int]]:
    """For each source the ids that are likeliest step by step, without the end."""
    return [ids for ids, _ in beam(model, sources, 1, N)]


@torch.no_grad()
def beam(model: EncoderDecoder, sources: Sequence[Sequence[int]], width: int, N: int = 256) -> list[tuple[list[int], float]]:
    """For each source the best output that a beam of that width finds, without the end, and its log-probability.

    At each step the candidates are the finished hypotheses as they are and all extensions of the others; the `width` best by total log-probability stay.
    """
    if width < 1:
        raise ValueError(f"The width of a beam is 1 or more; received {width}.")
    model.eval()
    found: list[tuple[list[int], float]] = [([], 0.0)] * len(sources)
    for members in _groups(sources, N):
        X = torch.as_tensor(np.array([sources[i] for i in members]).T, device=model.output.weight.device)
        for i, output in zip(members, _beam_of_one_length(model, X, width), strict=True):
            found[i] = output
    return found


def _beam_of_one_length(model: EncoderDecoder, X: torch.Tensor, width: int) -> list[tuple[list[int], float]]:
    """Beam search for sources X `(T, N)` side by side: column n * width + k is the k-th hypothesis of source n."""
    T, N = X.shape
    memory, state = model.encode(X)
    memory = Memory(*(part.repeat_interleave(width, dim=-2) for part in memory))
    state = tuple(part.repeat_interleave(width, dim=1) for part in state)
    totals = torch.full((N, width), -math.inf, device=X.device)
    totals[:, 0] = 0.0  # one hypothesis at first: the empty one
    ended = torch.zeros(N, width, dtype=torch.bool, device=X.device)
    tokens = torch.full((1, N * width), model.START, device=X.device)
    written: list[torch.Tensor] = []
    for _ in range(_longest(T)):
        logits, state, _ = model.decode(tokens, memory, state)
        log_probs = logits[0].log_softmax(dim=-1).view(N, width, -1)
        V = log_probs.shape[-1]
        # A finished hypothesis has one candidate, itself: another END that costs nothing.
        itself = torch.full((V,), -math.inf, device=X.device)
        itself[model.END] = 0.0
        log_probs = torch.where(ended[..., None], itself, log_probs)
        totals, best = (totals[..., None] + log_probs).flatten(1).topk(width, dim=-1)  # (N, width)
        parents, tokens = best // V, best % V
        ended = ended.gather(1, parents) | (tokens == model.END)
        columns = (torch.arange(N, device=X.device)[:, None] * width + parents).flatten()
        state = tuple(part[:, columns] for part in state)
        written = [step[columns] for step in written]
        tokens = tokens.view(1, -1)
        written.append(tokens[0])
        if bool(ended[:, 0].all()):  # totals only fall: nothing can overtake a finished best one
            break
    outputs = torch.stack(written, dim=1).view(N, width, -1)[:, 0].tolist()  # the best of each source
    return [
        (ids[: ids.index(model.END)] if model.END in ids else ids, total)
        for ids, total in zip(outputs, totals[:, 0].tolist(), strict=True)
    ]


@torch.no_grad()
def log_probs(model: EncoderDecoder, pairs: Pairs, N: int = 512) -> np.ndarray:
    """The log-probability of each target, its end included, given its source: `(len(pairs),)`."""
    model.eval()
    device = model.output.weight.device
    found = np.empty(len(pairs))
    for members in _groups([source for source, _ in pairs], N):
        X, Y = (torch.as_tensor(part, device=device) for part in _batch([pairs[i] for i in members]))
        losses = nn.functional.cross_entropy(model(X, Y).flatten(0, 1), Y.flatten(), ignore_index=IGNORED, reduction="none")
        found[members] = -losses.view(Y.shape).sum(dim=0).double().cpu().numpy()
    return found


@torch.no_grad()
def alignment(model: EncoderDecoder, source: Sequence[int], target: Sequence[int]) -> np.ndarray:
    """Attention's weights `(U, T)` while the model writes `target` and the end, one row a token written."""
    model.eval()
    X, Y = _batch([(source, target)])
    memory, state = model.encode(torch.as_tensor(X))
    before = torch.as_tensor(np.concatenate([[[model.START]], Y[:-1]]))
    return model.decode(before, memory, state)[2][:, 0].numpy()
