"""What a diagnosis says: whole sentences with named places to fill. They are the only text that a diagnosis shows.

Each entry of SENTENCES has two: what the learner's results are those of, and what to do about it, which is told when it is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping

from ...language import all_of, gettext, texts

SENTENCES: dict[str, tuple[str, str]] = texts({
    "instead": ("Your results are those of a right solution in which {where} is computed with {new}.",
                "In {where}, {old} belongs in the place of {new}."),
    "name": ("Your results are those of a right solution in which {new} stands where something else belongs in {where}.",
             "In {where}, put {old} where {new} stands."),
    "name-twice": ("Your results are those of a right solution in which {new} stands in two places where something else belongs.",
                   "Put {a} and {b} there, and leave {new} in its own place only."),
    "slope": ("Your results are those of a right solution in which a slope is {new}.", "The slope is {old}."),
    "slopes-throughout": ("Your results are those of a right solution that takes {tanh} for the slope of a tanh with the value y, and {sigmoid} for that of a sigmoid.",
                          "With the value y, the slope of a tanh is 1 − y², and that of a sigmoid is y · (1 − y)."),
    "term-dropped": ("Your results are those of a right solution in which {where} lacks the term {term}.", "Add the term {term} to {where}."),
    "factor-dropped": ("Your results are those of a right solution in which {where} lacks the factor {term}.", "Multiply by {term} in {where}."),
    "divisor-dropped": ("Your results are those of a right solution in which a division by {term} is missing in {where}.", "Divide by {term} in {where}."),
    "term-doubled": ("Your results are those of a right solution in which {term} counts twice in {where}.", "Add {term} once only in {where}."),
    "factor-doubled": ("Your results are those of a right solution in which {where} is multiplied by {term} twice.", "Multiply by {term} once only in {where}."),
    "factor-added": ("Your results are those of a right solution in which {where} is multiplied by {term} as well.", "Leave the factor {term} out of {where}."),
    "divisor-doubled": ("Your results are those of a right solution in which {where} is divided by {term} twice.", "Divide by {term} once only in {where}."),
    "sign": ("Your results are those of a right solution in which {term} has the wrong sign in {where}.", "Turn the sign of {term} in {where}."),
    "transposed": ("Your results are those of a right solution in which {term} is transposed in {where}.", "Do not transpose {term} in {where}."),
    "not-transposed": ("Your results are those of a right solution in which {term} is not transposed in {where}.", "Transpose {term} in {where}."),
    "axis": ("Your results are those of a right solution in which {function} runs over axis {new} in {where}.",
             "Let {function} run over axis {old} in {where}."),
    "axis-none": ("Your results are those of a right solution in which {function} runs over all axes together in {where}.",
                  "Let {function} run over axis {old} only in {where}."),
    "axis-throughout": ("Your results are those of a right solution whose sums and maxima run over axis {new}.",
                        "Ask for each sum and each maximum which axis should be gone afterwards."),
    "operator-throughout": ("Your results are those of a right solution that uses {new} throughout where {old} belongs.",
                            "* multiplies entry by entry, @ multiplies matrices: ask for each product which of them it is."),
    "function-dropped": ("Your results are those of a right solution in which {function} is left out of {where}.", "Apply {function} to {term} in {where}."),
    "function-added": ("Your results are those of a right solution in which {function} is applied to {term} as well, in {where}.",
                       "Leave {function} out there: {term} goes in as it is."),
    "function-throughout": ("Your results are those of a right solution that uses {new} throughout where {old} belongs.", "Use {old} in the place of {new}."),
    "loop-first": ("Your results are those of a right solution whose loop leaves out the first step.", "Let the loop begin one step earlier."),
    "loop-last": ("Your results are those of a right solution whose loop leaves out the last step.", "Let the loop run one step further."),
    "loop-before": ("Your results are those of a right solution whose loop begins one step too early.", "Let the loop begin one step later."),
    "loop-after": ("Your results are those of a right solution whose loop runs one step too far.", "Let the loop end one step earlier."),
    "loop-shifted": ("Your results are those of a right solution whose loop counts from 1 where it should count from 0.", "Count from 0 in the loop."),
    "loop-turned": ("Your results are those of a right solution whose loop runs in the other direction.", "Turn the direction of the loop."),
    "loop-once": ("Your results are those of a right solution whose loop stops after its first pass.", "Let the loop go on: no break, and no return inside it."),
    "returns-in-loop": ("Your results are those of a right solution that returns inside the loop, after its first pass.", "Put the return after the loop."),
    "no-break": ("Your results are those of a right solution that does not stop where it should.", "Look at the condition under which the loop ends."),
    "overwritten": ("Your results are those of a right solution in which {where} is overwritten at each step, so that only the last one counts.",
                    "Add to {where} at each step, as by +=."),
    "accumulated": ("Your results are those of a right solution in which {where} adds up over the steps.", "Let {where} begin anew at each step."),
    "never": ("Your results are those of a right solution in which {where} keeps its start value.", "Set {where} where it changes, and use the new value."),
    "left-out": ("Your results are those of a right solution that leaves out {term}.", "Put {term} back."),
    "restarts": ("Your results are those of a right solution in which {where} starts anew at each step.",
                 "Set {where} once before the loop, and hand its new value on from step to step."),
    "into-loop": ("Your results are those of a right solution in which {where} is computed at each step.", "Compute {where} once, after the loop."),
    "out-of-loop": ("Your results are those of a right solution in which {where} is computed only once, after the loop.",
                    "Compute {where} inside the loop, at each step."),
    "order": ("Your results are those of a right solution in which {second} is computed before {first}.", "Compute {first} first, then {second}."),
    "new-value": ("Your results are those of a right solution in which {where} is computed with the new {new} where the old one belongs.",
                  "Compute both from the old values, and only then put the new ones in their place."),
    "swapped": ("Your results are those of a right solution in which {a} and {b} have changed places in {where}.", "Let {a} and {b} change places in {where}."),
    "swapped-throughout": ("Your results are those of a right solution in which {a} and {b} have changed places throughout.",
                           "Look at each {a} and each {b}: they have changed places."),
    "unpacked-swapped": ("Your results are those of a right solution in which {a} and {b} have changed places where they are taken apart.",
                         "Look at the order of the parts: {a} comes before {b}."),
    "block-order": ("Your results are those of a right solution that takes the blocks in the order {order}.", "The order of the blocks is {right}."),
    "returned-swapped": ("Your results are those of a right solution that returns {a} and {b} in each other's place.",
                         "Look at the order of what is returned: {a} comes before {b}."),
    "returned-copy": ("Your results are those of a right solution that returns {new} in the place of {old}.", "Return {old} in its own place."),
    "zeroed": ("Your results are those of a right solution in which {term} is taken for zero in {where}.", "Use {term} as it is given."),
    "first-missing": ("Your results are right ones without their first entry.", "Keep the first entry."),
    "last-missing": ("Your results are right ones without their last entry.", "Keep the last entry."),
    "turned": ("Your results are right ones in the opposite order.", "Turn the order round."),
    "divided-there": ("Your results are those of a right solution in which {where} is divided by {term}.", "Leave the division by {term} out of {where}."),
    "function": ("Your results are those of a right solution with {new} where another function belongs in {where}.", "In {where}, {old} belongs in the place of {new}."),
    "closed-early": ("Your results are those of a right solution in which {function} does not take in all that it should in {where}: it closes too early.",
                     "Let {function} take in all of it: look at its closing parenthesis."),
    "closed-late": ("Your results are those of a right solution in which {function} takes in more than it should in {where}: it closes too late.",
                    "Close {function} earlier."),
    "scaled": ("Your results are those of a right solution in which {term} is taken times {number} in {where}.", "Take {term} as it is."),
    "squared": ("Your results are those of a right solution in which {term} is squared in {where}.", "Take {term} as it is."),
    "complement": ("Your results are those of a right solution in which 1 − {new} stands where something else belongs in {where}.", "Put {old} there."),
    "condition": ("Your results are those of a right solution with the condition {new}.", "The condition is {old}."),
    "condition-never": ("Your results are those of a right solution that never takes {term} to be true.", "Look at the case {term}: it needs lines of its own."),
    "condition-always": ("Your results are those of a right solution that does not ask whether {term}.", "Ask whether {term}, and do this only then."),
    "divided": ("Your results are right ones divided by {term}.", "Leave out the division by {term}."),
    "multiplied": ("Your results are right ones multiplied by {term}.", "Divide by {term}."),
    "parameters-divided": ("Your results are right ones with the gradients of the parameters divided by {term}.",
                           "Leave out the division: dividing by the number of tokens is the business of the loss."),
    "parameters-multiplied": ("Your results are right ones with the gradients of the parameters multiplied by {term}.", "Leave out the factor {term}."),
    "clipped": ("Your results are right ones clipped to the range from −{number} to {number}.", "Leave the clipping out: the task asks for the gradient as it is."),
})

# What to call a value of the model answer whose own name says little.
NAMES: dict[str, str] = texts({
    "from_later": "the gradient from later steps",
    "dH_later": "dH from the later step",
    "dC_later": "dC from the later step",
    "dH_later and dC_later": "what comes back from the later step",
    "dC_later and dH_later": "what comes back from the later step",
    "product": "the product of the Jacobians",
    "slopes": "the slopes",
    "exponentials": "the exponentials",
    "shifted": "the shifted logits",
    "log_sums": "the logarithms of the sums",
    "log_probs": "the log-probabilities",
    "picked": "the log-probability of the token that came",
    "counts": "the counts",
    "norms": "the norms",
    "losses": "the losses",
    "weights": "the weights",
    "scores": "the scores",
    "states": "the states",
    "candidates": "the candidates",
    "kept": "the hypotheses that are kept",
    "common": "the number of n-grams in common",
    "brevity": "the brevity penalty",
    "log_precisions": "the precisions",
    "real": "the mask of the real positions",
    "total": "the sum over the steps",
    "term": "what one step adds",
    "terms": "what one step adds",
})


def filled(template: str, fills: Mapping[str, str]) -> tuple[str, str]:
    """What an edit did, and what to do about it."""
    named = {key: _in_words(text) for key, text in fills.items()}
    what, todo = map(gettext, SENTENCES[template])
    return what.format_map(named), todo.format_map(named)


def _in_words(fill: str) -> str:
    """What fills a place: a value by its name, several of them, or an expression as it is."""
    if fill in NAMES:
        return gettext(NAMES[fill])
    names = fill.split(" and ")
    return all_of(names) if len(names) > 1 and all(map(str.isidentifier, names)) else fill
