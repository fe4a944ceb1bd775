"""What does a learner wait for at the first check? One process each: NumPy alone, a check by recorded results, a check by torch.

    python benchmarks/first_check.py [--runs 5]

Seconds are processor time, the median of the runs, from the start of Python to the report; the ratio is to a process that imports
NumPy and nothing else. A later check is the second one of the same function in one process, by the clock.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys

from common import write

RIGHT = """
import numpy as np
from unrolled.checks import check
def rnn_step(X_t, H_prev, W_xh, W_hh, b_h):
    return np.tanh(X_t @ W_xh + H_prev @ W_hh + b_h)
"""
LATER = "import json, time; check('rnn_step', rnn_step); t = time.perf_counter(); check('rnn_step', rnn_step); print(time.perf_counter() - t)"
PROCESSES = {
    "import NumPy": ("import numpy", {}),
    "first check, recorded": (f"{RIGHT}check('rnn_step', rnn_step)", {"UNROLLED_JUDGE": "recorded"}),
    "first check, live": (f"{RIGHT}check('rnn_step', rnn_step)", {"UNROLLED_JUDGE": "live", "UNROLLED_DEVICE": "cpu"}),
}


def environment(extra: dict[str, str]) -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": "1", **extra}


def seconds(code: str, extra: dict[str, str]) -> float:
    """Processor time of a process."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL, env=environment(extra))
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    runs = parser.parse_args(arguments).runs
    found = {name: statistics.median(seconds(*process) for _ in range(runs)) for name, process in PROCESSES.items()}
    said = subprocess.run(
        [sys.executable, "-c", RIGHT + LATER], check=True, capture_output=True, text=True, env=environment({"UNROLLED_JUDGE": "recorded"})
    ).stdout
    later = json.loads(said.splitlines()[-1])
    print(f"{'process':<24}{'seconds':>9}{'ratio':>8}")
    for name, value in found.items():
        print(f"{name:<24}{value:>9.2f}{value / found['import NumPy']:>8.1f}")
    print(f"a later check takes {1000 * later:.0f} ms")
    write("first_check", {"seconds": found, "later_check": later})
    return 0


if __name__ == "__main__":
    sys.exit(main())
