"""How close does torch's LSTM of 128 units come to the entropy rate of toy English, and in what time?

Budget: within 2 % of the floor, in nats per character, in 90 s on two cores; median of 3 seeds. The floor is the mean true
log-probability of the same held-out characters.
"""

from __future__ import annotations

import argparse
import math
import statistics
import time
from collections.abc import Iterator

import numpy as np
from common import write

from unrolled import torch_models
from unrolled.corpora import entropy_rate, toy_english
from unrolled.text import Vocabulary, sequential_batches

TRAIN_CHARACTERS, HELD_OUT_CHARACTERS = 450_000, 100_000
# 32 sequences and not 64, and a high learning rate: agreement over several words is learnt late and suddenly, after some 1500
# updates, so that their number counts for more than the smoothness of each.
N, T, H = 32, 64, 128
LEARNING_RATE, PASSES = 8e-3, 14


def passes(ids: np.ndarray, count: int, rng: np.random.Generator) -> Iterator[list]:
    """Sequential batches for each pass, cut at another offset each time, equally many."""
    batches = len(sequential_batches(ids, N, T, T - 1))
    for _ in range(count):
        yield sequential_batches(ids, N, T, int(rng.integers(T)))[:batches]


def one_run(seed: int) -> dict[str, float]:
    train = toy_english(TRAIN_CHARACTERS, seed)
    held_out = toy_english(HELD_OUT_CHARACTERS, 10_000 + seed)
    vocabulary = Vocabulary(train.text)
    ids = vocabulary.encode(train.text)
    began, began_cpu = time.perf_counter(), time.process_time()
    model = torch_models.TorchLanguageModel("lstm", len(vocabulary), H, seed)
    steps = PASSES * len(sequential_batches(ids, N, T, T - 1))
    torch_models.train(model, passes(ids, PASSES, np.random.default_rng(seed)), LEARNING_RATE, steps)
    seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - began_cpu
    loss = torch_models.held_out_loss(model, vocabulary.encode(held_out.text))
    floor = -float(held_out.log_probs[1:].mean())
    return {
        "seed": seed, "held_out": loss, "floor": floor, "above_percent": 100 * (loss / floor - 1),
        "seconds": seconds, "cpu_seconds": cpu_seconds,
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    arguments = parser.parse_args()
    print(f"entropy rate {entropy_rate():.4f} nats per character, perplexity {math.exp(entropy_rate()):.3f}")
    print("seed  held-out   floor   above  seconds  CPU seconds")
    runs = []
    for seed in range(arguments.seeds):
        run = one_run(seed)
        runs.append(run)
        print(
            f"{seed:4d}  {run['held_out']:8.4f}  {run['floor']:.4f}  {run['above_percent']:4.2f} %"
            f"  {run['seconds']:7.1f}  {run['cpu_seconds']:11.1f}",
            flush=True,
        )
    median = statistics.median(run["above_percent"] for run in runs)
    seconds = statistics.median(run["seconds"] for run in runs)
    print(f"median: {median:.2f} % above the floor in {seconds:.1f} s (budget: 2 % in 90 s)")
    write("toy_english_lstm", {"entropy_rate": entropy_rate(), "runs": runs, "median_above_percent": median, "median_seconds": seconds})


if __name__ == "__main__":
    main()
