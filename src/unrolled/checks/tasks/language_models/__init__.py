"""The six tasks of assignment 01-language-models: from text to tokens, ids, counts, probabilities and batches."""

from . import bigram_probs, build_vocab, ngram_counts, perplexity, sequential_batches, tokenize

TASKS = (tokenize.TASK, build_vocab.TASK, ngram_counts.TASK, bigram_probs.TASK, perplexity.TASK, sequential_batches.TASK)
