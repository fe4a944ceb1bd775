"""The six tasks of assignment 01-language-models: from text to tokens, ids, counts, probabilities and batches."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable

import numpy as np

from ... import metrics, reference, text
from ..task import Case, Mistake, Output, Section, Task
from .common import float32_mistake

ASSIGNMENT = "01-language-models"

TOKENS = Section("sequences/text", "text-tokens", "Where does a token end?")
VOCABULARY = Section("sequences/text", "text-vocabulary", "A vocabulary, and what is not in it")
TARGETS = Section("sequences/text", "text-off-by-one", "Targets, and the mistake that everyone makes")
BATCHES = Section("sequences/text", "text-batches", "Two ways to cut a text")
COUNTING = Section("sequences/language-models", "lm-counting", "Counting, and the first zero")
LAPLACE = Section("sequences/language-models", "lm-laplace", "Laplace: one more of everything")
PERPLEXITY = Section("sequences/language-models", "lm-perplexity", "What to call the number")


# --- tokenize ----------------------------------------------------------------------------------


def _words(rng: np.random.Generator, count: int, letters: str = "abcdefghijklmnopqrstuvwxyz") -> list[str]:
    """Made-up words of 2 to 6 letters."""
    return ["".join(rng.choice(list(letters), size=rng.integers(2, 7))) for _ in range(count)]


def _joined(rng: np.random.Generator, words: list[str], gaps: tuple[str, ...]) -> str:
    """The words with one of the gaps between each two, every gap used where there are enough words."""
    order = [gaps[i % len(gaps)] for i in range(len(words) - 1)]
    rng.shuffle(order)
    return words[0] + "".join(gap + word for gap, word in zip(order, words[1:]))


def _capitals(word: str) -> str:
    return "".join(c.upper() if i % 2 == 0 else c for i, c in enumerate(word))


def _tokenize_form(rng: np.random.Generator) -> Case:
    return Case("a few words", {"text": " ".join(_words(rng, 4)).capitalize() + "."})


def _tokenize_values(rng: np.random.Generator) -> list[Case]:
    def case(name: str, string: str) -> Case:
        return Case(name, {"text": string})

    return [
        case("one word with capital letters", _capitals(_words(rng, 1, "abcdefgh")[0])),
        case("words with single spaces and capital letters", " ".join(map(_capitals, _words(rng, 4)))),
        case("one character between words that is no letter", _joined(rng, _words(rng, 6), ("-", ".", "7", "'", ","))),
        case("several characters between words", _joined(rng, _words(rng, 6), (", ", " - ", "...  ", " (", ") 12 "))),
        case("punctuation and spaces at both ends", "  “" + " ".join(_words(rng, 3)) + "!” "),
        case("line breaks and tabs", "\n" + _joined(rng, _words(rng, 5), ("\n", "\n\n", "\t", "\r\n")) + "\n"),
        case("digits and underscores inside words", _joined(rng, _words(rng, 6), ("_", "3", "_1_", "42", "__"))),
        case("signs that stand between Z and a in the table of characters", _joined(rng, _words(rng, 7), ("[", "]", "^", "_", "`", "\\"))),
        case("letters other than a-z", _joined(rng, _words(rng, 6), ("é", "ß", "ñ", "λ", "ж"))),
        case("a paragraph", _joined(rng, list(map(_capitals, _words(rng, 60))), (" ", ", ", ".\n", "; 'tis ", " -- ", " 1895 ")) + "."),
    ]


def _tokens_by(pattern: str, space: str = " ", strip: bool = True) -> Callable:
    """tokenize with another pattern of what is replaced, by something else than a space, or with nothing cut off at the ends."""

    def tokenize(text):
        tokens = re.sub(pattern, space, text.lower())
        return list(tokens.strip() if strip else tokens)

    return tokenize


TOKENIZE_TASK = Task(
    name="tokenize", assignment=ASSIGNMENT, points=3, section=TOKENS,
    arguments={"text": None},
    outputs=(Output("tokens", "list", items=(Output("token", "str"),)),),
    form_case=_tokenize_form, value_cases=_tokenize_values,
    reference=reference.tokenize, solution=text.tokenize,
    mistakes=(
        Mistake("capitals-kept", "tokens with capital letters among them: turn the text into lower case",
                lambda text: list(re.sub("[^A-Za-z]+", " ", text).strip())),
        Mistake("capitals-lost", "a text in which capital letters became spaces: turn it into lower case before replacing what is not "
                "a-z", lambda text: list(re.sub("[^a-z]+", " ", text).lower().strip())),
        Mistake("upper-case", "tokens in upper case", lambda string: list("".join(text.tokenize(string)).upper())),
        Mistake("runs-not-joined", "a space for each character that is no letter: a whole run of them becomes one space",
                _tokens_by("[^a-z]")),
        Mistake("removed", "a text from which other characters were removed, so that words run together: put a space in their place",
                _tokens_by("[^a-z ]+", "")),
        Mistake("removed-and-spaces-joined", "a text from which all but letters and white space was removed, so that words run together: "
                "put a space in its place", lambda text: list(" ".join(re.sub(r"[^a-z\s]+", "", text.lower()).split()))),
        Mistake("no-spaces", "letters without the spaces between words", _tokens_by("[^a-z]+", "")),
        Mistake("ends-not-cut", "tokens with a space at the beginning or the end: none stays there", _tokens_by("[^a-z]+", strip=False)),
        Mistake("cut-before-replacing", "a text whose ends were stripped before other characters became spaces: strip afterwards",
                lambda text: list(re.sub("[^a-z]+", " ", text.lower().strip()))),
        Mistake("cut-on-the-left-only", "tokens with a space at the end: none stays there",
                lambda text: list(re.sub("[^a-z]+", " ", text.lower()).lstrip())),
        Mistake("cut-on-the-right-only", "tokens with a space at the beginning: none stays there",
                lambda text: list(re.sub("[^a-z]+", " ", text.lower()).rstrip())),
        Mistake("digits-kept", r"tokens with digits and underscores among them, as from \W: keep a-z only", _tokens_by(r"\W+")),
        Mistake("ascii-word-characters", r"tokens with digits and underscores among them, as from [^\w]: keep a-z only",
                lambda text: list(re.sub(r"\W+", " ", text.lower(), flags=re.ASCII).strip())),
        Mistake("digits-kept-only", "tokens with digits among them: keep a-z only", _tokens_by("[^a-z0-9]+")),
        Mistake("from-A-to-z", "a pattern [^A-z], which also keeps the six signs between Z and a, the underscore among them: write [^a-z]",
                _tokens_by("[^A-z]+")),
        Mistake("any-letter", "tokens with letters of other alphabets among them, as from isalpha(): keep a-z only",
                lambda text: list(" ".join("".join(c if c.isalpha() else " " for c in text.lower()).split()))),
        Mistake("white-space-only", "a text in which only white space was tidied: every other character that is no letter counts, too",
                lambda text: list(" ".join(text.lower().split()))),
        Mistake("words", "a list of words: tokens are characters here", lambda string: "".join(text.tokenize(string)).split()),
        Mistake("string", "a right string that is not split into characters: return a list",
                lambda string: "".join(text.tokenize(string))),
        Mistake("characters-as-they-are", "the text's characters as they are", list),
    ),
)


# --- build_vocab -------------------------------------------------------------------------------


def _shuffled(rng: np.random.Generator, counts: dict[str, int]) -> list[str]:
    tokens = [token for token, count in counts.items() for _ in range(count)]
    rng.shuffle(tokens)
    return tokens


def _distinct(rng: np.random.Generator, count: int) -> list[str]:
    words: list[str] = []
    while len(words) < count:
        words += [word for word in _words(rng, 1) if word not in words]
    return words


def _vocab_form(rng: np.random.Generator) -> Case:
    return Case("a few letters", {"tokens": _shuffled(rng, {"a": 3, "b": 2, " ": 4})})


def _vocab_values(rng: np.random.Generator) -> list[Case]:
    letters = [str(letter) for letter in rng.permutation(list("abcdefghijklmnop"))]
    words = _distinct(rng, 6)
    falling = sorted(letters[:5], reverse=True)  # first seen in the order z..a, all equally often
    return [
        Case("one token", {"tokens": [letters[0]] * 3}),
        Case("every token with a frequency of its own",
             {"tokens": _shuffled(rng, {letter: 2 + i for i, letter in enumerate(letters[:5])})}),
        Case("equally frequent tokens, the last of the alphabet first", {"tokens": falling * 2}),
        Case("different frequencies, with ties",
             {"tokens": [falling[0]] + _shuffled(rng, {letter: 1 + i // 2 for i, letter in enumerate(letters[:7])})}),
        Case("words", {"tokens": _shuffled(rng, {word: 1 + i // 2 for i, word in enumerate(words)})}),
        Case("spaces and signs among the letters",
             {"tokens": _shuffled(rng, {" ": 4, letters[0]: 4, ".": 2, letters[1]: 2, letters[2]: 5})}),
        Case("numbers in words, longer than one letter and of ten and more equal ones",
             {"tokens": _shuffled(rng, {f"{word}{i}": 2 for i, word in enumerate(_distinct(rng, 12))})}),
    ]


def _vocab_sorted(key: Callable, first: int = 1, **options) -> Callable:
    """A vocabulary in the order of `key(token, count)`, with ids from `first`."""

    def build_vocab(tokens):
        counts = Counter(tokens)
        order = sorted(counts, key=lambda token: key(token, counts[token]), **options)
        return {"<unk>": 0, **{token: i for i, token in enumerate(order, first)}}

    return build_vocab


def _right_vocab(tokens):
    return {token: i for i, token in enumerate(text.Vocabulary(tokens).tokens)}


def _in_order_of_appearance(tokens):
    return {token: i for i, token in enumerate(dict.fromkeys(["<unk>", *tokens]))}


VOCAB_TASK = Task(
    name="build_vocab", assignment=ASSIGNMENT, points=3, section=VOCABULARY,
    arguments={"tokens": None},
    outputs=(Output("vocab", "mapping", items=(Output("id", "int"),)),),
    form_case=_vocab_form, value_cases=_vocab_values,
    reference=reference.build_vocab, solution=_right_vocab,
    mistakes=(
        Mistake("no-unknown", "a vocabulary without <unk>, but with ids from 1", lambda tokens: {
            token: i for token, i in _right_vocab(tokens).items() if i}),
        Mistake("no-unknown-from-0", "a vocabulary without <unk>: the id 0 belongs to it", lambda tokens: {
            token: i - 1 for token, i in _right_vocab(tokens).items() if i}),
        Mistake("unknown-last", "a vocabulary with <unk> at its end: its id is 0", lambda tokens: {
            token: (i - 1) % len(_right_vocab(tokens)) for token, i in _right_vocab(tokens).items()}),
        Mistake("unknown-shares-0", "a vocabulary in which <unk> and the most frequent token share the id 0",
                _vocab_sorted(lambda token, count: (-count, token), first=0)),
        Mistake("from-2", "a vocabulary that leaves the id 1 out", _vocab_sorted(lambda token, count: (-count, token), first=2)),
        Mistake("unknown-capitals", "a vocabulary whose unknown token is written <UNK>: write <unk>", lambda tokens: {
            token.replace("<unk>", "<UNK>"): i for token, i in _right_vocab(tokens).items()}),
        Mistake("rising-frequency", "a vocabulary that begins with the rarest token: the most frequent one gets id 1",
                _vocab_sorted(lambda token, count: (count, token))),
        Mistake("ties-reversed", "a vocabulary whose ties stand in reverse alphabetical order, as from sorting (count, token) with "
                "reverse=True: sort by (-count, token)", _vocab_sorted(lambda token, count: (count, token), reverse=True)),
        Mistake("ties-by-appearance", "a vocabulary whose ties stand in the order of first appearance, as from most_common(): ties are "
                "alphabetical", _vocab_sorted(lambda token, count: -count)),
        Mistake("ties-by-length", "a vocabulary whose ties are sorted by length: ties are alphabetical",
                _vocab_sorted(lambda token, count: (-count, len(token), token))),
        Mistake("alphabetical", "a vocabulary in alphabetical order: frequency comes first", _vocab_sorted(lambda token, count: token)),
        Mistake("order-of-appearance", "a vocabulary in the order of first appearance: frequency comes first", _in_order_of_appearance),
        Mistake("every-occurrence", "a vocabulary that numbers every occurrence, not every different token", lambda tokens: {
            "<unk>": 0, **{token: i for i, token in enumerate(tokens, 1)}}),
        Mistake("counts", "the counts in place of the ids", lambda tokens: {"<unk>": 0, **Counter(tokens)}),
        Mistake("characters", "a vocabulary of characters: a token may be a whole word",
                lambda tokens: _right_vocab("".join(tokens))),
        Mistake("frequent-only", "a vocabulary without the tokens that occur once: every token gets an id",
                lambda tokens: _right_vocab([token for token in tokens if tokens.count(token) > 1] or tokens)),
        Mistake("inside-out", "a dict from ids to tokens: it leads from a token to its id",
                lambda tokens: {i: token for token, i in _right_vocab(tokens).items()}),
        Mistake("list", "a right list of tokens: return a dict from token to id", lambda tokens: list(_right_vocab(tokens))),
        Mistake("strings", "ids as strings: they are whole numbers",
                lambda tokens: {token: str(i) for token, i in _right_vocab(tokens).items()}),
        Mistake("sorts-the-tokens", "a right vocabulary from a function that sorts the caller's list in place: use sorted()",
                lambda tokens: (_right_vocab(tokens), tokens.sort())[0]),
    ),
)


# --- ngram_counts ------------------------------------------------------------------------------


def _ngram_case(name: str, ids, n: int) -> Case:
    return Case(name, {"ids": np.array(ids), "n": n})


def _ngram_form(rng: np.random.Generator) -> Case:
    return _ngram_case("a short text, pairs (n=2)", rng.integers(0, 4, size=12), 2)


def _ngram_values(rng: np.random.Generator) -> list[Case]:
    once = rng.permutation(20)[:8]
    token = int(rng.integers(1, 9))
    short = rng.integers(0, 3, size=15)
    short[-1], short[0] = 3, 4  # the last token and the first occur once
    return [
        _ngram_case("pairs that occur once (n=2)", once, 2),
        _ngram_case("one pair again and again (n=2)", [token] * 6, 2),
        _ngram_case("a short text, pairs (n=2)", short, 2),
        _ngram_case("single tokens (n=1)", short, 1),
        _ngram_case("triples (n=3)", short, 3),
        _ngram_case("a text as long as the n-gram", once[:5], 5),
        _ngram_case("a longer text, four tokens (n=4)", rng.integers(0, 3, size=150), 4),
        _ngram_case("a longer text, pairs (n=2)", rng.integers(0, 12, size=200), 2),
    ]


def _grams(ids, n, count=None, step=1) -> dict:
    ids = [int(i) for i in ids]
    return dict(Counter(tuple(ids[i : i + n]) for i in range(0, len(ids) - n + 1 if count is None else count, step)))


def _ngrams_changed(change: Callable) -> Callable:
    """The right counts with every key changed; counts of keys that became equal are added."""

    def ngram_counts(ids, n):
        counts: Counter = Counter()
        for gram, count in _grams(ids, n).items():
            counts[change(gram)] += count
        return dict(counts)

    return ngram_counts


NGRAM_TASK = Task(
    name="ngram_counts", assignment=ASSIGNMENT, points=3, section=COUNTING,
    arguments={"ids": ("L",), "n": None},
    outputs=(Output("counts", "mapping", items=(Output("count", "int"),)),),
    form_case=_ngram_form, value_cases=_ngram_values,
    reference=reference.ngram_counts, solution=_grams,
    mistakes=(
        Mistake("last-left-out", "counts without the last n-gram, as from range(len(ids) - n): there are len(ids) - n + 1 places",
                lambda ids, n: _grams(ids, n, len(ids) - n)),
        Mistake("first-left-out", "counts without the first n-gram", lambda ids, n: _grams(ids[1:], n)),
        Mistake("last-token-left-out", "counts that stop at place len(ids) - 2, which is right for pairs only: there are "
                "len(ids) - n + 1 places", lambda ids, n: _grams(ids, n, len(ids) - 1)),
        Mistake("shorter-at-the-end", "counts with shorter pieces from the end of the text: stop where n tokens no longer fit",
                lambda ids, n: _grams(ids, n, len(ids))),
        Mistake("wraps-round", "counts that go on from the end of the text to its beginning",
                lambda ids, n: _grams([*ids, *ids[: n - 1]], n)),
        Mistake("no-overlap", "counts of pieces that don't overlap: an n-gram starts at every token",
                lambda ids, n: _grams(ids, n, step=n)),
        Mistake("always-pairs", "counts of pairs whatever n is", lambda ids, n: _grams(ids, 2)),
        Mistake("one-more", "counts of pieces of n + 1 tokens", lambda ids, n: _grams(ids, n + 1)),
        Mistake("one-less", "counts of pieces of n - 1 tokens", lambda ids, n: _grams(ids, n - 1)),
        Mistake("all-orders", "counts of n-grams of all orders up to n: only n itself", lambda ids, n: {
            gram: count for k in range(1, n + 1) for gram, count in _grams(ids, k).items()}),
        Mistake("padded", "counts of a text padded at its beginning: nothing stands before the first token",
                lambda ids, n: _grams([0] * (n - 1) + [*ids], n)),
        Mistake("reversed", "keys with the later token first: keep the order of the text", _ngrams_changed(lambda gram: gram[::-1])),
        Mistake("sorted", "keys whose tokens are sorted: (1, 2) and (2, 1) are different n-grams",
                _ngrams_changed(lambda gram: tuple(sorted(gram)))),
        Mistake("sets", "keys that are sets of tokens: (1, 2) and (2, 1) are different n-grams, and (1, 1) has two tokens",
                _ngrams_changed(frozenset)),
        Mistake("bare-tokens", "counts whose keys for n=1 are bare ids: they are tuples of one",
                _ngrams_changed(lambda gram: gram if len(gram) > 1 else gram[0])),
        Mistake("strings", "keys that are strings: they are tuples of ids", _ngrams_changed(lambda gram: " ".join(map(str, gram)))),
        Mistake("once-each", "a count of 1 for every n-gram: add 1 at each occurrence", lambda ids, n: dict.fromkeys(_grams(ids, n), 1)),
        Mistake("one-too-many", "counts that start at 1 and are raised at the first occurrence, too", lambda ids, n: {
            gram: count + 1 for gram, count in _grams(ids, n).items()}),
        Mistake("one-too-few", "counts that start at 0 and are not raised at the first occurrence", lambda ids, n: {
            gram: count - 1 for gram, count in _grams(ids, n).items()}),
        Mistake("frequencies", "shares of all n-grams: return counts, whole numbers", lambda ids, n: {
            gram: count / (len(ids) - n + 1) for gram, count in _grams(ids, n).items()}),
        Mistake("floats", "right counts as floats: they are whole numbers", lambda ids, n: {
            gram: float(count) for gram, count in _grams(ids, n).items()}),
        Mistake("nested", "a dict of dicts, by first tokens and last token: the key is the whole n-gram", lambda ids, n: {
            gram[:-1]: {gram[-1]: count} for gram, count in _grams(ids, n).items()}),
        Mistake("list", "a list of the n-grams: count them in a dict", lambda ids, n: list(_grams(ids, n).items())),
    ),
)


# --- bigram_probs ------------------------------------------------------------------------------


def _bigram_case(name: str, ids, V: int, alpha: float) -> Case:
    return Case(name, {"ids": np.array(ids), "V": V, "alpha": alpha})


def _bigram_form(rng: np.random.Generator) -> Case:
    return _bigram_case("a short text", rng.integers(0, 5, size=20), 5, 1.0)


def _bigram_values(rng: np.random.Generator) -> list[Case]:
    V = int(rng.integers(4, 8))
    i, j = (int(token) for token in rng.permutation(V)[:2])
    ending = np.append(rng.integers(0, V - 1, size=30), [V - 1])  # the last token occurs at the end only
    skewed = np.minimum(rng.geometric(0.4, size=150) - 1, V - 1)
    return [
        _bigram_case("two tokens, one pair (alpha=1)", [i, j], V, 1.0),
        _bigram_case("the same pair again and again (alpha=1)", [i, j] * 4 + [i], V, 1.0),
        _bigram_case("a short text (alpha=1)", rng.integers(0, V, size=25), V, 1.0),
        _bigram_case("another alpha", rng.integers(0, V, size=25), V, 0.25),
        _bigram_case("a small alpha", skewed, V, 0.001),
        _bigram_case("a last token that has no successor", ending, V, 0.5),
        _bigram_case("tokens of the vocabulary that never occur", rng.integers(0, V, size=20), V + 3, 0.1),
        _bigram_case("a large alpha", skewed, V, 50.0),
        _bigram_case("a longer text", rng.integers(0, 30, size=600), 30, 0.05),
    ]


def _pairs(ids, V, alpha=0.0):
    counts = np.zeros((V, V))
    np.add.at(counts, (ids[:-1], ids[1:]), 1.0)
    return counts + alpha


def _rows(smoothed):
    return smoothed / smoothed.sum(axis=1, keepdims=True)


def _bigram_probs(ids, V, alpha):
    return _rows(_pairs(ids, V, alpha))


def _buffered(ids, V, alpha):
    counts = np.zeros((V, V))
    counts[ids[:-1], ids[1:]] += 1
    return _rows(counts + alpha)


def _totals_of_tokens(ids, V, alpha):
    return (_pairs(ids, V, alpha)) / (np.bincount(ids, minlength=V) + alpha * V)[:, None]


def _quiet(function: Callable) -> Callable:
    def without_warnings(*arguments):
        with np.errstate(all="ignore"):
            return function(*arguments)

    return without_warnings


def _unsmoothed(ids, V, alpha):
    return _rows(_pairs(ids, V))


def _alpha_where_zero(ids, V, alpha):
    counts = _pairs(ids, V)
    return _rows(np.where(counts > 0, counts, alpha))


def _alpha_in_seen_rows(ids, V, alpha):
    counts = _pairs(ids, V)
    return np.where(counts.sum(axis=1, keepdims=True) > 0, _rows(counts + alpha), 0.0)


def _zeros_in_unseen_rows(ids, V, alpha):
    counts = _pairs(ids, V)
    return (counts + alpha) / np.maximum(counts.sum(axis=1, keepdims=True), 1.0)


BIGRAM_TASK = Task(
    name="bigram_probs", assignment=ASSIGNMENT, points=4, section=LAPLACE,
    arguments={"ids": ("L",), "V": None, "alpha": None},
    outputs=(Output("probs", "array", ("V", "V")),),
    form_case=_bigram_form, value_cases=_bigram_values,
    reference=reference.bigram_probs, solution=_bigram_probs,
    mistakes=(
        Mistake("transposed", "a table with P(i | j) at [i, j]: the row is the token before, and rows sum to 1",
                lambda ids, V, alpha: _bigram_probs(ids, V, alpha).T),
        Mistake("counts-transposed", "a table of counts with the later token as row: the row is the token before",
                lambda ids, V, alpha: _rows(_pairs(ids, V, alpha).T)),
        Mistake("columns", "a table whose columns sum to 1: divide each row by its total",
                lambda ids, V, alpha: _pairs(ids, V, alpha) / _pairs(ids, V, alpha).sum(axis=0)),
        Mistake("rows-without-keepdims", "a table divided by the row totals along the wrong axis, as by counts / counts.sum(axis=1): keep "
                "the axis with keepdims=True", lambda ids, V, alpha: _pairs(ids, V, alpha) / _pairs(ids, V, alpha).sum(axis=1)),
        Mistake("joint", "a table that sums to 1 as a whole, P(i, j): each row sums to 1",
                lambda ids, V, alpha: _pairs(ids, V, alpha) / _pairs(ids, V, alpha).sum()),
        Mistake("counts", "smoothed counts that are not divided by the row total", lambda ids, V, alpha: _pairs(ids, V, alpha)),
        Mistake("buffered", "counts in which a pair counts once, as from counts[ids[:-1], ids[1:]] += 1, which NumPy does once for equal "
                "indices: use np.add.at, or a loop", _buffered, section=COUNTING),
        Mistake("totals-of-tokens", "a table divided by how often each token occurs: the last token of the text has no successor, so "
                "take the row totals", _totals_of_tokens),
        Mistake("unsmoothed", "a table without alpha", _quiet(_unsmoothed)),
        Mistake("alpha-is-1", "a table with alpha = 1 whatever is passed", lambda ids, V, alpha: _bigram_probs(ids, V, 1.0)),
        Mistake("alpha-squared", "a table with alpha added twice", lambda ids, V, alpha: _bigram_probs(ids, V, 2 * alpha)),
        Mistake("alpha-above-only", "a table with alpha above the fraction only: the row total grows by alpha * V",
                lambda ids, V, alpha: _zeros_in_unseen_rows(ids, V, alpha)),
        Mistake("alpha-once-below", "a table whose row totals grow by alpha: there are V entries in a row, so by alpha * V",
                lambda ids, V, alpha: _pairs(ids, V, alpha) / (_pairs(ids, V).sum(axis=1, keepdims=True) + alpha)),
        Mistake("V-below-without-alpha", "a table whose row totals grow by V: with alpha they grow by alpha * V",
                lambda ids, V, alpha: _pairs(ids, V, alpha) / (_pairs(ids, V).sum(axis=1, keepdims=True) + V)),
        Mistake("V-squared-below", "a table whose row totals grow by alpha * V * V: a row has V entries",
                lambda ids, V, alpha: _pairs(ids, V, alpha) / (_pairs(ids, V).sum(axis=1, keepdims=True) + alpha * V * V)),
        Mistake("alpha-below-only", "a table with alpha below the fraction only: unseen pairs keep probability 0",
                lambda ids, V, alpha: _pairs(ids, V) / (_pairs(ids, V).sum(axis=1, keepdims=True) + alpha * V)),
        Mistake("seen-tokens-below", "row totals that grow by alpha for each token that occurs: for each of all V",
                lambda ids, V, alpha: _pairs(ids, V, alpha) / (_pairs(ids, V).sum(axis=1, keepdims=True) + alpha * len(set(ids)))),
        Mistake("alpha-where-zero", "a table with alpha in place of the zeros only: alpha is added to every count", _alpha_where_zero),
        Mistake("alpha-in-seen-rows", "a table with rows of zeros for tokens without a successor: with alpha they are uniform",
                _alpha_in_seen_rows),
        Mistake("two-apart", "counts of tokens two places apart: pair each with the next one",
                lambda ids, V, alpha: _rows(alpha + _pairs(ids[::2], V) + _pairs(ids[1::2], V)), section=COUNTING),
        Mistake("wraps-round", "counts that pair the last token with the first",
                lambda ids, V, alpha: _bigram_probs(np.append(ids, ids[0]), V, alpha), section=COUNTING),
        Mistake("last-pair-left-out", "counts without the last pair", lambda ids, V, alpha: _bigram_probs(ids[:-1], V, alpha),
                section=COUNTING),
        Mistake("first-pair-left-out", "counts without the first pair", lambda ids, V, alpha: _bigram_probs(ids[1:], V, alpha),
                section=COUNTING),
        Mistake("no-overlap", "counts of every other pair: a pair starts at every token",
                lambda ids, V, alpha: _rows(alpha + sum((_pairs(ids[i : i + 2], V) for i in range(0, len(ids) - 1, 2)), np.zeros((V, V)))),
                section=COUNTING),
        Mistake("width-from-ids", "a table whose size is the largest id + 1: it has V rows and columns",
                lambda ids, V, alpha: _bigram_probs(ids, int(ids.max()) + 1, alpha)),
        Mistake("logarithms", "log-probabilities: return the probabilities themselves",
                lambda ids, V, alpha: np.log(_bigram_probs(ids, V, alpha))),
        float32_mistake(lambda ids, V, alpha: _rows(_pairs(ids, V, alpha).astype(np.float32)).astype(np.float64)),
    ),
)


# --- perplexity --------------------------------------------------------------------------------


def _perplexity_case(name: str, log_probs) -> Case:
    return Case(name, {"log_probs": np.asarray(log_probs, dtype=np.float64)})


def _log_probs(rng: np.random.Generator, count: int) -> np.ndarray:
    return np.log(rng.uniform(0.02, 0.98, size=count))


def _perplexity_form(rng: np.random.Generator) -> Case:
    return _perplexity_case("several tokens", _log_probs(rng, 6))


def _perplexity_values(rng: np.random.Generator) -> list[Case]:
    unlikely = _log_probs(rng, 40)
    unlikely[3] = -900.0
    return [
        _perplexity_case("one token", _log_probs(rng, 1)),
        _perplexity_case("equal probabilities", np.full(7, -math.log(int(rng.integers(5, 40))))),
        _perplexity_case("two tokens", _log_probs(rng, 2)),
        _perplexity_case("several tokens", _log_probs(rng, 9)),
        _perplexity_case("every token was certain", np.zeros(5)),
        _perplexity_case("thousands of tokens, whose product of probabilities underflows", _log_probs(rng, 3000)),
        _perplexity_case("a token so unlikely that its probability underflows to 0", unlikely),
        _perplexity_case("a hopeless model", -rng.uniform(50, 150, size=20)),
    ]


PERPLEXITY_TASK = Task(
    name="perplexity", assignment=ASSIGNMENT, points=3, section=PERPLEXITY,
    arguments={"log_probs": ("L",)},
    outputs=(Output("perplexity", "float"),),
    form_case=_perplexity_form, value_cases=_perplexity_values,
    reference=reference.perplexity, solution=metrics.perplexity,
    mistakes=(
        Mistake("no-minus", "a perplexity without the minus sign, the geometric mean of the probabilities: it would be at most 1",
                lambda log_probs: float(np.exp(log_probs.mean()))),
        Mistake("no-exp", "the mean loss in nats: perplexity is its exp", lambda log_probs: float(-log_probs.mean())),
        Mistake("sum", "exp of the sum: take the mean over the tokens first", _quiet(lambda log_probs: float(np.exp(-log_probs.sum())))),
        Mistake("base-2", "2 to the power of nats: the logarithms are natural, so use exp", lambda log_probs: float(2 ** -log_probs.mean())),
        Mistake("base-10", "10 to the power of nats: the logarithms are natural, so use exp",
                lambda log_probs: float(10 ** -log_probs.mean())),
        Mistake("bits", "the mean in bits: perplexity is exp of the mean in nats",
                lambda log_probs: float(-log_probs.mean() / math.log(2))),
        Mistake("mean-of-inverse", "the mean of 1/p: average the logarithms, which gives the geometric mean",
                _quiet(lambda log_probs: float(np.exp(-log_probs).mean()))),
        Mistake("harmonic-mean", "one over the mean probability, a harmonic mean: average the logarithms, which gives the geometric mean",
                lambda log_probs: float(1 / np.exp(log_probs).mean())),
        Mistake("median", "exp of the median: take the mean", lambda log_probs: float(np.exp(-np.median(log_probs)))),
        Mistake("one-token-less", "a mean over one token less: every entry of log_probs is a prediction",
                _quiet(lambda log_probs: float(np.exp(-log_probs.sum() / (len(log_probs) - 1))))),
        Mistake("first-left-out", "a mean without the first entry: every entry of log_probs is a prediction",
                _quiet(lambda log_probs: float(np.exp(-(log_probs[1:].sum() / np.float64(len(log_probs) - 1)))))),
        Mistake("one-token-more", "a mean over one token more than there are",
                lambda log_probs: float(np.exp(-log_probs.sum() / (len(log_probs) + 1)))),
        Mistake("log-again", "a logarithm of what are logarithms already",
                _quiet(lambda log_probs: float(np.exp(-np.log(log_probs).mean())))),
        Mistake("log-of-minus", "a logarithm of what are logarithms already",
                _quiet(lambda log_probs: float(np.exp(-np.log(-log_probs).mean())))),
        Mistake("product", "a root of the product of all probabilities, which underflows to 0: average the logarithms",
                _quiet(lambda log_probs: float(np.float64(np.prod(np.exp(log_probs))) ** (-1 / len(log_probs))))),
        Mistake("by-way-of-probabilities", "logarithms of probabilities that have underflowed to 0: use the logarithms as they came",
                _quiet(lambda log_probs: float(np.exp(-np.log(np.exp(log_probs)).mean())))),
        *(Mistake(f"epsilon-{epsilon:g}", f"logarithms of probabilities plus {epsilon:g}: use the logarithms as they came",
                  lambda log_probs, epsilon=epsilon: float(np.exp(-np.log(np.exp(log_probs) + epsilon).mean())))
          for epsilon in (1e-6, 1e-8, 1e-10, 1e-12, 1e-15)),
        Mistake("per-token", "the inverse probability of each token, not their geometric mean",
                _quiet(lambda log_probs: np.exp(-log_probs))),
        float32_mistake(lambda log_probs: float(np.exp(-log_probs.mean())), tolerance=1e-4),
    ),
)


# --- sequential_batches ------------------------------------------------------------------------


def _batches_case(name: str, rng: np.random.Generator, tokens: int, N: int, T: int, offset: int = 0) -> Case:
    """A text of different ids, so that each shows where in the text it comes from."""
    return Case(name, {"ids": rng.permutation(tokens) + 10, "N": N, "T": T, "offset": offset})


def _batches_form(rng: np.random.Generator) -> Case:
    return _batches_case("two strips", rng, 26, 2, 4)


def _batches_values(rng: np.random.Generator) -> list[Case]:
    N, T = (int(size) for size in rng.permutation([2, 3, 4, 5])[:2])
    return [
        _batches_case("one strip, one batch (N=1)", rng, T + 1, 1, T),
        _batches_case("one strip, several batches (N=1)", rng, 3 * T + 1, 1, T),
        _batches_case("several strips, one batch", rng, N * T + 1, N, T),
        _batches_case("several strips, several batches", rng, 3 * N * T + 1, N, T),
        _batches_case("strips longer than their batches: a rest is left out", rng, N * (3 * T + 1) + 1, N, T),
        _batches_case("a text that can't be shared evenly among the strips", rng, 3 * N * T + N, N, T),
        _batches_case("a text one token too short for another batch", rng, 3 * N * T, N, T),
        _batches_case("an offset", rng, 3 * N * T + 4, N, T, offset=3),
        _batches_case("an offset that costs a batch", rng, 3 * N * T + 1, N, T, offset=1),
        _batches_case("one token a batch (T=1)", rng, 4 * N + 1, N, 1),
        _batches_case("as many strips as steps (N=T)", rng, 3 * T * T + T, T, T, offset=1),
        _batches_case("a longer text", rng, 500, 7, 11, offset=5),
    ]


def _strips(ids, start, N, L):
    """N strips of L tokens side by side, `(L, N)`."""
    return np.stack([ids[start + n * L : start + (n + 1) * L] for n in range(N)], axis=1)


def _cut(ids, N, T, offset=0, *, L=None, shift=1, count=None):
    """Right batches but for another strip length, target shift or number of batches."""
    ids = np.asarray(ids)
    L = (len(ids) - offset - 1) // N if L is None else L
    X, Y = _strips(ids, offset, N, L), _strips(ids, offset + shift, N, L)
    return [(X[t * T : (t + 1) * T], Y[t * T : (t + 1) * T]) for t in range(L // T if count is None else count)]


def _all_batches(change: Callable) -> Callable:
    """The right batches, each passed through `change(X, Y)`."""
    return lambda ids, N, T, offset: [change(X, Y) for X, Y in text.sequential_batches(ids, N, T, offset)]


def _last_target_wraps(X, Y):
    return X, np.roll(X, -1, axis=0)


def _interleaved(ids, N, T, offset):
    L = (len(ids) - offset - 1) // N
    X, Y = (ids[offset + s : offset + s + L * N].reshape(L, N) for s in (0, 1))
    return [(X[t : t + T], Y[t : t + T]) for t in range(0, L - T + 1, T)]


def _reshaped_batches(X, Y):
    return X.T.reshape(X.shape), Y.T.reshape(Y.shape)


def _windows_in_order(ids, N, T, offset):
    """Windows in the order of the text, N of them a batch: column n + 1 goes on where column n stops."""
    count = (len(ids) - offset - 1) // N // T
    X, Y = (ids[offset + s : offset + s + count * N * T].reshape(count, N, T) for s in (0, 1))
    return [(x.T, y.T) for x, y in zip(X, Y)]


def _incomplete_too(ids, N, T, offset):
    L = (len(ids) - offset - 1) // N
    return _cut(ids, N, T, offset, count=-(-L // T))


def _overlapping(ids, N, T, offset):
    L = (len(ids) - offset - 1) // N
    X, Y = (_strips(ids, offset + s, N, L) for s in (0, 1))
    return [(X[t : t + T], Y[t : t + T]) for t in range(L - T + 1)]


def _offset_in_each_strip(ids, N, T, offset):
    L = (len(ids) - 1) // N
    X, Y = (_strips(ids, s, N, L)[offset:] for s in (0, 1))
    return [(X[t : t + T], Y[t : t + T]) for t in range(0, len(X) - T + 1, T)]


def _targets_end_with_strip(ids, N, T, offset):
    """The last target of each strip is left out, as if a strip's text ended there: its L counts inputs and last target."""
    L = (len(ids) - offset) // N
    strips = ids[offset : offset + N * L].reshape(N, L).T
    return [(strips[t : t + T], strips[t + 1 : t + T + 1]) for t in range(0, (L - 1) // T * T, T)]


def _strip_wraps(ids, N, T, offset):
    L = (len(ids) - offset - 1) // N
    X = ids[offset : offset + N * L].reshape(N, L).T
    Y = np.roll(X, -1, axis=0)
    return [(X[t : t + T], Y[t : t + T]) for t in range(0, L - T + 1, T)]


def _window_of_T_and_one(ids, N, T, offset):
    """Windows of T + 1 tokens, one after another: the last target of a window is no input of the next."""
    L = (len(ids) - offset - 1) // N
    X, Y = (_strips(ids, offset + s, N, L) for s in (0, 1))
    return [(X[t : t + T], Y[t : t + T]) for t in range(0, L - T + 1, T + 1)]


BATCHES_TASK = Task(
    name="sequential_batches", assignment=ASSIGNMENT, points=4, section=BATCHES,
    arguments={"ids": ("L",), "N": None, "T": None, "offset": None},
    outputs=(Output("batches", "list", items=(
        Output("pair", "tuple", items=(Output("X", "ids", ("T", "N")), Output("Y", "ids", ("T", "N")))),)),),
    form_case=_batches_form, value_cases=_batches_values,
    reference=reference.sequential_batches, solution=text.sequential_batches,
    mistakes=(
        Mistake("targets-not-shifted", "targets equal to the inputs: Y is X one token further on", _all_batches(lambda X, Y: (X, X.copy())),
                section=TARGETS),
        Mistake("targets-one-back", "targets one token back: Y is X one token further on",
                lambda ids, N, T, offset: [(Y, X) for X, Y in text.sequential_batches(ids, N, T, offset)], section=TARGETS),
        Mistake("targets-two-on", "targets two tokens further on",
                lambda ids, N, T, offset: _cut(np.append(ids, ids[-1]), N, T, offset, L=(len(ids) - offset - 1) // N, shift=2),
                section=TARGETS),
        Mistake("last-target-wraps", "targets rolled within each window, so that the last one is the window's first input: take the ids one "
                "further on from the text", _all_batches(_last_target_wraps), section=TARGETS),
        Mistake("strip-wraps", "targets rolled within each strip, so that the last one is the strip's first input: take the ids one further "
                "on from the text", _strip_wraps, section=TARGETS),
        Mistake("batch-first", "batches (N, T): time is the first axis, (T, N)", _all_batches(lambda X, Y: (X.T.copy(), Y.T.copy()))),
        Mistake("interleaved", "batches in which neighbouring tokens stand side by side, as from reshape(L, N): each column runs through a "
                "strip of its own, reshape(N, L) and then transpose", _interleaved),
        Mistake("reshaped", "windows turned to (T, N) by reshape, which keeps the order of memory and mixes the strips: transpose, .T",
                _all_batches(_reshaped_batches)),
        Mistake("windows-in-order", "batches whose columns are windows one after another in the text: a batch must go on where the one "
                "before it stopped, column by column", _windows_in_order),
        Mistake("offset-ignored", "batches from the beginning of the text: it starts at offset",
                lambda ids, N, T, offset: text.sequential_batches(ids, N, T)),
        Mistake("offset-at-both-ends", "strips shortened by the offset at both ends: only the first `offset` tokens are left out",
                lambda ids, N, T, offset: text.sequential_batches(ids[: len(ids) - offset], N, T, offset)),
        Mistake("offset-not-in-L", "strips whose length takes no notice of the offset: L = (len(ids) - offset - 1) // N",
                lambda ids, N, T, offset: _cut(np.append(ids, [0] * offset), N, T, offset, L=(len(ids) - 1) // N)),
        Mistake("offset-in-each-strip", "strips that each leave out their own first tokens: the offset is for the whole text",
                _offset_in_each_strip),
        Mistake("L-without-minus-1", "strips of length (len(ids) - offset) // N: the last input needs a target, so one token less",
                lambda ids, N, T, offset: _cut(np.append(ids, 0), N, T, offset, L=(len(ids) - offset) // N), section=TARGETS),
        Mistake("targets-in-the-strip", "strips that hold inputs and last target: the last target of a strip is the first token of the "
                "next, so L = (len(ids) - offset - 1) // N", _targets_end_with_strip, section=TARGETS),
        Mistake("L-too-short", "strips one token too short: L = (len(ids) - offset - 1) // N",
                lambda ids, N, T, offset: _cut(ids, N, T, offset, L=(len(ids) - offset - 1) // N - 1)),
        Mistake("L-cut-to-windows", "strips cut to a whole number of windows before they are laid side by side: the next strip starts L "
                "tokens on, and what remains of each is left out",
                lambda ids, N, T, offset: _cut(ids, N, T, offset, L=(len(ids) - offset - 1) // N // T * T)),
        Mistake("incomplete-batch", "batches with a shorter one at the end: leave it out", _incomplete_too),
        Mistake("last-batch-left-out", "batches without the last one: there are L // T",
                lambda ids, N, T, offset: text.sequential_batches(ids, N, T, offset)[:-1]),
        Mistake("first-batch-only", "the first batch only", lambda ids, N, T, offset: text.sequential_batches(ids, N, T, offset)[:1]),
        Mistake("overlapping", "batches that overlap, each one token further on: a batch starts T tokens after the one before",
                _overlapping),
        Mistake("windows-T-plus-1", "batches that start T + 1 tokens after the one before: the last target of a window is the first "
                "input of the next", _window_of_T_and_one, section=TARGETS),
        Mistake("reversed", "batches from the last to the first", lambda ids, N, T, offset: (
            text.sequential_batches(ids, N, T, offset)[::-1])),
        Mistake("one-batch", "right strips in a single batch: cut them into windows of T steps",
                lambda ids, N, T, offset: text.sequential_batches(ids, N, (len(ids) - offset - 1) // N, offset)),
        Mistake("array", "one array of right batches: return a list of pairs",
                lambda ids, N, T, offset: np.array(text.sequential_batches(ids, N, T, offset))),
        Mistake("floats", "right batches of floats: ids are whole numbers", _all_batches(lambda X, Y: (X.astype(float), Y.astype(float)))),
        Mistake("two-lists", "a list of inputs and a list of targets: return a list of pairs (X, Y)",
                lambda ids, N, T, offset: tuple(map(list, zip(*text.sequential_batches(ids, N, T, offset))))),
    ),
)

TASKS = (TOKENIZE_TASK, VOCAB_TASK, NGRAM_TASK, BIGRAM_TASK, PERPLEXITY_TASK, BATCHES_TASK)
