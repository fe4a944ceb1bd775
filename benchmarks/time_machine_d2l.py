"""The Time Machine in the setting of Dive into Deep Learning 1.0: our RNN, LSTM and GRU beside its published curves.

The setting is the book's `TimeMachine(num_steps=32, num_train=10000, num_val=5000)`, in its own words of code: letters and
single spaces, lower case (173,428 characters, 28 tokens with `<unk>`); window i holds the characters i..i+32, inputs all but its
last, targets all but its first; windows 0..9,999 train, windows 10,000..14,999 validate; each starts from a zero state. Windows
overlap, so the training text has no more than 10,032 characters, and the first 31 of the 5,031 targets that validate
were seen in training: in both respects the same for the book and for us. The book plots the mean over batches of 1,024 windows of each
batch's perplexity; so does "as plotted" here, and exp of the mean loss over all tokens stands beside it.

Ours: the recipe in RECIPES, the last weights of a fixed schedule, no stopping early. It was chosen on windows 15,032..20,031, a text that
neither part holds (the GRU's a second time, after a table in which it had 6.20). Rows "torch" are the same recipe with `nn.RNN`, `nn.LSTM`, `nn.GRU`, torch's usual start, autograd and torch's Adam: they
are ours, too, and not the book's. The book's own recipe differs: 32 units, SGD, no noise. What is printed is written to
`_build/benchmarks/time_machine_d2l.json`.
"""

from __future__ import annotations

import argparse
import math
import os
import statistics
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from multiprocessing import get_context

import numpy as np
import torch
from common import write
from threadpoolctl import threadpool_limits
from torch import nn

from unrolled import metrics, torch_models, training
from unrolled.corpora import normalise_letters, time_machine
from unrolled.ngram import KneserNey
from unrolled.text import Vocabulary

T, TRAIN, VALIDATE, PLOTTED_BATCH = 32, 10_000, 5_000, 1_024
CHOOSING = TRAIN + VALIDATE + T  # the first of the windows on which the recipe was chosen: it shares no character with those before
N, THETA = 32, 1.0
ORDERS = range(2, 11)
CELLS = {"RNN": training.RNN, "LSTM": training.LSTM, "GRU": training.GRU}
PUBLISHED = {"RNN": (7.15, 7.53), "LSTM": (6.69, 6.99), "GRU": (6.31, 6.76)}
SOURCE = "validation perplexity read off the curves in the committed PyTorch notebooks of Dive into Deep Learning 1.0, several runs each"


@dataclass(frozen=True)
class Recipe:
    """H units; Adam, its learning rate falling to zero along a half cosine over `updates`; noise: standard deviation of what is added to the weights."""

    H: int
    lr: float
    updates: int
    noise: float


RECIPES = {
    "RNN": Recipe(H=64, lr=5e-3, updates=3_000, noise=0.07),
    "LSTM": Recipe(H=128, lr=1e-2, updates=1_500, noise=0.2),
    "GRU": Recipe(H=64, lr=1e-2, updates=1_000, noise=0.15),
}


def read_ids() -> tuple[np.ndarray, int]:
    """The book as ids in the published form `(173428,)`, and V."""
    letters = normalise_letters(time_machine())
    vocabulary = Vocabulary(letters)
    return vocabulary.encode(letters), len(vocabulary)


def windows(ids: np.ndarray, start: int, count: int) -> np.ndarray:
    """Windows `start` to `start + count - 1`, T + 1 ids each, one id further on each time: `(count, T + 1)`."""
    return np.lib.stride_tricks.sliding_window_view(ids, T + 1)[start : start + count]


