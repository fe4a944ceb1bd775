"""Right solutions of assignment 07 in other styles, at least four a task."""

import heapq
import itertools
import math
from collections import Counter, defaultdict
from fractions import Fraction

import numpy as np

# --- attention ---------------------------------------------------------------------------------


def attention_by_loops(query, keys, values, lengths):
    (T, N, D), E = keys.shape, values.shape[-1]
    context, weights = np.zeros((N, E)), np.zeros((T, N))
    for n in range(N):
        real = int(lengths[n])
        scores = [sum(query[n, d] * keys[t, n, d] for d in range(D)) / math.sqrt(D) for t in range(real)]
        top = max(scores)
        total = sum(math.exp(score - top) for score in scores)
        for t in range(real):
            weights[t, n] = math.exp(scores[t] - top) / total
            context[n] += weights[t, n] * values[t, n]
    return context, weights


def attention_by_einsum(query, keys, values, lengths):
    scores = np.einsum("nd,tnd->tn", query, keys) * query.shape[1] ** -0.5
    scores[np.arange(len(keys))[:, np.newaxis] >= lengths[np.newaxis, :]] = -np.inf
    weights = np.exp(scores - scores.max(0, keepdims=True))
    weights /= weights.sum(0, keepdims=True)
    return np.einsum("tn,tne->ne", weights, values), weights


def attention_batch_first(query, keys, values, lengths):
    """Matrix products with the batch first; a mask of -1e9 is low enough for any honest score."""
    k, v = keys.transpose(1, 0, 2), values.transpose(1, 0, 2)  # (N, T, D), (N, T, E)
    scores = (k @ query[:, :, None])[..., 0] / np.sqrt(k.shape[2])  # (N, T)
    scores = np.where(np.arange(k.shape[1]) < lengths[:, None], scores, -1e9)
    weights = np.exp(scores - scores.max(axis=1, keepdims=True))
    weights = weights / weights.sum(axis=1, keepdims=True)
    return (weights[:, None] @ v)[:, 0], np.asfortranarray(weights.T)


def attention_each_alone(query, keys, values, lengths):
    """Padding is cut off, and each sequence is attended to by itself."""
    contexts, columns = [], []
    for q, k, v, length in zip(query, keys.swapaxes(0, 1), values.swapaxes(0, 1), lengths):
        scores = k[:length] @ q / np.sqrt(len(q))
        w = np.exp(scores - np.logaddexp.reduce(scores))
        contexts.append(w @ v[:length])
        columns.append(np.pad(w, (0, len(k) - length)))
    return [np.array(contexts), np.column_stack(columns)]


# --- greedy_decode -----------------------------------------------------------------------------


def greedy_by_while(log_p, start, end, max_len):
    ids = [start]
    while len(ids) <= max_len:
        ids.append(np.argmax(log_p[ids[-1]]))
        if ids[-1] == end:
            break
    return ids[1:]


def greedy_by_recursion(log_p, start, end, max_len):
    best = max(range(len(log_p)), key=lambda j: (log_p[start, j], -j))
    if best == end or max_len == 1:
        return [best]
    return [best] + greedy_by_recursion(log_p, best, end, max_len - 1)


def greedy_by_table(log_p, start, end, max_len):
    following = log_p.argmax(axis=1).tolist()  # one row at a time is as good as all at once
    ids = []
    for _ in range(max_len):
        start = following[start]
        ids += [start]
        if start == end:
            return tuple(ids)
    return tuple(ids)


def greedy_by_loop(log_p, start, end, max_len):
    ids, last = [], start
    for step in range(max_len):
        best, best_log_p = 0, log_p[last, 0]
        for token in range(1, log_p.shape[1]):
            if log_p[last, token] > best_log_p:
                best, best_log_p = token, log_p[last, token]
        ids.append(best)
        last = best
        if last == end:
            print("finished after", step + 1)
            break
    return ids


# --- beam_search -------------------------------------------------------------------------------


def beam_with_lists(log_p, start, end, width, max_len):
    beam = [(0.0, [])]  # costs: the smallest first, then the smaller ids
    for _ in range(max_len):
        following = []
        for cost, ids in beam:
            if ids and ids[-1] == end:
                following.append((cost, ids))
            else:
                last = ids[-1] if ids else start
                following.extend((cost - log_p[last][j], ids + [j]) for j in range(len(log_p)))
        beam = sorted(following)[:width]
        if all(ids[-1] == end for _, ids in beam):
            break
    cost, ids = beam[0]
    return ids, -cost


def beam_until_the_best_is_finished(log_p, start, end, width, max_len):
    """No log-probability is above 0, so nothing overtakes a best hypothesis that is finished."""
    beam = [((), 0.0)]
    while len(beam[0][0]) < max_len and beam[0][0][-1:] != (end,):
        beam = heapq.nsmallest(width, (c for ids, total in beam for c in (
            [(ids, total)] if ids[-1:] == (end,) else
            [((*ids, j), total + log_p[ids[-1] if ids else start, j]) for j in range(len(log_p))])), key=lambda c: (-c[1], c[0]))
        if max(len(ids) for ids, _ in beam) == max_len:
            break
    return [np.int64(i) for i in beam[0][0]], np.float64(beam[0][1])


