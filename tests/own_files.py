"""A small text and a small table of a learner's own, and a short training on each, shared by all tests that read the reports."""

from __future__ import annotations

import io
import random
from pathlib import Path

import pytest
from rich.console import Console

HOSTILE = "<script>document.title='caught'</script> & <img src=x onerror=alert(1)>"


def story(characters: int = 9_000) -> str:
    """Prose with quotation marks, brackets and indented lines."""
    rng = random.Random(0)
    names, verbs, things = ["Ada", "Grace", "Alan", "Emmy"], ["saw", "found", "kept", "lost"], ["the key", "a map (of the river)", "the old book", "a lamp"]
    lines = []
    while sum(map(len, lines)) < characters:
        who, did, what = rng.choice(names), rng.choice(verbs), rng.choice(things)
        lines.append(rng.choice([f"{who} {did} {what}.", f'"I {did} {what}," said {who}.', f"    {who} had {did} {what}, and slept."]))
        if rng.random() < 0.1:
            lines.append("")
    return "\n".join(lines)


def opinions(rows: int = 160) -> str:
    """A table of short opinions with a header; every tenth label is wrong."""
    rng = random.Random(1)
    lines = ["text,label"]
    for i in range(rows):
        good = rng.random() < 0.5
        words = rng.sample(["film", "story", "music", "actor", "scene", "ending", "camera", "joke"], 3)
        tone = rng.choice(["lovely", "brilliant", "moving"] if good else ["dull", "awful", "flat"])
        label = good if i % 10 else not good
        lines.append(f'"the {words[0]} and the {words[1]} were {tone}, {words[2]} number {i}",{"good" if label else "bad"}')
    return "\n".join(lines)


def run_train(path: Path, folder: Path, **said) -> tuple[Path, str]:
    """Train in this process: the report's path, and what was printed."""
    from unrolled.owndata import command

    printed = io.StringIO()
    options = command.Options(to=folder, **{"units": 12, "passes": 2.0, **said})
    return command.train(path, options, folder.parent, Console(file=printed, width=200)), printed.getvalue()


@pytest.fixture(scope="session")
def text_report(tmp_path_factory) -> Path:
    """The report on a text whose last stretch tries to be HTML."""
    folder = tmp_path_factory.mktemp("own-text")
    (folder / "story <b>.txt").write_text(story() + 5 * f"\n{HOSTILE}" + "\n" + story(400), encoding="utf-8")
    return run_train(folder / "story <b>.txt", folder / "run")[0]


@pytest.fixture(scope="session")
def labelled_report(tmp_path_factory) -> Path:
    """The report on a table in which all texts try to be HTML."""
    folder = tmp_path_factory.mktemp("own-table")
    (folder / "opinions.csv").write_text(opinions().replace("number", f"{HOSTILE.replace(',', '')} number"), encoding="utf-8")
    return run_train(folder / "opinions.csv", folder / "run", passes=6.0)[0]
