"""A network on a real text: how well does an RNN, LSTM or GRU predict the Python manual, beside counting and compressing?

The text is cut into three stretches, as on the page on sampling: the first eight tenths train, the ninth validates, the last tests. A cell is trained in
passes over the training part, with dropout and a learning rate that falls along a half cosine and reaches 0 when the minutes are over or the passes are done,
whichever comes first; on a CPU its own minutes count, so that other programs on the machine change nothing. After each pass the state is saved, and a run
that was stopped goes on from there; the weights that validate best are kept. Then the test part is read once: by the network, by Kneser–Ney n-grams, by gzip
and xz with the training part before it, and by the network and an n-gram model mixed. What is chosen (pass, order, share of the mixture) is chosen on the
validation part. A GPU is used where there is one.

The result of each cell, with samples whose words are marked as met in training or new, stands in `_build/benchmarks/manual.json`; with `--keep` it also
becomes a file of the package, `manual_recipe.json`, which the page on agreement prints.
"""

from __future__ import annotations

import argparse
import gzip
import json
import lzma
import math
import time

import numpy as np
import torch
from common import FOLDER, keep, machine, write

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
WARM_UP = 100  # updates
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


class Recipe:
    """A network in training, with all that going on needs."""

    def __init__(self, arguments: argparse.Namespace):
        self.settings = {name: getattr(arguments, name) for name in ("cell", "units", "passes", "minutes", "lr", "dropout", "seed")}
        self.task = TextTask(parts(), arguments.cell, arguments.units, arguments.passes, arguments.seed, arguments.device)
        self.task.model = Model(arguments.cell, len(self.task.vocabulary), arguments.units, arguments.seed, arguments.dropout).to(arguments.device)
        self.optimizer = torch.optim.Adam(self.task.model.parameters(), lr=arguments.lr)
        self.limit = 60 * arguments.minutes
        self.history: list[dict[str, object]] = []
        self.best: dict[str, torch.Tensor] = {}
        self.file = FOLDER / f"manual-{arguments.cell}.pt"

    def spent(self) -> float:
        """Seconds of training, in all runs together: of the processor on a CPU, of the clock on a GPU."""
        return sum(done["seconds" if self.task.device != "cpu" else "cpu_seconds"] for done in self.history)

    @property
    def finished(self) -> bool:
        return len(self.history) >= self.settings["passes"] or self.spent() >= self.limit

    def _rate(self, update: int, seconds: float) -> float:
        """The learning rate: a straight line up, then half a cosine down to 0."""
        done = max(update / self.task.updates, seconds / self.limit)
        return self.settings["lr"] * min(1.0, (update + 1) / WARM_UP) * 0.5 * (1 + math.cos(math.pi * min(done, 1.0)))

    def go_on(self) -> None:
        """Load what an earlier run has saved. It may have had other passes and minutes in mind: the learning rate goes on where it stands for these."""
        if not self.file.exists():
            return
        saved = torch.load(self.file, map_location=self.task.device, weights_only=True)
        free = {"passes": 0, "minutes": 0}
        if saved["settings"] | free != self.settings | free:
            raise SystemExit(f"{self.file} is of a run with {saved['settings']}; move it away, or give these settings.")
        self.task.model.load_state_dict(saved["model"])
        self.optimizer.load_state_dict(saved["optimizer"])
        self.history, self.best = saved["history"], saved["best"]

    def save(self) -> None:
        """Write all that going on needs, beside first and then into place."""
        FOLDER.mkdir(parents=True, exist_ok=True)
        beside = self.file.with_suffix(".part")
        torch.save(
            {
                "model": self.task.model.state_dict(), "optimizer": self.optimizer.state_dict(), "history": self.history, "best": self.best,
                "settings": self.settings,
            },
            beside,
        )  # fmt: skip
        beside.replace(self.file)

    def one_pass(self) -> None:
        """Read the training part once, or as much of it as there is time for; then validate."""
        number, model = len(self.history), self.task.model
        torch.manual_seed(1_000 * self.settings["seed"] + number)  # dropout's, so that a run that was stopped goes on as if it had not been
        before, began, began_cpu, losses = self.spent(), time.perf_counter(), time.process_time(), []
        clock = time.process_time if self.task.device == "cpu" else time.perf_counter
        start = clock()
        model.train()
        for update in range(number * self.task.per_pass, (number + 1) * self.task.per_pass):
            seconds = before + clock() - start
            if losses and seconds >= self.limit:
                break
            for group in self.optimizer.param_groups:
                group["lr"] = self._rate(update, seconds)
            loss = self.task.loss(update)
            self.optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            self.optimizer.step()
            losses.append(loss.item())
        seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - began_cpu
        done = {"training": float(np.mean(losses)), "validation": self.task.validate(), "updates": len(losses), "seconds": seconds, "cpu_seconds": cpu_seconds}
        if not self.history or done["validation"] < min(h["validation"] for h in self.history):
            self.best = {name: value.detach().clone() for name, value in model.state_dict().items()}
        if number + 1 in SAMPLED:
            done["sample"] = sample(self.task, 0.8, 200)
        self.history.append(done)

    def result(self) -> dict[str, object]:
        """What the network and its rivals do on the test part, and what it writes."""
        task = self.task
        task.model.load_state_dict(self.best)
        rungs, mixture = self._rungs()
        known, samples = Known(task.parts.train), {}
        for temperature in TEMPERATURES:
            pieces = known.pieces(sample(task, temperature, WRITTEN))
            words = [piece.known for piece in pieces if piece.known is not None]
            samples[str(temperature)] = {
                "pieces": [[piece.text, piece.known] for piece in pieces[:SHOWN]], "new_words": 1 - sum(words) / len(words),
                "longest_copy": known.longest_copy("".join(piece.text for piece in pieces)),
            }  # fmt: skip
        return {
            "settings": self.settings, "device": task.device, "weights": sum(p.numel() for p in task.model.parameters()),
            "seconds": sum(h["seconds"] for h in self.history), "cpu_seconds": sum(h["cpu_seconds"] for h in self.history), "history": self.history,
            "bits_per_character": rungs, "mixture": mixture, "samples": samples,
        }  # fmt: skip

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
    recipe.go_on()
    print(f"{len(recipe.task.ids):,} characters to train on, {arguments.passes} passes, {len(recipe.history)} of them done; on {arguments.device}", flush=True)
    while not recipe.finished:
        recipe.one_pass()
        recipe.save()
        last = recipe.history[-1]
        print(
            f"pass {len(recipe.history):2}: training {last['training']:.3f}, validation {last['validation']:.3f} nats per character,"
            f" {last['seconds']:.0f} s ({last['cpu_seconds']:.0f} CPU seconds)",
            flush=True,
        )
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
