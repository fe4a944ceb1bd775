"""Toy English: a small language whose every character has a known probability, so its entropy rate is exact.

A sentence is `Det N (Prep Det N)* VP.`: "the keys near the cabinet are old. a dog sleeps. ". The verb agrees in number
with the *first* noun, however many nouns come between. "the" serves both numbers; the other determiners show theirs.

The grammar is a finite machine that emits whole strings (a word with the space or full stop after it). No string of a
state is the beginning of another one of that state, so the text read so far tells the state, and the true probability
of the next character is a ratio of two sums over the strings that are still possible: a marginal over a trie of words.
"""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np

from ._ask import whole_number
from ._short import Short

# Words, the most frequent first. They are few and short, and "the" is not too frequent, so that an LSTM of 128 units
# learns agreement over several nouns within 2000 updates; with longer words and more of them it had not begun by then.
# Every noun begins with a consonant, so that "a" is always right.
NOUNS = [
    ("key", "keys"), ("dog", "dogs"), ("man", "men"), ("box", "boxes"), ("cat", "cats"), ("girl", "girls"),
    ("boy", "boys"), ("cabinet", "cabinets"), ("tree", "trees"), ("ship", "ships"), ("hat", "hats"), ("door", "doors"),
]  # fmt: skip
DETERMINERS = {"either": ["the"], "singular": ["a", "this"], "plural": ["some", "these"]}
# Nothing here may begin as the other number's "is", "are", "was" or "were" does: at an agreement site the wrong
# character must be impossible, not only unlikely. So no "in", no "at", and no verb "wait".
PREPOSITIONS = ["near", "of", "by", "on"]
BE = [("is", "are"), ("was", "were")]
VERBS = [
    ("opens", "open"), ("sleeps", "sleep"), ("falls", "fall"), ("turns", "turn"), ("moves", "move"),
    ("vanishes", "vanish"), ("stops", "stop"), ("grows", "grow"),
]  # fmt: skip
COMPLEMENTS = ["old", "here", "new", "lost", "good", "small", "ready", "quiet", "dry", "green"]
ADVERBS = ["now", "slowly", "again", "today", "often", "soon"]

NUMBERS = ("singular", "plural")
P_THE = 0.25  # the determiner is "the", which hides the number of its noun
P_PHRASE = 0.4  # one more prepositional phrase comes before the verb
P_BE = 0.5  # the verb is a form of "be", and a complement follows
P_ADVERB = 0.4  # an adverb follows a verb other than "be"

State = tuple[str, ...]


@dataclass(frozen=True)
class Choice:
    """One string that a state may emit: its probability there and the state that follows."""

    string: str
    probability: float
    following: State


@dataclass(frozen=True)
class AgreementSite:
    """The first character at which the two number forms of a verb part.

    position: index of that character in the text. right, wrong: the characters with which the form that agrees and
    the form that does not would go on here, as strings ("i" and "a" for is/are, "s" and " ." for opens/open); each
    wrong character has true probability 0. subject_number: "singular" or "plural". distance: characters from the last
    one of the subject noun to the site. nouns_between: nouns between subject and verb; disagreeing: how many of them
    have the other number.
    """

    position: int
    right: str
    wrong: str
    subject_number: str
    distance: int
    nouns_between: int
    disagreeing: int


@dataclass(frozen=True, eq=False, repr=False)
class ToyEnglish(Short):
    """A sample: the text (n characters), `log_probs` (n,) float64, the natural logarithm of the true probability of
    each character given all before it, and the agreement sites in the order of their positions."""

    text: str
    log_probs: np.ndarray
    sites: tuple[AgreementSite, ...]


