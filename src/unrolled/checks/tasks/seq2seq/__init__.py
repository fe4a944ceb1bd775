"""The five tasks of assignment 07-seq2seq: attention, two ways of decoding, BLEU, and a linear recurrence."""

from . import attention, beam_search, bleu, greedy_decode, minimal_scan

TASKS = (attention.TASK, greedy_decode.TASK, beam_search.TASK, bleu.TASK, minimal_scan.TASK)
