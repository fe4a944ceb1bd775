"""How fast does NumPy count trigrams and score with them, and how much memory does that take?

Two texts of a million tokens, each with another million to score: the characters of toy English, and ids of words drawn
from a Zipf distribution over 20,000. The first has few distinct trigrams, the second almost as many as tokens. Medians of
five, on one core. Then the second text grows: the bytes that a model keeps for each distinct trigram should not grow with
it, nor the most that making it and scoring with it hold at once, for each token.

The budget: at least 1,000,000 tokens a second for counting and for scoring, on both texts. What is printed is written to
`_build/benchmarks/ngram.json`.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
import tracemalloc
from collections.abc import Callable

import numpy as np
from common import write

from unrolled.corpora import toy_english
from unrolled.ngram import KneserNey, count_orders
from unrolled.text import Vocabulary

ORDER, WORDS = 3, 20_000
BUDGET = 1_000_000  # tokens a second


def characters(tokens: int) -> tuple[np.ndarray, np.ndarray, int]:
    """Toy English to count, toy English to score, and V."""
    train, held_out = (toy_english(tokens, seed).text for seed in (0, 1))
    vocabulary = Vocabulary(train)
    return vocabulary.encode(train), vocabulary.encode(held_out), len(vocabulary)


def zipf_words(tokens: int) -> tuple[np.ndarray, np.ndarray, int]:
    """Ids drawn one by one, the r-th with probability in proportion to 1/r: a part to count, a part to score, and V."""
    p = 1 / np.arange(1, WORDS + 1)
    train, held_out = np.random.default_rng(0).choice(WORDS, size=(2, tokens), p=p / p.sum())
    return train, held_out, WORDS


def seconds(run: Callable[[], object], rounds: int) -> float:
    """Median time by the clock."""
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        run()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def speed(name: str, train: np.ndarray, held_out: np.ndarray, V: int, rounds: int) -> dict:
    """Tokens a second for counting alone, for making a Kneser-Ney model (counting included), and for scoring."""
    model = KneserNey(train, ORDER, V)
    return {
        "text": name,
        "V": V,
        "distinct_trigrams": len(model.orders[-1].keys),
        "counting": len(train) / seconds(lambda: count_orders(train, ORDER, V), rounds),
        "making a model": len(train) / seconds(lambda: KneserNey(train, ORDER, V), rounds),
        "scoring": len(held_out) / seconds(lambda: model.log_probs(held_out), rounds),
    }


def memory(train: np.ndarray, held_out: np.ndarray, V: int) -> dict:
    """Bytes that a model keeps, and the most that making it and scoring with it hold at once: the model included, the texts not."""
    tracemalloc.start()
    model = KneserNey(train, ORDER, V)
    kept, making = tracemalloc.get_traced_memory()
    tracemalloc.reset_peak()
    model.log_probs(held_out)
    scoring = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    distinct = len(model.orders[-1].keys)
    return {"tokens": len(train), "distinct_trigrams": distinct, "kept": kept, "peak_making": making, "peak_scoring": scoring}


def print_speeds(speeds: list[dict]) -> None:
    print(f"\n{'tokens a second':<24}  {'V':>6}  distinct trigrams  {'counting':>12}  {'making a model':>14}  {'scoring':>12}")
    for row in speeds:
        print(
            f"{row['text']:<24}  {row['V']:6,}  {row['distinct_trigrams']:17,}  "
            f"{row['counting']:12,.0f}  {row['making a model']:14,.0f}  {row['scoring']:12,.0f}"
        )


def print_memory(rows: list[dict]) -> None:
    print("\nmemory, words     distinct     model keeps   bytes a distinct  peak making   bytes a  peak scoring   bytes a")
    print("tokens            trigrams              MB            trigram           MB     token            MB     token")
    for row in rows:
        tokens, distinct = row["tokens"], row["distinct_trigrams"]
        print(
            f"{tokens:<14,}  {distinct:10,}  {row['kept'] / 1e6:14.1f}  {row['kept'] / distinct:17.0f}  "
            f"{row['peak_making'] / 1e6:11.1f}  {row['peak_making'] / tokens:8.0f}  "
            f"{row['peak_scoring'] / 1e6:12.1f}  {row['peak_scoring'] / tokens:8.0f}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--tokens", type=int, default=1_000_000)
    arguments = parser.parse_args()

    print(f"trigrams, {arguments.tokens:,} tokens; NumPy {np.__version__}, median of {arguments.rounds}")
    load = os.getloadavg()[0]
    if load > 0.5:
        print(f"Other programs are running (load {load:.1f}): the clock shows them, too.")
    words = zipf_words(arguments.tokens)
    speeds = [
        speed("toy English, characters", *characters(arguments.tokens), arguments.rounds),
        speed("Zipf, words", *words, arguments.rounds),
    ]
    print_speeds(speeds)
    train, held_out, V = words
    lengths = [arguments.tokens // 2**halvings for halvings in (4, 3, 2, 1, 0)]
    growth = [memory(train[:length], held_out[:length], V) for length in lengths]
    print_memory(growth)
    print()
    for row in speeds:
        for what in ("counting", "scoring"):
            verdict = "met" if row[what] >= BUDGET else "MISSED"
            print(f"budget: {BUDGET:,} tokens a second, {what} {row['text']}: {row[what]:,.0f}, {verdict}")

    conditions = {"order": ORDER, "tokens": arguments.tokens, "rounds": arguments.rounds, "load_at_start": load}
    write("ngram", {**conditions, "speed": speeds, "memory": growth, "budget": BUDGET})


if __name__ == "__main__":
    main()
