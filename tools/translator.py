#!/usr/bin/env python
"""Train the translator of numerals whose weights the milestone `bahdanau2015` reads: python tools/translator.py

An encoder–decoder of 32 units with scaled dot-product attention, as the page on translation builds it, in torch on the CPU; a minute. The
weights are written in the layout of the assignments: one matrix for all gates, row vectors to the left.
"""

from __future__ import annotations

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from unrolled import corpora, text, training
from unrolled.yours.milestones.bahdanau import WEIGHTS, words

E, H, N, UPDATES = 16, 32, 64, 800


class Translator(nn.Module):
    """The page's model with scaled dot-product attention."""

    def __init__(self, english: int, chinese: int) -> None:
        super().__init__()
        self.embed_source, self.embed_target = nn.Embedding(english, E), nn.Embedding(chinese, E)
        self.encoder, self.decoder = nn.GRU(E, H), nn.GRUCell(E + H, H)
        self.W_q, self.W_k = nn.Linear(H, H, bias=False), nn.Linear(H, H, bias=False)
        self.output = nn.Linear(H, chinese)

    def forward(self, X: torch.Tensor, lengths: torch.Tensor, Y: torch.Tensor) -> torch.Tensor:
        """Logits (U, N, V) under teacher forcing for ids X (T, N), Y (U, N)."""
        packed = nn.utils.rnn.pack_padded_sequence(self.embed_source(X), lengths, enforce_sorted=False)
        states, last = self.encoder(packed)
        states, S = nn.utils.rnn.pad_packed_sequence(states)[0], last[0]
        keys, real = self.W_k(states), torch.arange(len(states))[:, None] < lengths
        logits = []
        for y in torch.cat([torch.zeros_like(Y[:1]), Y[:-1]]):
            scores = (keys * self.W_q(S)).sum(dim=-1) / math.sqrt(H)
            weights = F.softmax(scores.masked_fill(~real, -math.inf), dim=0)
            context = (weights[:, :, None] * states).sum(dim=0)
            S = self.decoder(torch.cat([self.embed_target(y), context], dim=-1), S)
            logits.append(self.output(S))
        return torch.stack(logits)


def padded(sequences: list[list[int]]) -> tuple[torch.Tensor, torch.Tensor]:
    """Ids (T, N) of sequences side by side, and their lengths (N,)."""
    ids = nn.utils.rnn.pad_sequence([torch.tensor(list(map(int, s))) for s in sequences])
    return ids, torch.tensor([len(s) for s in sequences])


def main() -> None:
    unseen = {e for e, _ in corpora.numerals(4_000, seed=1) if len(words(e)) >= 4}
    pairs = [pair for pair in corpora.numerals(60_000, seed=0) if pair[0] not in unseen]
    english = text.Vocabulary([w for e, _ in pairs for w in words(e)])
    chinese = text.Vocabulary(["<s>", "</s>"] + [c for _, z in pairs for c in z])
    start, end = chinese.id("<s>"), chinese.id("</s>")
    order = [start, end, *(i for i in range(len(chinese)) if i not in (start, end))]  # the milestone wants these first
    place = {old: new for new, old in enumerate(order)}
    sources = [english.encode(words(e)) for e, _ in pairs]
    targets = [[place[int(i)] for i in chinese.encode([*z, "</s>"])] for _, z in pairs]
    torch.manual_seed(0)
    model = Translator(len(english), len(order))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, UPDATES)
    for update in training.progress(range(UPDATES), "update"):
        batch = slice(update * N, (update + 1) * N)
        X, lengths = padded(sources[batch])
        Y, Y_lengths = padded(targets[batch])
        real = torch.arange(len(Y))[:, None] < Y_lengths
        loss = F.cross_entropy(model(X, lengths, Y)[real], Y[real])
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
    w = {name: p.detach().numpy() for name, p in model.named_parameters()}
    arrays = {
        "embed_source": w["embed_source.weight"], "embed_target": w["embed_target.weight"],
        "encoder_W_x": w["encoder.weight_ih_l0"].T, "encoder_W_h": w["encoder.weight_hh_l0"].T,
        "encoder_b_x": w["encoder.bias_ih_l0"], "encoder_b_h": w["encoder.bias_hh_l0"],
        "decoder_W_x": w["decoder.weight_ih"].T, "decoder_W_h": w["decoder.weight_hh"].T,
        "decoder_b_x": w["decoder.bias_ih"], "decoder_b_h": w["decoder.bias_hh"],
        "W_q": w["W_q.weight"].T, "W_k": w["W_k.weight"].T, "output_W": w["output.weight"].T, "output_b": w["output.bias"],
    }  # fmt: skip
    np.savez_compressed(
        WEIGHTS, english=np.array(english.tokens), chinese=np.array([chinese.tokens[i] for i in order]),
        **{name: array.astype(np.float32) for name, array in arrays.items()},
    )  # fmt: skip
    print(f"loss {loss.item():.3f}; {WEIGHTS} has {WEIGHTS.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