def split(batch: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Windows `(N, T + 1)` as inputs and targets, each `(T, N)`."""
    columns = np.ascontiguousarray(batch.T)
    return columns[:-1], columns[1:]


def perplexities(losses: list[float], sizes: list[int]) -> dict[str, float]:
    """From the mean loss of each batch: exp of the mean over all tokens, and the mean of exp, as the book plots it."""
    return {"perplexity": math.exp(np.average(losses, weights=sizes)), "as_plotted": float(np.mean(np.exp(losses)))}


def score(loss_of, held: np.ndarray) -> dict[str, float]:
    """Perplexities of held-out windows, where loss_of gives the mean loss of a batch of them."""
    batches = [held[i : i + PLOTTED_BATCH] for i in range(0, len(held), PLOTTED_BATCH)]
    return perplexities([loss_of(batch) for batch in batches], [len(batch) for batch in batches])


def numpy_run(cell: str, recipe: Recipe, seed: int, train: np.ndarray, held: np.ndarray, V: int) -> dict[str, float]:
    """Train with the package's hand-written gradients: each update at weights with fresh Gaussian noise on them."""
    rng = np.random.default_rng(seed)
    model = training.init_model(CELLS[cell], V, recipe.H, rng, np.float32)
    optimizer = training.Adam(recipe.lr, recipe.updates)
    for _ in range(recipe.updates):
        X, Y = split(train[rng.integers(len(train), size=N)])
        noisy = {name: W + recipe.noise * rng.standard_normal(W.shape, np.float32) for name, W in model.params.items()}
        _, grads, _ = training.loss_and_gradients(training.LanguageModel(model.cell, noisy), X, Y, model.zero_state(N))
        grads, _ = training.clip_by_norm(grads, THETA)
        optimizer.update(model.params, grads)

    def loss_of(batch: np.ndarray) -> float:
        X, Y = split(batch)
        return metrics.cross_entropy(model.logits(X, model.zero_state(len(batch)))[0], Y)

    return score(loss_of, held)


def torch_run(cell: str, recipe: Recipe, seed: int, train: np.ndarray, held: np.ndarray, V: int) -> dict[str, float]:
    """The same recipe in plain torch."""
    rng = np.random.default_rng(seed)
    generator = torch.Generator().manual_seed(seed)
    model = torch_models.TorchLanguageModel(cell.lower(), V, recipe.H, seed)
    optimizer = torch.optim.Adam(model.parameters(), lr=recipe.lr)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, recipe.updates)

    def loss_of(batch: np.ndarray) -> torch.Tensor:
        X, Y = (torch.from_numpy(ids) for ids in split(batch))
        return nn.functional.cross_entropy(model(X)[0].flatten(0, 1), Y.flatten())

    for _ in range(recipe.updates):
        clean = [p.detach().clone() for p in model.parameters()]
        with torch.no_grad():
            for p in model.parameters():
                p.add_(recipe.noise * torch.randn(p.shape, generator=generator))
        optimizer.zero_grad()
        loss_of(train[rng.integers(len(train), size=N)]).backward()
        with torch.no_grad():
            for p, value in zip(model.parameters(), clean, strict=True):
                p.copy_(value)
        nn.utils.clip_grad_norm_(model.parameters(), THETA)
        optimizer.step()
        schedule.step()
    with torch.no_grad():
        return score(lambda batch: loss_of(batch).item(), held)


WAYS = {"NumPy": numpy_run, "torch": torch_run}


def one_run(way: str, cell: str, seed: int, start: int) -> dict[str, object]:
    """One training, on one thread: so that as many can run at once as there are cores."""
    torch.set_num_threads(1)
    ids, V = read_ids()
    with threadpool_limits(1, user_api="blas"):
        began = time.process_time()
        scores = WAYS[way](cell, RECIPES[cell], seed, windows(ids, 0, TRAIN), windows(ids, start, VALIDATE), V)
        return {"way": way, "cell": cell, "seed": seed, **scores, "cpu_seconds": time.process_time() - began}


def counting(ids: np.ndarray, V: int, start: int, order: int) -> dict[str, float]:
    """Kneser-Ney on the same training characters; in a window it sees no more than the recurrent models do."""
    model = KneserNey(ids[: TRAIN + T], order, V)
    return score(lambda batch: float(np.mean([-model.log_probs(window).mean() for window in batch])), windows(ids, start, VALIDATE))


def best_order(ids: np.ndarray, V: int) -> int:
    """The order of the Kneser-Ney model that predicts best where the recipes were chosen, too."""
    return min(ORDERS, key=lambda order: counting(ids, V, CHOOSING, order)["perplexity"])


def weights(cell: str, V: int) -> int:
    """How many numbers the recipe of that cell trains, biases and output layer included."""
    model = training.init_model(CELLS[cell], V, RECIPES[cell].H, np.random.default_rng(0), np.float32)
    return sum(W.size for W in model.params.values())


