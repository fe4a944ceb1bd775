#!/usr/bin/env python
"""Train the translator of numerals whose weights the milestone `bahdanau2015` reads: python tools/translator.py

The model of the page on translation, 32 units, with scaled dot-product attention, in torch on the CPU; half a minute. The weights are written in
the layout of the assignments: one matrix for all gates, row vectors to the left; `<s>` and `</s>` are the first two ids.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import nn

from unrolled import translation
from unrolled.yours.milestones.bahdanau import WEIGHTS


UPDATES = 400


class ScaledDot(nn.Module):
    """Scaled dot product after a matrix for the query and one for the keys."""

    def __init__(self, H: int) -> None:
        super().__init__()
        self.W_q, self.W_k = nn.Linear(H, H, bias=False), nn.Linear(H, H, bias=False)

    def forward(self, query: torch.Tensor, keys: torch.Tensor, lengths: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        scores = (self.W_k(keys) * self.W_q(query)).sum(dim=-1) / math.sqrt(query.shape[-1])
        return translation.weighted_mean(scores, keys, lengths)


def main() -> None:
    task = translation.Numerals()
    model = translation.untrained(task, ScaledDot)
    losses = translation.train(model, task.SOURCES, task.TARGETS, updates=UPDATES)
    w = {name: p.detach().numpy() for name, p in model.named_parameters()}
    order = [task.START, task.END, *(i for i in range(len(task.chinese)) if i not in (task.START, task.END))]
    arrays = {
        "embed_source": w["embed_source.weight"], "embed_target": w["embed_target.weight"][order],
        "encoder_W_x": w["encoder.weight_ih_l0"].T, "encoder_W_h": w["encoder.weight_hh_l0"].T,
        "encoder_b_x": w["encoder.bias_ih_l0"], "encoder_b_h": w["encoder.bias_hh_l0"],
        "decoder_W_x": w["decoder.weight_ih"].T, "decoder_W_h": w["decoder.weight_hh"].T,
        "decoder_b_x": w["decoder.bias_ih"], "decoder_b_h": w["decoder.bias_hh"],
        "W_q": w["attend.W_q.weight"].T, "W_k": w["attend.W_k.weight"].T,
        "output_W": w["output.weight"][order].T, "output_b": w["output.bias"][order],
    }  # fmt: skip
    np.savez_compressed(
        WEIGHTS, english=np.array(task.english.tokens), chinese=np.array([task.chinese.tokens[i] for i in order]),
        **{name: array.astype(np.float32) for name, array in arrays.items()},
    )  # fmt: skip
    print(f"loss {losses[-1]:.3f}; {WEIGHTS} has {WEIGHTS.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
