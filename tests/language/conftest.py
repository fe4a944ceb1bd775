"""A pseudo-language, in which every text that can be translated stands in brackets: what stands outside of them was forgotten."""

import importlib.util
import sys
from pathlib import Path

import pytest

from unrolled import language

ROOT = Path(__file__).resolve().parents[2]
TOOL = ROOT / "tools" / "messages.py"


@pytest.fixture(scope="session")
def messages():
    """The tool tools/messages.py, as a module."""
    spec = importlib.util.spec_from_file_location("messages", TOOL)
    module = sys.modules["messages"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def pseudo_locales(messages, tmp_path_factory):
    """A folder of catalogues of the language `eo`, in which each text is itself in brackets."""
    folder = tmp_path_factory.mktemp("locales")
    for domain, template in messages.extracted().items():
        catalogue = messages.Catalog(locale="eo", charset="utf-8")
        for message in template:
            if message.id:
                bracketed = [f"⟦{text}⟧" for text in ([message.id] if isinstance(message.id, str) else message.id)]
                catalogue.add(message.id, bracketed[0] if isinstance(message.id, str) else tuple(bracketed))
        path = folder / "eo" / "LC_MESSAGES" / f"{domain}.mo"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(messages.as_mo(catalogue))
    return folder


@pytest.fixture
def pseudo(pseudo_locales, monkeypatch):
    """The pseudo-language is spoken."""
    monkeypatch.setattr(language, "FOLDER", pseudo_locales)
    with language.using("eo"):
        yield
