"""Right solutions of assignment 08 in other styles, at least four a task."""

import collections
import itertools
import math

import numpy as np

# --- split_by_group ----------------------------------------------------------------------------


def split_by_while(groups, order, share):
    held, names = [], list(order)
    while len(held) < share * len(groups):
        name = names.pop(0)
        held += [i for i, group in enumerate(groups) if group == name]
    return [i for i in range(len(groups)) if i not in held], sorted(held)


def split_by_cumulative_sums(groups, order, share):
    sizes = np.array([sum(group == name for group in groups) for name in order])
    before = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    held = set(np.array(order)[before < share * len(groups)])
    mask = np.array([group in held for group in groups])
    return np.flatnonzero(~mask).tolist(), np.flatnonzero(mask).tolist()


def split_by_dictionary(groups, order, share):
    rows_of = collections.defaultdict(list)
    for row, group in enumerate(groups):
        rows_of[group].append(row)
    held_out = []
    for name in order:
        if len(held_out) >= share * len(groups):
            break
        held_out.extend(rows_of.pop(name))
    return sorted(itertools.chain.from_iterable(rows_of.values())), sorted(held_out)


def split_by_recursion(groups, order, share):
    def held(names, rows):
        if rows >= share * len(groups):
            return set()
        return {names[0]} | held(names[1:], rows + groups.count(names[0]))

    chosen = held(tuple(order), 0)
    return ([i for i, g in enumerate(groups) if g not in chosen], [i for i, g in enumerate(groups) if g in chosen])


# --- majority_and_bag_baselines ----------------------------------------------------------------


def baselines_by_matrices(texts, labels, new):
    classes, member = np.unique(labels, return_inverse=True)
    alphabet = sorted(set("".join(texts)))
    bag = lambda some: np.array([[text.count(c) for c in alphabet] for text in some], dtype=float)  # noqa: E731
    K = np.eye(len(classes))[member]
    counts = K.T @ bag(texts) + 1
    log_p = np.log(counts / counts.sum(axis=1, keepdims=True))
    return str(classes[K.sum(axis=0).argmax()]), bag(new) @ log_p.T + np.log(K.mean(axis=0))


def baselines_by_counters(texts, labels, new):
    per_class = {label: collections.Counter() for label in sorted(labels)}
    for text, label in zip(texts, labels):
        per_class[label].update(text)
    seen = set().union(*per_class.values())
    rows = collections.Counter(labels)
    scores = [
        [
            math.log(rows[label] / len(labels))
            + sum(math.log((count[c] + 1) / (count.total() + len(seen))) for c in text if c in seen)
            for label, count in per_class.items()
        ]
        for text in new
    ]
    return sorted(rows, key=lambda label: (-rows[label], label))[0], np.array(scores)


def baselines_by_joined_texts(texts, labels, new):
    classes = sorted(set(labels))
    everything = "".join(texts)
    V = len(set(everything))
    scores = np.zeros((len(new), len(classes)))
    for k, label in enumerate(classes):
        mine = "".join(text for text, other in zip(texts, labels) if other == label)
        scores[:, k] = np.log(labels.count(label)) - np.log(len(labels))
        for n, text in enumerate(new):
            for c in text:
                if c in everything:
                    scores[n, k] += np.log1p(mine.count(c)) - np.log(len(mine) + V)
    return max(classes, key=labels.count), scores  # of equals max takes the first


def baselines_by_lookup(texts, labels, new):
    alphabet = {c: i for i, c in enumerate(dict.fromkeys("".join(texts)))}
    classes = {label: k for k, label in enumerate(sorted(set(labels)))}
    counts, rows = np.ones((len(classes), len(alphabet))), np.zeros(len(classes))
    for text, label in zip(texts, labels):
        rows[classes[label]] += 1
        for c in text:
            counts[classes[label], alphabet[c]] += 1
    table = np.log(counts) - np.log(counts.sum(axis=1))[:, None]
    ids = [[alphabet[c] for c in text if c in alphabet] for text in new]
    scores = np.stack([table[:, i].sum(axis=1) for i in ids]) + np.log(rows / rows.sum())
    return list(classes)[int(np.argmax(rows))], scores


# --- macro_f1 ----------------------------------------------------------------------------------


def f1_by_matrix(labels, predictions):
    classes = sorted(set(labels) | set(predictions))
    confusion = np.zeros((len(classes), len(classes)))
    for label, predicted in zip(labels, predictions):
        confusion[classes.index(label), classes.index(predicted)] += 1
    hits = np.diag(confusion)
    return np.mean(2 * hits / (confusion.sum(axis=0) + confusion.sum(axis=1)))


def f1_by_arrays(labels, predictions):
    y, p = np.array(labels), np.array(predictions)
    scores = []
    for c in np.union1d(y, p):
        tp, fp, fn = np.sum((y == c) & (p == c)), np.sum((y != c) & (p == c)), np.sum((y == c) & (p != c))
        scores.append(tp / (tp + (fp + fn) / 2))
    return np.float64(sum(scores) / len(scores))


def f1_by_counters(labels, predictions):
    hits = collections.Counter(a for a, b in zip(labels, predictions) if a == b)
    both = collections.Counter(labels) + collections.Counter(predictions)
    return math.fsum(2 * hits[c] / n for c, n in both.items()) / len(both)


def f1_by_precision_and_recall(labels, predictions):
    total, classes = 0.0, set(labels).union(predictions)
    for c in classes:
        chosen = [a == c for a, b in zip(labels, predictions) if b == c]
        meant = [b == c for a, b in zip(labels, predictions) if a == c]
        if any(chosen):
            precision, recall = sum(chosen) / len(chosen), sum(meant) / len(meant)
            total += 2 * precision * recall / (precision + recall)
    return total / len(classes)


HONEST = {
    "split_by_group": [split_by_while, split_by_cumulative_sums, split_by_dictionary, split_by_recursion],
    "majority_and_bag_baselines": [baselines_by_matrices, baselines_by_counters, baselines_by_joined_texts, baselines_by_lookup],
    "macro_f1": [f1_by_matrix, f1_by_arrays, f1_by_counters, f1_by_precision_and_recall],
}