def toy_english(n: int, seed: int) -> ToyEnglish:
    """Draw exactly `n` characters of toy English; the same seed gives the same text.

    The text starts at the start of a sentence, and it may stop in the middle of one. Raises TypeError or ValueError
    unless `n` is a whole number of at least 1 and `seed` one of at least 0.
    """
    n, seed = whole_number(n, "n", least=1), whole_number(seed, "seed")
    uniform = _uniforms(np.random.default_rng(seed))
    pieces, log_probs, sites = [], [], []
    state, length = START, 0
    while length < n:
        choices, cumulative, string_log_probs = _tables()[state]
        index = bisect_right(cumulative, next(uniform))
        choice = choices[index]
        if state[0] == "noun":
            subject_number, subject_end, between = choice.following[1], length + len(choice.string) - 2, []
        elif state[0] == "phrase noun":
            between.append(_NOUN_NUMBER[choice.string])
        elif choice.string in _SITES:
            offset, right, wrong = _SITES[choice.string]
            disagreeing = sum(number != subject_number for number in between)
            position = length + offset
            distance = position - subject_end
            site = AgreementSite(position, right, wrong, subject_number, distance, len(between), disagreeing)
            sites.append(site)
        pieces.append(choice.string)
        log_probs.append(string_log_probs[index])
        length += len(choice.string)
        state = choice.following
    text = "".join(pieces)[:n]
    return ToyEnglish(text, np.concatenate(log_probs)[:n], tuple(site for site in sites if site.position < n))


@cache
def entropy_rate() -> float:
    """The entropy rate of toy English in nats per character: no model can do better on a long text.

    With the transition matrix P of the chain of character states (S of them: a state of the grammar and the letters
    read since it was entered) and its stationary distribution π (π P = π), the rate is Σ_s π(s) H(next character | s).
    """
    states = list(_character_states())
    index = {state: i for i, state in enumerate(states)}
    P = np.zeros((len(states), len(states)))  # (S,S)
    entropy = np.zeros(len(states))  # (S,)
    for i, (state, read) in enumerate(states):
        for character, probability in _next(state, read).items():
            P[i, index[_step(state, read, character)]] += probability
            entropy[i] -= probability * np.log(probability)
    # π (P - I) = 0 leaves one equation too many; in its place we put that π sums to 1.
    equations = P.T - np.eye(len(states))  # (S,S)
    equations[-1] = 1.0
    pi = np.linalg.solve(equations, np.eye(len(states))[-1])  # (S,)
    return float(pi @ entropy)


def next_character_probs(prefix: str) -> dict[str, float]:
    """The true distribution of the character that follows `prefix`, which starts at the start of a sentence.

    Characters of probability 0 are left out. Raises ValueError when the grammar cannot produce `prefix`.
    """
    for state, read in _walk(prefix):
        pass
    return dict(_next(state, read))


def character_probs(text: str) -> np.ndarray:
    """The true distribution of each character given all before it: (len(text), len(ALPHABET)) float64.

    Column v is the character `ALPHABET[v]`. `text` starts at the start of a sentence. Raises ValueError when the
    grammar cannot produce it.
    """
    column = {character: v for v, character in enumerate(ALPHABET)}
    probs = np.zeros((len(text), len(ALPHABET)))
    for row, (state, read) in zip(probs, _walk(text)):
        for character, probability in _next(state, read).items():
            row[column[character]] = probability
    return probs


def tag_words(text: str) -> list[tuple[str, str]]:
    """Each whole word of `text`, and each full stop, with its tag.

    The tags are "det-singular", "det-plural", "subject-singular", "subject-plural", "noun-singular", "noun-plural"
    (nouns other than the subject), "prep", "be-singular", "be-plural", "verb-singular", "verb-plural", "complement",
    "adverb" and "stop". The number of "the" shows in the noun after it; whether a noun is the subject, in what came
    before. `text` starts at the start of a sentence; an unfinished word at its end, and "the" whose noun is
    unfinished, are left out. Raises ValueError when the grammar cannot produce it.
    """
    tagged: list[tuple[str, str]] = []
    start, entered = 0, START
    for end, (state, read) in enumerate(_walk(text)):
        if end == start or read:
            continue
        word = text[start:end].rstrip(" .")
        tagged.append((word, _tag(entered, word)))
        if entered[0] in ("noun", "phrase noun"):
            determiner = tagged[-2][0]
            tagged[-2] = (determiner, "det-" + _NOUN_NUMBER[word + " "])
        if "." in text[start:end]:
            tagged.append((".", "stop"))
        start, entered = end, state
    if tagged and tagged[-1][1].startswith("det"):
        tagged.pop()
    return tagged