def beam_with_numpy(log_p, start, end, width, max_len):
    """Each row of scores is one hypothesis's extensions; the stable sort keeps lexicographic order among equals."""
    beam = [([], 0.0, False)]
    for _ in range(max_len):
        beam.sort(key=lambda h: h[0])
        pool = []
        for ids, total, done in beam:
            if done:
                pool.append((ids, total, True))
                continue
            scores = total + log_p[(ids or [start])[-1]]
            pool.extend((ids + [j], float(scores[j]), j == end) for j in np.argsort(-scores, kind="stable").tolist()[:width])
        pool.sort(key=lambda h: h[0])
        order = np.argsort([-total for _, total, _ in pool], kind="stable")[:width]
        beam = [pool[i] for i in order]
    ids, total, _ = beam[0]
    return (ids, total)


def beam_with_sums_anew(log_p, start, end, width, max_len):
    def score(ids):
        return sum(log_p[i, j] for i, j in itertools.pairwise([start, *ids]))

    beams = [[]]
    for _ in range(max_len):
        done = [ids for ids in beams if ids and ids[-1] == end]
        going = [ids for ids in beams if not ids or ids[-1] != end]
        extended = [ids + [j] for ids in going for j in range(len(log_p))]
        beams = sorted(sorted(done + extended), key=score, reverse=True)[:width]
    return beams[0], np.array(score(beams[0]))


# --- bleu --------------------------------------------------------------------------------------


def bleu_by_fractions(candidate, reference, n):
    product = Fraction(1)
    for k in range(1, n + 1):
        grams = [tuple(candidate[i : i + k]) for i in range(len(candidate) - k + 1)]
        theirs = [tuple(reference[i : i + k]) for i in range(len(reference) - k + 1)]
        if not grams:
            return 0
        product *= Fraction(sum(min(grams.count(g), theirs.count(g)) for g in set(grams)), len(grams))
    c, r = len(candidate), len(reference)
    return float(product) ** (1 / n) * (1 if c >= r else math.exp(1 - r / c))


def bleu_by_crossing_out(candidate, reference, n):
    c, r = len(candidate), len(reference)
    if c < n:
        return 0.0
    precisions = []
    for k in range(1, n + 1):
        left = list(zip(*(reference[i:] for i in range(k))))
        hits = 0
        for gram in zip(*(candidate[i:] for i in range(k))):
            if gram in left:
                left.remove(gram)
                hits += 1
        precisions.append(hits / (c - k + 1))
    return np.prod(precisions) ** (1 / n) * min(1, np.exp(1 - r / c))


def bleu_by_logarithms(candidate, reference, n):
    """The logarithm of 0 is minus infinity, and its exp is 0: NumPy warns and is right."""
    if len(candidate) < n:
        return 0.0
    logs = []
    for k in range(1, n + 1):
        counts, most = defaultdict(int), defaultdict(int)
        for tokens, table in ((candidate, counts), (reference, most)):
            for i in range(k, len(tokens) + 1):
                table[tuple(tokens[i - k : i])] += 1
        clipped = np.array([min(count, most[gram]) for gram, count in counts.items()])
        logs.append(np.log(clipped.sum() / sum(counts.values())))
    return np.exp(np.mean(logs) + min(0, 1 - len(reference) / len(candidate)))


def bleu_by_helpers(candidate, reference, n):
    def grams(tokens, k):
        return Counter(tuple(tokens[i : i + k]) for i in range(len(tokens) - k + 1))

    def precision(k):
        have, allowed = grams(candidate, k), grams(reference, k)
        return sum(min(have[g], allowed[g]) for g in have) / max(1, sum(have.values()))

    score = 1.0
    for k in range(1, n + 1):
        score *= precision(k) ** (1.0 / n)
    if len(candidate) < len(reference) and score > 0:
        score *= math.e / math.exp(len(reference) / len(candidate))
    return np.array(score)


# --- minimal_scan ------------------------------------------------------------------------------


def scan_by_list(a, b, h0):
    states = [h0]
    for a_t, b_t in zip(a, b):
        states.append(a_t * states[-1] + b_t)
    return np.array(states[1:])


def scan_in_rounds(a, b, h0):
    a, b = a.copy(), b.copy()
    b[0] += a[0] * h0
    distance = 1
    while distance < len(a):
        b[distance:] = a[distance:] * b[:-distance] + b[distance:]
        a[distance:] = a[distance:] * a[:-distance]
        distance *= 2
    return b


def scan_by_halves(a, b, h0):
    """The second half starts where the first one ends."""
    if len(a) == 1:
        return a * h0 + b
    middle = len(a) // 2
    first = scan_by_halves(a[:middle], b[:middle], h0)
    return np.concatenate([first, scan_by_halves(a[middle:], b[middle:], first[-1])])


def scan_by_accumulate(a, b, h0):
    states = itertools.accumulate(zip(a, b), lambda h, step: step[0] * h + step[1], initial=h0)
    next(states)
    return np.asfortranarray(np.stack(list(states)))


def scan_entry_by_entry(a, b, h0):
    T, N, H = a.shape
    out = np.zeros((T, N, H))
    for n in range(N):
        for unit in range(H):
            h = float(h0[n, unit])
            for t in range(T):
                h = float(a[t, n, unit]) * h + float(b[t, n, unit])
                out[t, n, unit] = h
    return out


HONEST = {
    "attention": [attention_by_loops, attention_by_einsum, attention_batch_first, attention_each_alone],
    "greedy_decode": [greedy_by_while, greedy_by_recursion, greedy_by_table, greedy_by_loop],
    "beam_search": [beam_with_lists, beam_until_the_best_is_finished, beam_with_numpy, beam_with_sums_anew],
    "bleu": [bleu_by_fractions, bleu_by_crossing_out, bleu_by_logarithms, bleu_by_helpers],
    "minimal_scan": [scan_by_list, scan_in_rounds, scan_by_halves, scan_by_accumulate, scan_entry_by_entry],
}
