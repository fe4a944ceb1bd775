"""From spelling to sound on the whole CMU dictionary: how low does the word error rate of counting and of an encoder–decoder go?

The network is `unrolled.seq2seq.EncoderDecoder` with attention, trained in passes over all training words (`continued.Training`: it can be stopped, goes on, and
a later run with more passes and minutes trains on). Then the n-gram models count, or take what an earlier run has counted (`--count` does that alone, beside
a training that is on its way). At the end both judge together: the network weighs the pronunciations that counting proposes. What is chosen (the pass, the
order of the n-gram model, the weight of each judge) is chosen on the validation words; the test words are scored at the end of a run. A GPU is used where
there is one.

The result is `_build/benchmarks/pronunciation.json`; with `--keep` it also becomes a file of the package, `pronunciation_recipe.json`, which the page on
pronunciation prints.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np
import torch
from common import FOLDER, keep, machine, put, write
from continued import Training

from unrolled import seq2seq
from unrolled.corpora import pronunciation_split
from unrolled.joint_ngram import Aligner, JointNGram, majority
from unrolled.metrics import pronunciation_errors

LETTERS = "abcdefghijklmnopqrstuvwxyz"
E, N, BEAM = 64, 128, 8
WIDE = 32  # the beam of the n-gram model
SHARES = tuple(i / 20 for i in range(21))  # of the network's logarithm in a common judgement
ORDERS = (3, 4, 5, 6, 7)


def rates(outputs: dict[str, Sequence[str]], listed: dict) -> dict[str, float]:
    """Word and phoneme error rate in percent."""
    words, phonemes = pronunciation_errors(outputs, listed)
    return {"wer": 100 * words, "per": 100 * phonemes}


# --- Counting ----------------------------------------------------------------------------------


Proposals = dict[str, list[tuple[Sequence[str], float]]]  # of a word: pronunciations, each with its log-probability


def counting(stress: bool) -> tuple[dict[str, object], dict[str, Proposals]]:
    """The result of the joint n-gram model of the order that is best on the validation words, beside the majority baseline's, and what that model proposes."""
    began = time.process_time()
    split = pronunciation_split(stress)
    aligner = Aligner([(word, variants[0]) for word, variants in split.train.items()])
    alignments = aligner.alignments()
    most = majority(alignments)
    result: dict[str, object] = {
        "not_aligned": aligner.dropped,
        "majority": rates({word: [phone for letter in word for phone in most[letter]] for word in split.test}, split.test),
        "validation_wer": {},
    }
    best, proposed = math.inf, {}
    for n in ORDERS:
        model = JointNGram(alignments, n)
        validation = model.candidates(list(split.validation), WIDE)
        wer = rates(firsts(validation), split.validation)["wer"]
        result["validation_wer"][n] = wer
        if wer < best:
            best, result["order"] = wer, n
            proposed = {"validation": validation, "test": model.candidates(list(split.test), WIDE)}
    return result | {"test": rates(firsts(proposed["test"]), split.test), "cpu_seconds": time.process_time() - began}, proposed


def firsts(proposals: Proposals) -> dict[str, Sequence[str]]:
    """Of each word the likeliest pronunciation."""
    return {word: found[0][0] for word, found in proposals.items()}


def counted(stress: bool) -> tuple[dict[str, object], dict[str, Proposals]]:
    """`counting`, or what an earlier run with these orders and this beam has kept of it."""
    file = FOLDER / f"pronunciation-counting{'-stress' if stress else ''}.json"
    settings = {"orders": list(ORDERS), "beam": WIDE}
    if file.exists():
        kept = json.loads(file.read_text(encoding="utf-8"))
        if kept["settings"] == settings:
            return kept["result"], kept["proposed"]
    result, proposed = counting(stress)
    put(file, json.dumps({"settings": settings, "result": result, "proposed": proposed}))
    return result, proposed


# --- The network -------------------------------------------------------------------------------


