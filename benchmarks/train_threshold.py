"""Where does the limit on the held-out perplexity of `train` (assignment 04) come from?

The check trains a learner's network for 1500 updates on toy English and asks for its perplexity on a text not seen, over the best
possible one on that very text. This runs the same long run, each time with fresh texts and weights: a right solution 100 times, and
five wrong ones 10 times each. Every right run must lie below the limit of the check, and every run of the first four wrong ones above. The
last one trains almost as well, from 1.19 on, and the limit keeps away from right runs: the comparison of each loss must fail those below it. For
comparison: the 5-gram model that counted the same text. What is printed is written to `_build/benchmarks/train_threshold.json`.
"""

from __future__ import annotations

import argparse
import functools
import math
import sys
import time

import numpy as np
from common import write

from unrolled import ngram
from unrolled.checks.tasks.training import shared
from unrolled.checks.tasks.training import train as task
from unrolled.corpora import ALPHABET
from unrolled.training import LanguageModel, RNN, held_out_loss

WRONG = {
    "not clipped": functools.partial(task._train, clip=shared.unclipped),
    "state reset at each window": functools.partial(task._train, carried=lambda H_T, H_0: 0 * H_0),
    "W_hh not trained": functools.partial(task._train, frozen=("W_hh",)),
    "W_hh not transposed": functools.partial(task._train, W_back=np.transpose),
    "gradient not carried": functools.partial(task._train, flows=0.0),
}
TRAIN_ALMOST_AS_WELL = ("gradient not carried",)


@np.errstate(all="ignore")
def ratio(train, seed: int) -> tuple[float, float, float]:
    """Held-out perplexity after the long run over the best possible one, the perplexity itself, and the seconds that training took."""
    arguments, held_out, best = task.long_run(seed)
    began = time.process_time()
    params, _ = train(*arguments.values())
    seconds = time.process_time() - began
    loss = held_out_loss(LanguageModel(RNN, params), held_out)
    perplexity = math.exp(loss) if loss < 700 else math.inf
    return perplexity / best, perplexity, seconds


def five_gram(seed: int) -> float:
    """The same ratio of a 5-gram model that counted the text which the long run reads."""
    arguments, held_out, best = task.long_run(seed)
    strips = np.concatenate([X for X, _ in arguments["batches"]])  # (steps, N)
    return math.exp(ngram.KneserNey(strips.T.reshape(-1), 5, len(ALPHABET)).held_out_loss(held_out)) / best


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--right", type=int, default=100, help="runs of the right solution (default: %(default)s)")
    parser.add_argument("--wrong", type=int, default=10, help="runs of each wrong one (default: %(default)s)")
    options = parser.parse_args()
    result: dict = {"limit": task.LIMIT, "updates": task.UPDATES}
    print(f"held-out perplexity over the best possible one, after {task.UPDATES} updates; limit {task.LIMIT:g}")
    print(f"{'':<28}{'runs':>5}{'least':>9}{'median':>9}{'most':>9}{'below the limit':>17}")
    good = True
    runs = {"right": (task._train, options.right), **{name: (train, options.wrong) for name, train in WRONG.items()}}
    for name, (train, count) in runs.items():
        found = [ratio(train, seed) for seed in range(count)]
        ratios = sorted(r for r, _, _ in found)
        below = sum(r <= task.LIMIT for r in ratios)
        good &= name in TRAIN_ALMOST_AS_WELL or below == (count if name == "right" else 0)
        print(f"{name:<28}{count:>5}{ratios[0]:>9.4g}{ratios[count // 2]:>9.4g}{ratios[-1]:>9.4g}{below:>17}", flush=True)
        result[name] = {"ratios": ratios, "perplexities": sorted(p for _, p, _ in found), "seconds": float(np.median([s for *_, s in found]))}
    five = [five_gram(seed) for seed in range(min(5, options.right))]
    print(f"{'5-gram Kneser-Ney':<28}{len(five):>5}{min(five):>9.3f}{sorted(five)[len(five) // 2]:>9.3f}{max(five):>9.3f}")
    print(f"perplexity of the right solution, median {np.median(result['right']['perplexities']):.3f}; "
          f"{result['right']['seconds']:.2f} s of training")
    write("train_threshold", {**result, "5-gram": five})
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
