"""How often does the check of `sample` (assignment 04) fail a right solution?

It makes two statistical tests in each of its cases, which take the mean log-probability for normal and a sum over ranks for chi-square.
This draws right ids for fresh networks, as often as the check does, and counts how often a test finds them as unlikely as it says. The
level of the check is too small for that. But in a case of one token the right ids are a multinomial draw, and the mean can be tested
millions of times: it is skewed, so that its test says no more often than its level. That rate and the level of the ranks, over all cases,
must stay under one false alarm in ten thousand checks. What is printed is written to `_build/benchmarks/sample_alarms.json`.
"""

from __future__ import annotations

import argparse
import math
import statistics
import sys

import numpy as np
from common import write

from unrolled import cells, metrics
from unrolled.checks.tasks.training import sample as task

LEVELS = (1e-1, 1e-2, 1e-3, 1e-4, task.ALARM)
AT_ONCE = 500_000


def right_draws(arguments: dict, count: int, rng: np.random.Generator) -> np.ndarray:
    """Ids `(count, length)`: what `sample` gives with so many seeds, all at once."""
    W_xh, W_hh, b_h, W_hq, b_q = (arguments["params"][name] for name in task.SHAPES)
    prefix = np.tile(arguments["prefix"][:, None], count)
    H_t, drawn = cells.rnn_forward(prefix, np.zeros((count, len(b_h))), W_xh, W_hh, b_h)[-1], []
    for _ in range(arguments["length"]):
        shares = metrics.softmax((H_t @ W_hq + b_q) / arguments["temperature"]).cumsum(axis=-1)
        drawn.append((rng.random((count, 1)) > shares[:, :-1]).sum(axis=-1))
        H_t = cells.rnn_forward(drawn[-1][None], H_t, W_xh, W_hh, b_h)[0]
    return np.stack(drawn, axis=1)


def chances(seed: int) -> np.ndarray:
    """What the tests of one check say of right draws, `(cases, 2)`: the probability that such draws look so bad or worse."""
    rng, found = np.random.default_rng(seed), []
    for case in task._sample_values(rng):
        drawn = right_draws(case.arguments, max(1, task.DRAWS // case.arguments["length"]), rng)
        params, prefix, _, temperature, _ = case.arguments.values()
        found.append([chance for chance, _ in task.draws_tests(task.next_token_probs(params, prefix, drawn, temperature), drawn)])
    return np.array(found)


def far_tail(seed: int) -> int:
    """How often, of AT_ONCE right results for one network, the test of the mean says no in the case of one token."""
    rng = np.random.default_rng(seed)
    params, prefix, _, temperature, _ = task._sample_values(rng)[0].arguments.values()
    probs = task.next_token_probs(params, prefix, np.zeros((1, 1), dtype=int), temperature)[0, 0]
    logs = np.log(probs)
    mean, spread = probs @ logs, math.sqrt(probs @ logs**2 - (probs @ logs) ** 2)
    counts = rng.multinomial(task.DRAWS, probs / probs.sum(), size=AT_ONCE)
    deviations = (counts @ logs - task.DRAWS * mean) / (spread * math.sqrt(task.DRAWS))
    return int((np.abs(deviations) >= -statistics.NormalDist().inv_cdf(task.ALARM / 2)).sum())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checks", type=int, default=1000, help="right solutions that are checked (default: %(default)s)")
    parser.add_argument("--networks", type=int, default=100, help="networks for the tail of the mean (default: %(default)s)")
    options = parser.parse_args()
    all_chances = np.array([chances(seed) for seed in range(options.checks)])  # (checks, cases, 2)
    tests = all_chances[..., 0].size
    result: dict = {"checks": options.checks, "tests of each kind": tests}
    print(f"{options.checks} checks of right solutions, {tests} tests of each kind")
    print(f"{'found as unlikely as':<22}{'expected':>10}{'by the mean':>13}{'by the ranks':>14}")
    for level in LEVELS:
        mean, ranks = (int((all_chances[..., kind] <= level).sum()) for kind in (0, 1))
        print(f"{level:<22g}{level * tests:>10.4g}{mean:>13}{ranks:>14}")
        result[f"{level:g}"] = [mean, ranks]
    alarms = int((all_chances <= task.ALARM).any(axis=(1, 2)).sum())
    tail = sum(far_tail(seed) for seed in range(options.networks)) / (options.networks * AT_ONCE)
    rate = all_chances.shape[1] * (tail + task.ALARM)
    print(f"false alarms: {alarms} of {options.checks} checks")
    print(f"one token: the mean fails {tail:.2g} of right results at the level {task.ALARM:g}; over all cases and both tests {rate:.2g} of checks")
    write("sample_alarms", {**result, "alarms": alarms, "tail of the mean": tail, "rate": rate})
    return 0 if rate < 1e-4 else 1


if __name__ == "__main__":
    sys.exit(main())
