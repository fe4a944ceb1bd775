"""References for assignment 07: attention and the recurrence by torch; decoding and BLEU by the definitions, spelled out."""

from __future__ import annotations

import heapq
import math

import numpy as np

from .torch_arrays import device, numpy_array, tensor, torch_module


def attention(query, keys, values, lengths) -> tuple[np.ndarray, np.ndarray]:
    """`(context, weights)` by `torch.nn.functional.scaled_dot_product_attention` with a mask.

    torch does not hand out the weights: with the unit rows as values, they are the result.
    """
    torch = torch_module()
    T, N = keys.shape[:2]
    q, k, v = tensor(query)[:, None], tensor(keys).transpose(0, 1), tensor(values).transpose(0, 1)  # (N, 1, D), (N, T, D), (N, T, E)
    mask = (torch.arange(T, device=device()) < tensor(lengths)[:, None])[:, None]  # (N, 1, T)
    rows = torch.eye(T, dtype=torch.float64, device=device()).expand(N, T, T)
    context, weights = (torch.nn.functional.scaled_dot_product_attention(q, k, x, attn_mask=mask)[:, 0] for x in (v, rows))
    return numpy_array(context), numpy_array(weights.T)


def greedy_decode(log_p, start, end, max_len) -> list[int]:
    """Of the ids that no other one beats, the first; until `end`."""
    ids: list[int] = []
    while len(ids) < max_len and end not in ids:
        row = log_p[ids[-1] if ids else start].tolist()
        ids.append(row.index(max(row)))
    return ids


def beam_search(log_p, start, end, width, max_len) -> tuple[list[int], float]:
    """`(ids, total)`: the best of the `width` that are kept, each total summed anew from the table, exactly rounded."""

    def total(ids: tuple[int, ...]) -> float:
        steps = [float(log_p[i, j]) for i, j in zip((start, *ids), ids)]
        return -math.inf if -math.inf in steps else math.fsum(steps)

    def finished(ids: tuple[int, ...]) -> bool:
        return ids[-1:] == (end,)

    kept: list[tuple[int, ...]] = [()]
    for _ in range(max_len):
        candidates = [ids for ids in kept if finished(ids)]
        candidates += [(*ids, j) for ids in kept if not finished(ids) for j in range(len(log_p))]
        kept = heapq.nsmallest(width, candidates, key=lambda ids: (-total(ids), ids))
        if all(map(finished, kept)):
            break
    return list(kept[0]), total(kept[0])


def bleu(candidate, reference, n) -> float:
    """BLEU in [0, 1]: each n-gram of the reference can be matched once, so it is crossed out when it is."""
    if len(candidate) < n:
        return 0.0
    product = 1.0
    for k in range(1, n + 1):
        have, left = ([tokens[i : i + k] for i in range(len(tokens) - k + 1)] for tokens in (list(candidate), list(reference)))
        matched = 0
        for gram in have:
            if gram in left:
                left.remove(gram)
                matched += 1
        product *= matched / len(have)
    return product ** (1 / n) * math.exp(min(0.0, 1 - len(reference) / len(candidate)))


def minimal_scan(a, b, h0) -> np.ndarray:
    """All states `(T, N, H)` of h_t = a_t h_{t-1} + b_t, step by step in torch."""
    h, states = tensor(h0), []
    for a_t, b_t in zip(tensor(a), tensor(b)):
        h = torch_module().addcmul(b_t, a_t, h)
        states.append(h)
    return numpy_array(torch_module().stack(states))
