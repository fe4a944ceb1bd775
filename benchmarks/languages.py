"""Do more passes, or another seed, bring the networks of the page on languages past counting?

The page's own cells are run up to the networks, so that nothing here can differ from it. Each network is then trained from several seeds: for three passes, as
on the page, and for twenty, of which the weights stay that are right most often on the validation part. The test part is read once by each. Counting and
logistic regression stand on the page.

The result stands in `_build/benchmarks/languages.json`; with `--keep` it also becomes a file of the package, `languages_recipe.json`, which the page prints.
All of it takes about seven minutes of one core.
"""

from __future__ import annotations

import argparse
import contextlib
import copy
import io
import time
from collections.abc import Iterator
from typing import Any

import matplotlib
import nbformat
import numpy as np
from common import ROOT, keep, machine, write

from unrolled import training

PAGE = ROOT / "book" / "tasks" / "languages.ipynb"
PASSES = (3, 20)

Page = dict[str, Any]  # the names that the page's cells define


def page() -> Page:
    """Run the page's cells up to the one that defines the networks and how they are trained."""
    matplotlib.use("Agg")
    names: Page = {}
    for cell in nbformat.read(PAGE, as_version=4).cells:
        if cell.cell_type == "code":
            with contextlib.redirect_stdout(io.StringIO()):
                exec(cell.source, names)
        if "train_pass" in names:
            return names
    raise SystemExit(f"{PAGE} should define train_pass, and does not.")


def models(page: Page, name: str, seed: int, passes: int) -> Iterator[Any]:
    """The network after each pass. It is one object, which the next pass changes."""
    model, rng = page["new"](name, seed), np.random.default_rng(seed)
    adam = training.Adam(page["NETWORKS"][name][3], page["updates"](passes))
    for _ in range(passes):
        page["train_pass"](model, adam, rng)
        yield model


def judged(page: Page, model: Any, part: str) -> tuple[float, float]:
    """Accuracy on a part, and the share of acceptable answers."""
    accuracy, acceptable = page["judged"](page[part], page["logits_of"](model, page[part].texts).argmax(axis=1))
    return float(accuracy), float(acceptable)


def run(page: Page, name: str, seed: int, passes: int) -> dict[str, object]:
    """Train one network; its scores on the test part with the weights of the pass that was best on the validation part."""
    began, history, best = time.process_time(), [], None
    for model in models(page, name, seed, passes):
        history.append(judged(page, model, "validation")[0])
        if history[-1] == max(history):
            best = copy.deepcopy(model)
    accuracy, acceptable = judged(page, best, "test")
    return {
        "network": name, "seed": seed, "passes": passes, "accuracy": accuracy, "acceptable": acceptable, "validation": history,
        "cpu_seconds": time.process_time() - began,
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3, help="of each network (3)")
    parser.add_argument("--keep", action="store_true", help="also put the result into the package, where the page on languages finds it")
    arguments = parser.parse_args()

    names, runs = page(), []
    for passes in PASSES:
        for name in names["NETWORKS"]:
            own = [run(names, name, seed, passes) for seed in range(arguments.seeds)]
            runs += own
            found, best = [each["accuracy"] for each in own], [int(np.argmax(each["validation"])) + 1 for each in own]
            print(
                f"{passes:2} passes, {name:<25} accuracy " + " ".join(f"{each:.3f}" for each in found) + f"   best passes {best},"
                f" {sum(each['cpu_seconds'] for each in own):.0f} CPU seconds",
                flush=True,
            )
    result = {"machine": machine(), "data": names["corpora"].cldr_names_version(), "seeds": arguments.seeds, "runs": runs}
    write("languages", result)
    if arguments.keep:
        keep("languages_recipe", result)


if __name__ == "__main__":
    main()