# --- the grammar ---------------------------------------------------------------------------------------------------


def _zipf(words: list, mass: float) -> Iterator[tuple]:
    """Each word with its share of `mass`, in proportion to 1 / rank."""
    total = sum(1 / rank for rank in range(1, len(words) + 1))
    for rank, word in enumerate(words, 1):
        yield word, mass / rank / total


def _build_grammar() -> dict[State, list[Choice]]:
    """All states that the start leads to, each with the strings that it may emit.

    ("det",) → ("noun", shown) → ("after noun", subject) → ("phrase det", subject) → ("phrase noun", subject, shown)
    → ("after noun", subject) → ("complement",) or ("adverb",) → ("det",), where `shown` is the number that the
    determiner shows, and `subject` the number of the subject.
    """
    grammar: dict[State, list[Choice]] = {}
    todo = [START]
    while todo:
        state = todo.pop()
        if state not in grammar:
            grammar[state] = _EMIT[state[0]](*state[1:])
            todo.extend(choice.following for choice in grammar[state])
    return grammar


def _determiners(*subject: str) -> list[Choice]:
    share = {"either": P_THE, "singular": (1 - P_THE) / 2, "plural": (1 - P_THE) / 2}
    noun = ("phrase noun", *subject) if subject else ("noun",)
    return [
        Choice(word + " ", p, (*noun, shown))
        for shown, words in DETERMINERS.items()
        for word, p in _zipf(words, share[shown])
    ]


def _nouns(shown: str) -> Iterator[tuple[str, float, str]]:
    """Each noun form that may follow a determiner, with its probability and its number."""
    numbers = NUMBERS if shown == "either" else (shown,)
    for forms, p in _zipf(NOUNS, 1 / len(numbers)):
        for number in numbers:
            yield forms[NUMBERS.index(number)] + " ", p, number


def _subject_nouns(shown: str) -> list[Choice]:
    return [Choice(string, p, ("after noun", number)) for string, p, number in _nouns(shown)]


def _phrase_nouns(subject: str, shown: str) -> list[Choice]:
    return [Choice(string, p, ("after noun", subject)) for string, p, _ in _nouns(shown)]


def _after_noun(subject: str) -> list[Choice]:
    form = NUMBERS.index(subject)
    choices = [Choice(word + " ", p, ("phrase det", subject)) for word, p in _zipf(PREPOSITIONS, P_PHRASE)]
    choices += [Choice(forms[form] + " ", p, ("complement",)) for forms, p in _zipf(BE, (1 - P_PHRASE) * P_BE)]
    for forms, p in _zipf(VERBS, (1 - P_PHRASE) * (1 - P_BE)):
        choices += [
            Choice(forms[form] + " ", p * P_ADVERB, ("adverb",)),
            Choice(forms[form] + ". ", p * (1 - P_ADVERB), START),
        ]
    return choices


def _complements() -> list[Choice]:
    return [Choice(word + ". ", p, START) for word, p in _zipf(COMPLEMENTS, 1.0)]


def _adverbs() -> list[Choice]:
    return [Choice(word + ". ", p, START) for word, p in _zipf(ADVERBS, 1.0)]


START: State = ("det",)
_EMIT = {
    "det": _determiners,
    "noun": _subject_nouns,
    "after noun": _after_noun,
    "phrase det": _determiners,
    "phrase noun": _phrase_nouns,
    "complement": _complements,
    "adverb": _adverbs,
}
GRAMMAR = _build_grammar()
ALPHABET = "".join(sorted({c for choices in GRAMMAR.values() for choice in choices for c in choice.string}))
_NOUN_NUMBER = {form + " ": number for forms in NOUNS for number, form in zip(NUMBERS, forms)}