def print_recipes(V: int) -> None:
    print(f"recipe: float32, batches of {N} windows drawn at random, gradient clipped at norm {THETA:g}, Adam with a half cosine to zero,")
    print("Gaussian noise on all weights and biases while the gradient is taken; the last weights are scored, without noise")
    print(f"\n{'cell':<4}  {'H':>3}  {'weights':>7}  {'rate':>6}  {'updates':>7}  {'noise':>5}")
    for cell, recipe in RECIPES.items():
        print(f"{cell:<4}  {recipe.H:3}  {weights(cell, V):7,}  {recipe.lr:6g}  {recipe.updates:7,}  {recipe.noise:5g}")


def summary(runs: list[dict], way: str, cell: str) -> dict[str, object]:
    """Median, lowest and highest over the seeds, for both perplexities."""
    chosen = [run for run in runs if (run["way"], run["cell"]) == (way, cell)]
    row: dict[str, object] = {"way": way, "cell": cell, "cpu_seconds": statistics.median(run["cpu_seconds"] for run in chosen)}
    for key in ("perplexity", "as_plotted"):
        values = [run[key] for run in chosen]
        row[key] = {"median": statistics.median(values), "lowest": min(values), "highest": max(values)}
    return row


def print_table(rows: list[dict], seeds: int) -> None:
    print(f"\n{f'validation perplexity, {seeds} seeds':<33}  {'as plotted':>10}  {'range':>11}  {'exp of mean loss':>16}  {'range':>11}  {'CPU s':>5}")
    for cell, (low, high) in PUBLISHED.items():
        for row in (row for row in rows if row["cell"] == cell):
            a, b = row["as_plotted"], row["perplexity"]
            print(
                f"{cell + ', ours, ' + row['way']:<33}  {a['median']:10.2f}  {a['lowest']:5.2f}–{a['highest']:5.2f}"
                f"  {b['median']:16.2f}  {b['lowest']:5.2f}–{b['highest']:5.2f}  {row['cpu_seconds']:5.1f}"
            )
        print(f"{cell + ', published':<33}  {'':10}  {low:5.2f}–{high:5.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--choosing", action="store_true", help="score the windows on which the recipe was chosen instead")
    arguments = parser.parse_args()
    try:
        ids, V = read_ids()
    except (FileNotFoundError, ValueError) as error:
        sys.exit(str(error))
    start = CHOOSING if arguments.choosing else TRAIN
    print(f"The Time Machine, {len(ids):,} characters, V = {V}; training on the first {TRAIN + T:,}, {TRAIN:,} windows of {T} steps;")
    print(f"scored on windows {start:,} to {start + VALIDATE - 1:,}{', where the recipe was chosen' if arguments.choosing else ''}\n")
    print_recipes(V)

    began = time.perf_counter()
    jobs = [(way, cell, seed, start) for cell in CELLS for way in WAYS for seed in range(arguments.seeds)]
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        runs = list(pool.map(one_run, *zip(*jobs, strict=True)))
    rows = [summary(runs, way, cell) for cell in CELLS for way in WAYS]
    print_table(rows, arguments.seeds)
    order = best_order(ids, V)
    counted = counting(ids, V, start, order)
    print(f"{f'Kneser–Ney {order}-gram, ours':<33}  {counted['as_plotted']:10.2f}  {'':11}  {counted['perplexity']:16.2f}")
    print(f"published: {SOURCE}")
    print(f"{time.perf_counter() - began:.0f} s by the clock on {os.cpu_count()} cores")

    setting = {"T": T, "train_windows": TRAIN, "first_scored_window": start, "scored_windows": VALIDATE, "V": V, "N": N, "theta": THETA}
    recipes = {cell: asdict(recipe) for cell, recipe in RECIPES.items()}
    write(
        "time_machine_d2l",
        {"setting": setting, "recipes": recipes, "runs": runs, "summary": rows, "kneser_ney": {"order": order, **counted},
         "published": PUBLISHED, "source": SOURCE},
    )  # fmt: skip


if __name__ == "__main__":
    main()
