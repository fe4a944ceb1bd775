"""The reports of a short training, shared by all tests that read them."""

from own_files import labelled_report, text_report  # noqa: F401