def _find_sites() -> dict[str, tuple[int, str, str]]:
    """Each string that holds a verb, with the offset at which its two forms part and the characters right and wrong
    there."""
    sites = {}
    for forms in BE + VERBS:
        ends = (" ",) if forms in BE else (" ", ". ")
        offset = next(i for i in range(20) if (forms[0] + " ")[i] != (forms[1] + " ")[i])
        characters = ["".join((form + end)[offset] for end in ends) for form in forms]
        # "opens " and "opens. " both go on with "s": one character, named once.
        characters = ["".join(dict.fromkeys(each)) for each in characters]
        for form, right, wrong in zip(forms, characters, reversed(characters)):
            sites |= {form + end: (offset, right, wrong) for end in ends}
    return sites


_SITES = _find_sites()


def _tag(state: State, word: str) -> str:
    if state[0] in ("det", "phrase det"):
        return "det-" + next(number for number, words in DETERMINERS.items() if word in words)
    if state[0] in ("noun", "phrase noun"):
        return ("subject-" if state[0] == "noun" else "noun-") + _NOUN_NUMBER[word + " "]
    if state[0] == "after noun":
        if word in PREPOSITIONS:
            return "prep"
        return ("be-" if word + ". " not in _SITES else "verb-") + state[1]
    return state[0]


# --- from strings to characters ------------------------------------------------------------------------------------


@cache
def _tries() -> dict[State, dict[str, dict[str, float]]]:
    """For each state and each beginning of one of its strings: the distribution of the next character."""
    tries = {}
    for state, choices in GRAMMAR.items():
        trie: dict[str, dict[str, float]] = {}
        for choice in choices:
            for i, character in enumerate(choice.string):
                following = trie.setdefault(choice.string[:i], {})
                following[character] = following.get(character, 0.0) + choice.probability
        for following in trie.values():
            total = sum(following.values())
            for character in following:
                following[character] /= total
        tries[state] = trie
    return tries


@cache
def _followings() -> dict[tuple[State, str], State]:
    return {(state, choice.string): choice.following for state, choices in GRAMMAR.items() for choice in choices}


def _next(state: State, read: str) -> dict[str, float]:
    return _tries()[state][read]


def _step(state: State, read: str, character: str) -> tuple[State, str]:
    """The character state after one more character."""
    read += character
    following = _followings().get((state, read))
    return (state, read) if following is None else (following, "")


def _character_states() -> Iterator[tuple[State, str]]:
    for state, trie in _tries().items():
        for read in trie:
            yield state, read


def _walk(text: str) -> Iterator[tuple[State, str]]:
    """The character states before each character of `text`, and the one after its last."""
    state, read = START, ""
    yield state, read
    for position, character in enumerate(text):
        allowed = _next(state, read)
        if character not in allowed:
            raise ValueError(
                "The text should be toy English from the start of a sentence, but "
                f"{character!r} at position {position} cannot follow {text[max(0, position - 20):position]!r}; "
                f"expected one of {sorted(allowed)}, so check that the text comes from toy_english and that its front "
                "is not cut off."
            )
        state, read = _step(state, read, character)
        yield state, read


@cache
def _tables() -> dict[State, tuple[list[Choice], list[float], list[np.ndarray]]]:
    """What drawing needs for each state: its choices, their cumulative probabilities, and for each choice the
    logarithm of the probability of each of its characters."""
    tables = {}
    for state, choices in GRAMMAR.items():
        cumulative = np.cumsum([choice.probability for choice in choices]).tolist()
        cumulative[-1] = 1.0  # not 0.999…: a draw must always land on a choice
        log_probs = [
            np.log([_next(state, choice.string[:i])[character] for i, character in enumerate(choice.string)])
            for choice in choices
        ]
        tables[state] = choices, cumulative, log_probs
    return tables


def _uniforms(rng: np.random.Generator) -> Iterator[float]:
    """Uniform numbers in [0, 1), drawn in blocks because one call for each is slow."""
    while True:
        yield from rng.random(4096).tolist()