class Recipe(Training):
    """The network, the words that it learns, and what it is judged by."""

    judge, warm_up = "wer", 400

    def __init__(self, arguments: argparse.Namespace):
        settings = {name: getattr(arguments, name) for name in ("units", "passes", "minutes", "lr", "dropout", "seed")} | {"batch": N}
        self.split = pronunciation_split()
        self.phones = ["<start>", "<end>", *sorted({phone for variants in self.split.train.values() for phone in variants[0]})]
        ids = {phone: i for i, phone in enumerate(self.phones)}
        self.pairs = [(self.letters(word), [ids[phone] for phone in variants[0]]) for word, variants in self.split.train.items()]
        model = seq2seq.EncoderDecoder(len(LETTERS), len(self.phones), E, arguments.units, arguments.seed, dropout=arguments.dropout)
        steps = arguments.passes * len(seq2seq.batches(self.pairs, N, np.random.default_rng(0)))
        super().__init__(model, FOLDER / "pronunciation.pt", settings, steps, arguments.device)

    @staticmethod
    def letters(word: str) -> list[int]:
        return [LETTERS.index(letter) for letter in word]

    def losses(self, number: int) -> Iterator[Callable[[], torch.Tensor]]:
        for X, Y in seq2seq.batches(self.pairs, N, np.random.default_rng([self.settings["seed"], number])):
            yield partial(seq2seq.loss_of, self.model, X, Y)

    def validate(self) -> dict[str, float]:
        return rates(self.outputs(list(self.split.validation), 1), self.split.validation)

    def outputs(self, words: Sequence[str], width: int) -> dict[str, list[str]]:
        found = seq2seq.beam(self.model, [self.letters(word) for word in words], width)
        return {word: [self.phones[i] for i in ids] for word, (ids, _) in zip(words, found, strict=True)}

    def together(self, proposals: dict[str, Proposals]) -> dict[str, object]:
        """The network and the n-gram model as judges of what both propose: each logarithm has a share, chosen on the validation words."""
        judged = {}
        for name, listed in (("validation", self.split.validation), ("test", self.split.test)):
            pairs, by_counting = [], []
            for word, candidates in proposals[name].items():
                for phones, log_p in candidates:
                    pairs.append((word, phones))
                    by_counting.append(log_p)
            by_network = seq2seq.log_probs(self.model, [(self.letters(word), [self.phones.index(phone) for phone in phones]) for word, phones in pairs])
            judged[name] = (pairs, np.array(by_counting), by_network)

        def outputs(name: str, share: float) -> dict[str, Sequence[str]]:
            pairs, by_counting, by_network = judged[name]
            best: dict[str, tuple[float, Sequence[str]]] = {}
            for (word, phones), score in zip(pairs, (1 - share) * by_counting + share * by_network, strict=True):
                if word not in best or score > best[word][0]:
                    best[word] = (score, phones)
            return {word: phones for word, (_, phones) in best.items()}

        share = min(SHARES, key=lambda share: rates(outputs("validation", share), self.split.validation)["wer"])
        found = outputs("test", share)
        return {
            "share": share, "test": rates(found, self.split.test),
            "mistakes": {word: " ".join(phones) for word, phones in found.items() if tuple(phones) not in self.split.test[word]},
        }  # fmt: skip

    def result(self) -> dict[str, object]:
        """What the network does on the test words."""
        test = self.split.test
        began = time.process_time()
        best = self.outputs(list(test), BEAM)
        return {
            **self.account(), "passes_done": self.update * self.settings["passes"] / self.steps,
            "greedy": rates(self.outputs(list(test), 1), test), "beam": rates(best, test), "beam_width": BEAM,
            "decoding_cpu_seconds": time.process_time() - began,
        }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=40, help="of training, in all runs together (40)")
    parser.add_argument("--passes", type=int, default=16, help="over all training words, in all runs together (16)")
    parser.add_argument("--units", type=int, default=256, help="in a direction (256)")
    parser.add_argument("--lr", type=float, default=2e-3)
    parser.add_argument("--dropout", type=float, default=0.2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--count", action="store_true", help="count only, and keep that for a run that trains")
    parser.add_argument("--keep", action="store_true", help="also put the result into the package, where the page on pronunciation finds it")
    arguments = parser.parse_args()

    if arguments.count:
        for stress in (False, True):
            tell(stress, counted(stress)[0])
        return

    recipe = Recipe(arguments)
    print(f"{len(recipe.pairs):,} words to train on")
    recipe.finish(lambda last: f"loss {last['training']:.3f}, validation WER {last['wer']:.1f} %, PER {last['per']:.1f} %")
    result: dict[str, object] = {"machine": machine()}
    (result["counting"], proposals), (result["counting_stress"], _) = counted(False), counted(True)
    for stress in (False, True):
        tell(stress, result["counting_stress" if stress else "counting"])
    result |= {"network": recipe.result(), "together": recipe.together(proposals)}
    print(f"test, greedy {result['network']['greedy']}, beam {result['network']['beam']}, together {result['together']['test']}")
    write("pronunciation", result)
    if arguments.keep:
        keep("pronunciation_recipe", result)


def tell(stress: bool, result: dict[str, object]) -> None:
    print(f"counting, stress {stress}: order {result['order']}, {result['test']}, {result['cpu_seconds']:.0f} CPU seconds", flush=True)


if __name__ == "__main__":
    main()
