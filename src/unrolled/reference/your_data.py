"""References for assignment 08: the definitions themselves, spelled out row by row; torch for the one with arithmetic on arrays."""

from __future__ import annotations

import numpy as np

from .torch_arrays import numpy_array, tensor, torch_module


def split_by_group(groups, order, share) -> tuple[list[int], list[int]]:
    """A group is held out if the groups before it in `order` have fewer rows than were asked for."""
    train, held_out = [], []
    for row, group in enumerate(groups):
        before = sum(groups.count(other) for other in order[: order.index(group)])
        (held_out if before < share * len(groups) else train).append(row)
    return train, held_out


def majority_and_bag_baselines(texts, labels, new) -> tuple[str, np.ndarray]:
    """The likeliest label, and naive Bayes over a matrix of character counts, in torch: `(N, K)`, natural logarithms."""
    torch = torch_module()
    classes, characters = sorted(set(labels)), sorted({character for text in texts for character in text})

    def bags(some) -> np.ndarray:
        return np.array([[text.count(character) for character in characters] for text in some], dtype=np.float64)

    member = torch.stack([tensor(np.array([label == name for label in labels], dtype=np.float64)) for name in classes])  # (K, rows)
    counts = member @ tensor(bags(texts)) + 1  # (K, V)
    likelihoods = counts.log() - counts.sum(dim=1, keepdim=True).log()
    priors = member.mean(dim=1).log()
    majority = classes[max(range(len(classes)), key=lambda i: (labels.count(classes[i]), -i))]
    return majority, numpy_array(tensor(bags(new)) @ likelihoods.T + priors)


def macro_f1(labels, predictions) -> float:
    """From precision and recall of each class, which are 0 where there is no hit."""
    scores = []
    for name in {*labels, *predictions}:
        hits = sum(label == name and predicted == name for label, predicted in zip(labels, predictions, strict=True))
        if hits == 0:
            scores.append(0.0)
            continue
        precision, recall = hits / predictions.count(name), hits / labels.count(name)
        scores.append(2 / (1 / precision + 1 / recall))
    return sum(sorted(scores)) / len(scores)
