"""What the report of a run says: of a text, and of labelled texts."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ..language import gettext, sentences, texts
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


def _said(text: str, **fills: object) -> str:
    """A text in the language that is spoken now, with its places filled."""
    return gettext(text).format(**fills)


def _notes(told: Told) -> list[str]:
    return [section(gettext("About the file"), *(paragraph(note) for note in told.notes))] if told.notes else []


def _curves(told: Told, unit: str) -> str:
    history = told.history
    best = history.updates[int(np.argmin(history.validation))]
    return section(
        gettext("Training"),
        curves(gettext("Loss during training"), history.updates, history.training, history.validation, gettext("updates"), gettext(unit)),
        paragraph(sentences(_said(
            "The network that this report speaks of is that after {best} of {all} updates, where the validation loss was lowest.",
            best=f"{best:,}", all=f"{history.updates[-1]:,}",
        ), _said("From there on it learnt the training text by heart.") if best < 0.8 * history.updates[-1] else _said("More training might lower it further."))),
    )


def _repeat(told: Told) -> str:
    seconds, pieces = told.history.seconds, told.history.pieces
    took = _said("{count} minutes", count=f"{seconds / 60:.1f}") if seconds >= 60 else _said("{count} seconds", count=f"{seconds:.0f}")
    if pieces > 1:
        said = _said("Training took {time}, in {pieces} pieces. The same text, settings and versions on the same kind of machine give the same numbers.", time=took, pieces=pieces)
    else:
        said = _said("Training took {time}. The same text, settings and versions on the same kind of machine give the same numbers.", time=took)
    rows = [*told.settings.items(), *told.machine.items()]
    return section(
        gettext("To repeat it"),
        paragraph(said),
        f"<pre>{page_escape(shlex.join(told.command))}</pre>",
        table(gettext("Settings and versions"), (gettext("setting"), gettext("value")), rows),
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
        paragraph(_said(
            "{train} characters to learn from, {validation} to choose by, and {test} for the numbers of this report: the last stretch of the text, "
            "which no model has seen. {known} different characters are known.",
            train=f"{len(task.parts.train):,}", validation=f"{len(task.parts.validation):,}", test=f"{len(task.parts.test):,}",
            known=f"{len(task.vocabulary) - 1:,}",
        )),
        paragraph(_said(
            "The {lower} needs {low} bits for each of these characters, the {higher} {high}, gzip {gzip}. Fewer is better: a model that predicts "
            "well needs few bits.",
            lower=lower, low=f"{rungs[lower]:.3f}", higher=higher, high=f"{rungs[higher]:.3f}", gzip=f"{rungs['gzip']:.3f}",
        )),
    ]
    return page(
        _said("{name}: what a network and counting have learnt", name=told.name),
        [*intro, _ladder(rungs, network, task), _curves(told, task.unit), _samples(task, known), _surprise(task), _units(task), *_notes(told), _repeat(told)],
    )


def _ladder(rungs: Mapping[str, float], network: str, task: text.TextTask) -> str:
    ordered = sorted(rungs.items(), key=lambda rung: -rung[1])
    unknown = int((task.test_ids == 0).sum())
    parts = [
        bars(gettext("Bits per character of the test part"), (gettext("model"), gettext("bits")), ordered, network),
        paragraph(
            _said("An n-gram model counts what followed the last n − 1 characters; its order was chosen on the validation part. gzip and xz were given the "
            "training text as well: counted is what the test part adds to their file. gzip looks back 32,768 bytes only."),
            "faint",
        ),
    ]
    if unknown:
        parts.append(
            paragraph(
                _said(
                    "Characters of the test part that the training text does not have: {count}. The models are told so and need not say which; "
                    "compressors must.", count=f"{unknown:,}",
                ),
                "faint",
            )
        )
    return section(gettext("The ladder"), *parts)


def _samples(task: text.TextTask, known: text.Known) -> str:
    if known.by_words:
        said = _said(
            "What the network writes on its own, after the end of the validation part. A word that stands in the training text is plain; one that is new "
            "is marked. The temperature divides the scores before the softmax: a low one keeps to what is likeliest."
        )
        stands, new = _said("word stands in the text"), _said("word is new")
    else:
        said = _said(
            "What the network writes on its own, after the end of the validation part. A stretch of three characters that stands in the training text is "
            "plain; one that is new is marked. The temperature divides the scores before the softmax: a low one keeps to what is likeliest."
        )
        stands, new = _said("stretch of three characters stands in the text"), _said("stretch of three characters is new")
    parts = [paragraph(said), f'<p class="legend"><span>{page_escape(stands)}</span><mark>{page_escape(new)}</mark></p>']
    for temperature in text.TEMPERATURES:
        sample = text.sample(task, temperature)
        pieces = known.pieces(sample)
        counted = Counter(piece.known for piece in pieces)
        longest = known.longest_copy(sample)
        html = "".join(f"<mark>{page_escape(piece.text)}</mark>" if piece.known is False else page_escape(piece.text) for piece in pieces)
        parts.append(f"<h3>{page_escape(_said('Temperature {temperature}', temperature=f'{temperature:g}'))}</h3>")
        parts.append(f'<div class="text" dir="auto" lang="">{html}</div>')
        parts.append(
            paragraph(
                _said(
                    "{old} of {all} stand in the text; new: {new}. The longest stretch that stands in the text as it is has {longest} characters.",
                    old=f"{counted[True]:,}", all=f"{counted[True] + counted[False]:,}", new=f"{counted[False]:,}", longest=len(longest),
                ),
                "faint",
            )
        )
    return section(gettext("Samples"), *parts)


_BITS = (1, 2, 4, 7)  # where the shades of surprise begin


def _surprise(task: text.TextTask) -> str:
    stretch, bits = text.surprise(task)
    kinds = [f"h{level}" if (level := sum(value >= edge for edge in _BITS)) else "" for value in bits]
    titles = [_said("{count} bits", count=f"{value:.1f}") for value in bits]
    order = np.argsort(-bits, kind="stable")[:10]
    rows = []
    for i in sorted(order.tolist()):
        before = stretch[max(0, i - 24) : i].replace("\n", "↵")
        rows.append((f"{before} →", stretch[i].replace("\n", "↵").replace(" ", "␣"), f"{bits[i]:.1f}"))
    return section(
        gettext("What surprised it"),
        paragraph(_said("A stretch of the test part. The stronger the shade, the less likely the network held the character that came; point at one to read its bits.")),
        legend([("h1", _said("1 bit or more")), ("h2", "2"), ("h3", "4"), ("h4", _said("7 bits or more"))]),
        shaded(stretch, kinds, titles),
        table(gettext("The ten most surprising characters of this stretch"), (gettext("after"), gettext("came"), gettext("bits")), rows, numbers=(2,)),
    )


LEAST_CORRELATION = 0.3  # of a unit whose values are shown


def _units(task: text.TextTask) -> str:
    found = text.search_units(task)
    title = gettext("Units that track something")
    if not found:
        return section(title, paragraph(_said("The held-out text has too few quotation marks, brackets, lines and words to search for them.")))
    rows = [(gettext(finding.what), finding.unit, f"{finding.correlation:+.2f}", f"{finding.untrained:+.2f}") for finding in found]
    parts = [
        paragraph(
            _said(
                "For each of these things, the unit whose cell state goes along with it most. It was chosen on the validation part; the correlation is that "
                "on the test part, beside that of the best unit of a network that was not trained."
            )
            if task.kind == "lstm"
            else _said(
                "For each of these things, the unit whose hidden state goes along with it most. It was chosen on the validation part; the correlation is "
                "that on the test part, beside that of the best unit of a network that was not trained."
            )
        ),
        table(gettext("Units found by search"), tuple(map(gettext, texts(("what it tracks", "unit", "correlation", "untrained")))), rows, numbers=(1, 2, 3)),
    ]
    shown = [finding for finding in found if abs(finding.correlation) > max(LEAST_CORRELATION, abs(finding.untrained))][:3]
    if not shown:
        parts.append(paragraph(_said("No unit follows one of these things better than by chance. Longer training on a longer text may change that.")))
    for finding in shown:
        kinds = []
        for value in finding.values:
            level = min(3, int(4 * abs(value)))
            kinds.append("" if level == 0 else f"{'p' if value > 0 else 'h'}{level}")
        parts.append(f"<h3>{page_escape(_said('Unit {unit}: {what}', unit=finding.unit, what=gettext(finding.what)))}</h3>")
        parts.append(legend([("p3", _said("high")), ("h3", _said("low"))]))
        parts.append(shaded(finding.excerpt, kinds))
    return section(title, *parts)


# --- Labelled texts ----------------------------------------------------------------------------


def of_labelled(told: Told, task: classes.LabelledTask) -> str:
    """The report on labelled texts."""
    parts, network = task.parts, _said("{cell} in both directions", cell=task.kind.upper())
    probs = task.probs(parts.test.texts)
    predicted = [task.classes[i] for i in probs.argmax(axis=1)]
    scores = {name: classes.score(guesses, parts.test.labels) for name, guesses in classes.baselines(parts, task.by).items()}
    scores[network] = classes.score(predicted, parts.test.labels)
    ordered = sorted(scores.items(), key=lambda named: named[1].accuracy)
    best = ordered[-1][0]
    half = 100 * 1.96 * float(np.sqrt(scores[network].accuracy * (1 - scores[network].accuracy) / len(parts.test)))
    intro = paragraph(_said(
        "{train} texts to learn from, {validation} to choose by and {test} for the numbers of this report, in {classes} classes. The network reads {units}, "
        "at most {most} of a text. Best on the test part is: {best}.",
        train=f"{len(parts.train):,}", validation=f"{len(parts.validation):,}", test=f"{len(parts.test):,}", classes=len(task.classes),
        units=gettext(task.by), most=classes.LONGEST[task.by], best=best,
    ))  # fmt: skip
    names, counts = classes.confusions(predicted, parts.test.labels)
    wrong = classes.mistakes(probs, parts, task.classes)
    return page(
        _said("{name}: {count} classes", name=told.name, count=len(task.classes)),
        [
            intro,
            section(
                gettext("Baselines and network"),
                table(
                    gettext("On the test part, in percent"), (gettext("model"), gettext("accuracy"), gettext("macro F1")),
                    [(name, f"{100 * one.accuracy:.1f}", f"{100 * one.macro_f1:.1f}") for name, one in ordered], ours=network, numbers=(1, 2),
                ),
                paragraph(
                    _said(
                        "With {count} texts, an accuracy has a 95 % interval of about ±{half} points: smaller differences say nothing. Macro F1 gives each "
                        "class the same weight, however rare it is.", count=f"{len(parts.test):,}", half=f"{half:.1f}",
                    ),
                    "faint",
                ),
            ),
            _curves(told, task.unit),
            section(
                gettext("What was taken for what"),
                confusion_table(gettext("Rows: the label. Columns: the network's prediction. Counts on the test part"), names, counts.tolist()),
                *([paragraph(_said("The {count} commonest classes are shown.", count=len(names)), "faint")] if len(names) < len(task.classes) else []),
            ),
            section(
                gettext("The most confident mistakes"),
                paragraph(_said("Where the network is sure and the label says otherwise. Read them: some are the network's mistakes, and some may be the label's.")),
                table(
                    gettext("Wrong predictions, the surest first"), tuple(map(gettext, texts(("text", "label", "predicted", "probability")))),
                    [(_short(one.text), one.label, one.predicted, f"{one.probability:.3f}") for one in wrong], numbers=(3,),
                )
                if wrong
                else paragraph(_said("There is none: every text of the test part is right.")),
            ),
            *_notes(told),
            _repeat(told),
        ],
    )  # fmt: skip


def _short(text_: str, most: int = 280) -> str:
    return text_ if len(text_) <= most else text_[: most - 1] + "…"
