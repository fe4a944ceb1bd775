"""Right solutions of assignment 01 in other styles, at least four a task."""

import collections
import itertools
import math
import re
import string

import numpy as np

# --- tokenize ----------------------------------------------------------------------------------


def tokenize_by_words(text):
    return list(" ".join(re.findall("[a-z]+", text.lower())))


def tokenize_by_characters(text):
    tokens = []
    for c in text.lower():
        if "a" <= c <= "z":
            tokens.append(c)
        elif tokens and tokens[-1] != " ":
            tokens.append(" ")
    if tokens and tokens[-1] == " ":
        tokens.pop()
    return tokens


def tokenize_by_replacing(text):
    kept = "".join(c if c in string.ascii_lowercase else " " for c in text.lower())
    while "  " in kept:
        kept = kept.replace("  ", " ")
    return [c for c in kept.strip(" ")]


def tokenize_by_groups(text):
    words = ["".join(group) for letter, group in itertools.groupby(text.lower(), lambda c: c in string.ascii_lowercase) if letter]
    return tuple(" ".join(words))


# --- build_vocab -------------------------------------------------------------------------------


def vocab_by_counter(tokens):
    counts = collections.Counter(tokens)
    vocab = {"<unk>": 0}
    for token, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        vocab[token] = len(vocab)
    return vocab


def vocab_by_two_sorts(tokens):
    """Sorting is stable: by the alphabet first, then by frequency."""
    counts = {}
    for token in tokens:
        counts[token] = counts.get(token, 0) + 1
    order = sorted(sorted(counts), key=counts.get, reverse=True)
    return dict(zip(["<unk>"] + order, range(len(order) + 1)))


def vocab_by_numpy(tokens):
    distinct, counts = np.unique(tokens, return_counts=True)  # np.unique sorts
    order = np.argsort(-counts, kind="stable")
    return {"<unk>": np.int64(0)} | {distinct[place]: np.int64(i) for i, place in enumerate(order, 1)}


def vocab_by_picking(tokens):
    left, vocab = set(tokens), collections.OrderedDict([("<unk>", 0)])
    while left:
        best = min(left, key=lambda token: (-tokens.count(token), token))
        left.remove(best)
        vocab[best] = len(vocab)
    return vocab


# --- ngram_counts ------------------------------------------------------------------------------


def ngrams_by_zip(ids, n):
    return collections.Counter(zip(*(ids[i:].tolist() for i in range(n))) if n <= len(ids) else [])


def ngrams_by_loop(ids, n):
    counts = {}
    for start in range(len(ids) - n + 1):
        gram = tuple(int(token) for token in ids[start : start + n])
        if gram not in counts:
            counts[gram] = 0
        counts[gram] += 1
    return counts


def ngrams_with_numpys_keys(ids, n):
    counts = collections.defaultdict(int)
    for end in range(n, len(ids) + 1):
        counts[tuple(ids[end - n : end])] += 1
    return counts


def ngrams_by_unique(ids, n):
    windows = np.lib.stride_tricks.sliding_window_view(ids, n)
    grams, counts = np.unique(windows, axis=0, return_counts=True)
    return {tuple(gram.tolist()): count for gram, count in zip(grams, counts)}


# --- bigram_probs ------------------------------------------------------------------------------


def bigrams_by_loop(ids, V, alpha):
    counts = np.full((V, V), float(alpha))
    for before, after in zip(ids, ids[1:]):
        counts[before, after] += 1
    return counts / counts.sum(axis=1)[:, None]


def bigrams_by_bincount(ids, V, alpha):
    counts = np.bincount(ids[:-1] * V + ids[1:], minlength=V * V).reshape(V, V)
    return (counts + alpha) / (counts.sum(axis=1, keepdims=True) + alpha * V)


def bigrams_by_one_hot(ids, V, alpha):
    rows = np.eye(V)[ids]
    smoothed = rows[1:].T @ rows[:-1] + alpha  # [after, before]
    return (smoothed / smoothed.sum(axis=0)).T  # not contiguous


def bigrams_by_counts(ids, V, alpha):
    pairs = ngrams_by_loop(ids, 2)
    probs = []
    for i in range(V):
        total = sum(count for (before, _), count in pairs.items() if before == i)
        probs.append([(pairs.get((i, j), 0) + alpha) / (total + V * alpha) for j in range(V)])
    return np.array(probs)


# --- perplexity --------------------------------------------------------------------------------


def perplexity_by_loop(log_probs):
    total = 0.0
    for log_prob in log_probs:
        total -= log_prob
    return math.exp(total / len(log_probs))


# --- sequential_batches ------------------------------------------------------------------------


def batches_by_reshape(ids, N, T, offset):
    L = (len(ids) - offset - 1) // N
    X = ids[offset:][: N * L].reshape(N, L)
    Y = ids[offset + 1 :][: N * L].reshape(N, L)
    batches = []
    for i in range(L // T):
        batches.append((X[:, i * T : (i + 1) * T].T, Y[:, i * T : (i + 1) * T].T))  # views
    return batches


def batches_by_loops(ids, N, T, offset):
    L = (len(ids) - offset - 1) // N
    batches = []
    for start in range(0, L // T * T, T):
        X = np.array([[ids[offset + n * L + start + t] for n in range(N)] for t in range(T)], dtype=np.int32)
        Y = np.array([[ids[offset + n * L + start + t + 1] for n in range(N)] for t in range(T)], dtype=np.int32)
        batches.append([X, Y])
    return tuple(batches)


def batches_by_places(ids, N, T, offset):
    strip = (len(ids) - 1 - offset) // N
    places = offset + np.arange(strip)[:, None] + strip * np.arange(N)
    return [(ids[places[t : t + T]], ids[places[t : t + T] + 1]) for t in range(0, strip - T + 1, T)]


def batches_by_split(ids, N, T, offset):
    text = ids[offset:]
    strip = (len(text) - 1) // N
    inputs, targets = (np.asfortranarray(np.stack(np.split(text[s : s + strip * N], N), axis=1)) for s in (0, 1))
    count = strip // T
    return list(zip(np.split(inputs[: count * T], count), np.split(targets[: count * T], count)))


HONEST = {
    "tokenize": [tokenize_by_words, tokenize_by_characters, tokenize_by_replacing, tokenize_by_groups],
    "build_vocab": [vocab_by_counter, vocab_by_two_sorts, vocab_by_numpy, vocab_by_picking],
    "ngram_counts": [ngrams_by_zip, ngrams_by_loop, ngrams_with_numpys_keys, ngrams_by_unique],
    "bigram_probs": [bigrams_by_loop, bigrams_by_bincount, bigrams_by_one_hot, bigrams_by_counts],
    "perplexity": [
        perplexity_by_loop,
        lambda log_probs: np.exp(-np.mean(log_probs)),
        lambda log_probs: np.exp(-log_probs / len(log_probs)).prod(),
        lambda log_probs: np.array(math.e ** (-math.fsum(log_probs) / log_probs.size)),
        lambda log_probs: 1 / np.exp(np.average(log_probs)),
    ],
    "sequential_batches": [batches_by_reshape, batches_by_loops, batches_by_places, batches_by_split],
}  # fmt: skip
