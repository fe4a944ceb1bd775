"""A network on a real text: how well does an RNN, LSTM or GRU predict the Python manual, beside counting and compressing?

The text is cut into three stretches, as on the page on sampling: the first eight tenths train, the ninth validates, the last tests. A cell is trained in
passes over the training part, with dropout (`continued.Training`: it can be stopped and goes on). Then the test part is read once: by the network, by Kneser–Ney
n-grams, by gzip and xz with the training part before it, and by the network and an n-gram model mixed. What is chosen (pass, order, share of the mixture) is
chosen on the validation part. A GPU is used where there is one.

The result of each cell, with samples whose words are marked as met in training or new, stands in `_build/benchmarks/manual.json`; with `--keep` it also
becomes a file of the package, `manual_recipe.json`, which the page on agreement prints.
"""

from __future__ import annotations

import argparse
import gzip
import json
import lzma
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import torch
from common import FOLDER, keep, machine, write
from continued import Training

from unrolled import corpora
from unrolled.metrics import bits_per_character
from unrolled.ngram import KneserNey
from unrolled.owndata.text import CharacterModel, Known, Parts, TextTask, sample
from unrolled.torch_models import KINDS, token_log_probs

ORDERS = (5, 6, 7, 8, 12, 16, 24, 32, 48, 64)  # a text that repeats whole passages rewards long ones
SHARES = tuple(i / 20 for i in range(21))  # of the network in the mixture
TEMPERATURES = (0.5, 0.8, 1.0)
WRITTEN, SHOWN = 2_000, 120  # characters of a sample; pieces of it, words and what lies between, that are kept
HELD = 20_000  # characters of the validation part that are read after each pass
SAMPLED = (1, 4)  # passes after which a sample is kept, to see what the network has learnt by then


def parts() -> Parts:
    """Training, validation and test part of the manual."""
    manual = corpora.python_manual()
    tenth = len(manual) // 10
    return Parts(manual[: 8 * tenth], manual[8 * tenth :][:HELD], manual[9 * tenth :])


class Model(CharacterModel):
    """The network of `unrolled train`, with dropout before and after the cell."""

    def __init__(self, kind: str, V: int, H: int, seed: int, dropout: float):
        super().__init__(kind, V, H, seed)
        self.dropout = torch.nn.Dropout(dropout)

    def forward(self, X: torch.Tensor, state=None):
        H, state = self.cell(self.dropout(self.embed(X)), state)
        return self.output(self.dropout(H)), state


class Recipe(Training):
    """A cell, the text that it reads, and what it is judged by."""

    warm_up = 100

    def __init__(self, arguments: argparse.Namespace):
        settings = {name: getattr(arguments, name) for name in ("cell", "units", "passes", "minutes", "lr", "dropout", "seed")}
        self.task = TextTask(parts(), arguments.cell, arguments.units, arguments.passes, arguments.seed, arguments.device)
        self.task.model = Model(arguments.cell, len(self.task.vocabulary), arguments.units, arguments.seed, arguments.dropout)
        super().__init__(self.task.model, FOLDER / f"manual-{arguments.cell}.pt", settings, self.task.updates, arguments.device)

    def losses(self, number: int) -> Iterator[Callable[[], torch.Tensor]]:
        per_pass = self.task.per_pass
        return (partial(self.task.loss, update) for update in range(number * per_pass, (number + 1) * per_pass))

    def validate(self) -> dict[str, object]:
        written = {"sample": sample(self.task, 0.8, 200)} if len(self.history) + 1 in SAMPLED else {}
        return {"validation": self.task.validate(), **written}

    def result(self) -> dict[str, object]:
        """What the network and its rivals do on the test part, and what it writes."""
        task = self.task
        rungs, mixture = self._rungs()
        known, samples = Known(task.parts.train), {}
        for temperature in TEMPERATURES:
            pieces = known.pieces(sample(task, temperature, WRITTEN))
            words = [piece.known for piece in pieces if piece.known is not None]
            samples[str(temperature)] = {
                "pieces": [[piece.text, piece.known] for piece in pieces[:SHOWN]], "new_words": 1 - sum(words) / len(words),
                "longest_copy": known.longest_copy("".join(piece.text for piece in pieces)),
            }  # fmt: skip
        return {**self.account(), "bits_per_character": rungs, "mixture": mixture, "samples": samples}

    def _rungs(self) -> tuple[dict[str, float], dict[str, float]]:
        """Bits per character of the test part; and the order and the share of the network in the mixture."""
        task, V = self.task, len(self.task.vocabulary)
        by_network = {name: token_log_probs(task.model, ids) for name, ids in (("validation", task.validation_ids), ("test", task.test_ids))}
        counted = {n: KneserNey(task.ids, n, V) for n in ORDERS}
        rungs = {f"{n}-gram Kneser–Ney": bits_per_character(model.held_out_loss(task.test_ids)) for n, model in counted.items()}
        order = min(ORDERS, key=lambda n: counted[n].held_out_loss(task.validation_ids))
        by_counting = {name: counted[order].log_probs(ids)[-len(by_network[name]) :] for name, ids in (("validation", task.validation_ids), ("test", task.test_ids))}

        def mixed(name: str, share: float) -> float:
            with np.errstate(divide="ignore"):
                return float(-np.logaddexp(np.log(share) + by_network[name], np.log(1 - share) + by_counting[name]).mean())

        share = min(SHARES, key=lambda share: mixed("validation", share))
        before, added = task.parts.train.encode(), task.parts.test.encode()
        for name, compress in (("gzip", lambda raw: gzip.compress(raw, 9)), ("xz", lambda raw: lzma.compress(raw, preset=9))):
            rungs[name] = 8 * (len(compress(before + added)) - len(compress(before))) / len(task.parts.test)
        rungs[self.settings["cell"].upper()] = bits_per_character(float(-by_network["test"].mean()))
        rungs["mixture"] = bits_per_character(mixed("test", share))
        return rungs, {"order": order, "share": share}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cell", choices=sorted(KINDS), default="lstm")
    parser.add_argument("--minutes", type=float, default=10, help="of training, in all runs together (10)")
    parser.add_argument("--passes", type=int, default=22, help="over the training part, in all runs together (22)")
    parser.add_argument("--units", type=int, default=256, help="in the cell (256)")
    parser.add_argument("--lr", type=float, default=4e-3)
    parser.add_argument("--dropout", type=float, default=0.2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--keep", action="store_true", help="also put the result into the package, where the page on agreement finds it")
    arguments = parser.parse_args()

    recipe = Recipe(arguments)
    print(f"{len(recipe.task.ids):,} characters to train on")
    recipe.finish(lambda last: f"training {last['training']:.3f}, validation {last['validation']:.3f} nats per character")
    found = recipe.result()
    for name, bits in found["bits_per_character"].items():
        print(f"{name:<20} {bits:.3f} bits per character")
    result = {"machine": machine(), "text": corpora.python_manual_version(), **{part: len(getattr(recipe.task.parts, part)) for part in ("train", "validation", "test")}}
    earlier = FOLDER / "manual.json"
    cells = json.loads(earlier.read_text(encoding="utf-8"))["cells"] if earlier.exists() else {}
    result["cells"] = cells | {arguments.cell: found}
    write("manual", result)
    if arguments.keep:
        keep("manual_recipe", result)


if __name__ == "__main__":
    main()
