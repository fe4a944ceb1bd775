"""What the report of a run says: of a text, and of labelled texts."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from . import classes, text
from .page import bars, confusion_table, curves, legend, page, paragraph, section, shaded, table
from .run import History


@dataclass(frozen=True)
class Told:
    """What is the same in both reports. command: what repeats the run. notes: whole sentences about the file."""

    name: str
    command: Sequence[str]
    settings: Mapping[str, object]
    machine: Mapping[str, str]
    history: History
    notes: Sequence[str] = field(default_factory=tuple)


def _notes(told: Told) -> list[str]:
    return [section("About the file", *(paragraph(note) for note in told.notes))] if told.notes else []


def _curves(told: Told, unit: str) -> str:
    history = told.history
    best = history.updates[int(np.argmin(history.validation))]
    return section(
        "Training",
        curves("Loss during training", history.updates, history.training, history.validation, "updates", unit),
        paragraph(
            f"The network that this report speaks of is that after {best:,} of {history.updates[-1]:,} updates, where the validation loss was lowest."
            + (" From there on it learnt the training text by heart." if best < 0.8 * history.updates[-1] else " More training might lower it further.")
        ),
    )


def _repeat(told: Told) -> str:
    minutes = told.history.seconds / 60
    took = f"{minutes:.1f} minutes" if minutes >= 1 else f"{told.history.seconds:.0f} seconds"
    pieces = f", in {told.history.pieces} pieces" if told.history.pieces > 1 else ""
    rows = [*told.settings.items(), *told.machine.items()]
    return section(
        "To repeat it",
        paragraph(f"Training took {took}{pieces}. The same text, settings and versions on the same kind of machine give the same numbers."),
        f"<pre>{page_escape(shlex.join(told.command))}</pre>",
        table("Settings and versions", ("setting", "value"), rows),
    )


def page_escape(value: str) -> str:
    """Plain text as HTML."""
    from html import escape

    return escape(value)


# --- A text ------------------------------------------------------------------------------------


def of_text(told: Told, task: text.TextTask) -> str:
    """The report on a text."""
    rungs, counting = text.ladder(task)
    network = task.kind.upper()
    known = text.Known(task.parts.train)
    lower, higher = (network, counting) if rungs[network] < rungs[counting] else (counting, network)
    intro = [
        paragraph(
            f"{len(task.parts.train):,} characters to learn from, {len(task.parts.validation):,} to choose by, and {len(task.parts.test):,} for the numbers "
            f"of this report: the last stretch of the text, which no model has seen. {len(task.vocabulary) - 1:,} different characters are known."
        ),
        paragraph(
            f"The {lower} needs {rungs[lower]:.3f} bits for each of these characters, the {higher} {rungs[higher]:.3f}, gzip {rungs['gzip']:.3f}. "
            "Fewer is better: a model that predicts well needs few bits."
        ),
    ]
    return page(
        f"{told.name}: what a network and counting have learnt",
        [*intro, _ladder(rungs, network, task), _curves(told, task.unit), _samples(task, known), _surprise(task), _units(task), *_notes(told), _repeat(told)],
    )


def _ladder(rungs: Mapping[str, float], network: str, task: text.TextTask) -> str:
    ordered = sorted(rungs.items(), key=lambda rung: -rung[1])
    unknown = int((task.test_ids == 0).sum())
    parts = [
        bars("Bits per character of the test part", ("model", "bits"), ordered, network),
        paragraph(
            "An n-gram model counts what followed the last n − 1 characters; its order was chosen on the validation part. gzip and xz were given the "
            "training text as well: counted is what the test part adds to their file. gzip looks back 32,768 bytes only.",
            "faint",
        ),
    ]
    if unknown:
        parts.append(
            paragraph(
                f"Characters of the test part that the training text does not have: {unknown:,}. The models are told so and need not say which; "
                "compressors must.",
                "faint",
            )
        )
    return section("The ladder", *parts)


def _samples(task: text.TextTask, known: text.Known) -> str:
    what = "word" if known.by_words else "stretch of three characters"
    parts = [
        paragraph(
            f"What the network writes on its own, after the end of the validation part. A {what} that stands in the training text is plain; one that is new "
            "is marked. The temperature divides the scores before the softmax: a low one keeps to what is likeliest."
        ),
        f'<p class="legend"><span>{what} stands in the text</span><mark>{what} is new</mark></p>',
    ]
    for temperature in text.TEMPERATURES:
        sample = text.sample(task, temperature)
        pieces = known.pieces(sample)
        counted = Counter(piece.known for piece in pieces)
        longest = known.longest_copy(sample)
        html = "".join(f"<mark>{page_escape(piece.text)}</mark>" if piece.known is False else page_escape(piece.text) for piece in pieces)
        parts.append(f"<h3>Temperature {temperature:g}</h3>")
        parts.append(f'<div class="text" dir="auto" lang="">{html}</div>')
        parts.append(
            paragraph(
                f"{counted[True]:,} of {counted[True] + counted[False]:,} stand in the text, {counted[False]:,} are new. The longest stretch that stands in "
                f"the text as it is has {len(longest)} characters.",
                "faint",
            )
        )
    return section("Samples", *parts)


_BITS = (1, 2, 4, 7)  # where the shades of surprise begin


def _surprise(task: text.TextTask) -> str:
    stretch, bits = text.surprise(task)
    kinds = [f"h{level}" if (level := sum(value >= edge for edge in _BITS)) else "" for value in bits]
    titles = [f"{value:.1f} bits" for value in bits]
    order = np.argsort(-bits, kind="stable")[:10]
    rows = []
    for i in sorted(order.tolist()):
        before = stretch[max(0, i - 24) : i].replace("\n", "↵")
        rows.append((f"{before} →", stretch[i].replace("\n", "↵").replace(" ", "␣"), f"{bits[i]:.1f}"))
    return section(
        "What surprised it",
        paragraph("A stretch of the test part. The stronger the shade, the less likely the network held the character that came; point at one to read its bits."),
        legend([("h1", "1 bit or more"), ("h2", "2"), ("h3", "4"), ("h4", "7 bits or more")]),
        shaded(stretch, kinds, titles),
        table("The ten most surprising characters of this stretch", ("after", "came", "bits"), rows, numbers=(2,)),
    )


LEAST_CORRELATION = 0.3  # of a unit whose values are shown


def _units(task: text.TextTask) -> str:
    found = text.search_units(task)
    what = "cell state" if task.kind == "lstm" else "hidden state"
    if not found:
        return section("Units that track something", paragraph("The held-out text has too few quotation marks, brackets, lines and words to search for them."))
    rows = [(finding.what, finding.unit, f"{finding.correlation:+.2f}", f"{finding.untrained:+.2f}") for finding in found]
    parts = [
        paragraph(
            f"For each of these things, the unit whose {what} goes along with it most. It was chosen on the validation part; the correlation is that on the "
            "test part, beside that of the best unit of a network that was not trained."
        ),
        table("Units found by search", ("what it tracks", "unit", "correlation", "untrained"), rows, numbers=(1, 2, 3)),
    ]
    shown = [finding for finding in found if abs(finding.correlation) > max(LEAST_CORRELATION, abs(finding.untrained))][:3]
    if not shown:
        parts.append(paragraph("No unit follows one of these things better than by chance. Longer training on a longer text may change that."))
    for finding in shown:
        kinds = []
        for value in finding.values:
            level = min(3, int(4 * abs(value)))
            kinds.append("" if level == 0 else f"{'p' if value > 0 else 'h'}{level}")
        parts.append(f"<h3>Unit {finding.unit}: {page_escape(finding.what)}</h3>")
        parts.append(legend([("p3", "high"), ("h3", "low")]))
        parts.append(shaded(finding.excerpt, kinds))
    return section("Units that track something", *parts)


# --- Labelled texts ----------------------------------------------------------------------------


def of_labelled(told: Told, task: classes.LabelledTask) -> str:
    """The report on labelled texts."""
    parts, network = task.parts, f"{task.kind.upper()} in both directions"
    probs = task.probs(parts.test.texts)
    predicted = [task.classes[i] for i in probs.argmax(axis=1)]
    scores = {name: classes.score(guesses, parts.test.labels) for name, guesses in classes.baselines(parts, task.by).items()}
    scores[network] = classes.score(predicted, parts.test.labels)
    ordered = sorted(scores.items(), key=lambda named: named[1].accuracy)
    best = ordered[-1][0]
    half = 100 * 1.96 * float(np.sqrt(scores[network].accuracy * (1 - scores[network].accuracy) / len(parts.test)))
    intro = paragraph(
        f"{len(parts.train):,} texts to learn from, {len(parts.validation):,} to choose by and {len(parts.test):,} for the numbers of this report, in "
        f"{len(task.classes)} classes. The network reads {task.by}, at most {classes.LONGEST[task.by]} of a text. Best on the test part is: {best}."
    )
    names, counts = classes.confusions(predicted, parts.test.labels)
    wrong = classes.mistakes(probs, parts, task.classes)
    return page(
        f"{told.name}: {len(task.classes)} classes",
        [
            intro,
            section(
                "Baselines and network",
                table(
                    "On the test part, in percent", ("model", "accuracy", "macro F1"),
                    [(name, f"{100 * one.accuracy:.1f}", f"{100 * one.macro_f1:.1f}") for name, one in ordered], ours=network, numbers=(1, 2),
                ),
                paragraph(
                    f"With {len(parts.test):,} texts, an accuracy has a 95 % interval of about ±{half:.1f} points: smaller differences say nothing. Macro F1 "
                    "gives each class the same weight, however rare it is.",
                    "faint",
                ),
            ),
            _curves(told, task.unit),
            section(
                "What was taken for what",
                confusion_table("Rows: the label. Columns: the network's prediction. Counts on the test part", names, counts.tolist()),
                *([paragraph(f"The {len(names)} commonest classes are shown.", "faint")] if len(names) < len(task.classes) else []),
            ),
            section(
                "The most confident mistakes",
                paragraph("Where the network is sure and the label says otherwise. Read them: some are the network's mistakes, and some may be the label's."),
                table(
                    "Wrong predictions, the surest first", ("text", "label", "predicted", "probability"),
                    [(_short(one.text), one.label, one.predicted, f"{one.probability:.3f}") for one in wrong], numbers=(3,),
                )
                if wrong
                else paragraph("There is none: every text of the test part is right."),
            ),
            *_notes(told),
            _repeat(told),
        ],
    )  # fmt: skip


def _short(text_: str, most: int = 280) -> str:
    return text_ if len(text_) <= most else text_[: most - 1] + "…"
