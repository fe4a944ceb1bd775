"""Notebooks as text: `text NB` writes a notebook as Markdown to edit, `run NB` turns it back and stores its outputs.

    python tools/notebooks.py text book/recurrence/rnn.ipynb    # writes rnn.nb.md beside it (a skeleton if there is no rnn.ipynb)
    python tools/notebooks.py run book/recurrence/rnn.ipynb     # rnn.nb.md -> rnn.ipynb, run from the top
    python tools/notebooks.py words book/recurrence/rnn.ipynb   # the same where only words changed: outputs stay, nothing is run

A notebook is committed as .ipynb with its outputs; the .nb.md is MyST Markdown, ignored by git. `run` stores only what
may be published: no warning on stderr, no absolute path, nothing over 100 kB. When a cell fails nothing is written.
Model answers, under solutions/, are run to prove that they work and stored without outputs.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import sys
import time
from pathlib import Path

import jupytext
import nbformat
import yaml
from nbclient import NotebookClient
from nbclient.exceptions import CellControlSignal, DeadKernelError
from nbconvert.preprocessors.coalescestreams import CoalesceStreamsPreprocessor
from nbformat import NotebookNode

LIMIT = 100_000  # bytes of output a cell may store
CELL_TIMEOUT = 600  # seconds
ABSOLUTE = re.compile(r"(?<![\w.:/])(?:/(?:work|home|root|tmp|Users|usr|opt|mnt|var)/|[A-Z]:\\Users\\)[^\s'\"<>]*")
ANSI = re.compile(r"\x1b\[[0-9;]*m")
WIDGET = "application/vnd.jupyter.widget-view+json"
FORMAT = {"extension": ".md", "format_name": "myst"}
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
LANGUAGE = {"name": "python", "pygments_lexer": "ipython3"}
VOLATILE = {"execution", "collapsed", "scrolled", "ExecuteTime", "jp-MarkdownHeadingCollapsed"}
CODE_CELL = re.compile(r"^(`{3,}\{code-cell\})[ \t]*(?:python3?|ipython3?)?[ \t]*$", re.MULTILINE)
SKELETON = """\
---
kernelspec:
  display_name: Python 3 (ipykernel)
  language: python
  name: python3
---

# Title

```{code-cell} ipython3
import numpy as np
```
"""


class Refused(Exception):
    """The notebook is not written; the message says why."""


def text_path(notebook: Path) -> Path:
    """Where a notebook's text form lies: rnn.ipynb -> rnn.nb.md."""
    return notebook.with_suffix(".nb.md")


def as_text(nb: NotebookNode) -> str:
    """A notebook as MyST Markdown, with all metadata of cells but without outputs and ids."""
    nb = clean(nb)
    nb.metadata["jupytext"] = {
        "notebook_metadata_filter": "all,-language_info,-jupytext",
        "cell_metadata_filter": "all",
    }
    return jupytext.writes(nb, fmt=FORMAT)


def from_text(text: str, before: NotebookNode | None = None) -> NotebookNode:
    """The notebook that a text stands for, without outputs; a cell that stands in `before` keeps its id."""
    try:
        nb = clean(jupytext.reads(CODE_CELL.sub(r"\1 ipython3", _without_kernel(text)), fmt=FORMAT))
    except Exception as error:
        raise Refused(f"the text can't be read as MyST Markdown: {error}") from error
    known: dict[tuple[str, str], list[str]] = {}
    for cell in before.cells if before else []:
        known.setdefault((cell.cell_type, cell.source), []).append(cell.id)
    kept = [ids.pop(0) if (ids := known.get((c.cell_type, c.source))) else None for c in nb.cells]
    taken = {i for i in kept if i}
    for cell, old in zip(nb.cells, kept, strict=True):
        cell.id = old or _new_id(cell, taken)
        taken.add(cell.id)
    return nb


def _without_kernel(text: str) -> str:
    """The text with its header's kernel left out: all notebooks have the same one, and half a kernel is an error."""
    if not (header := re.match(r"---\n(.*?)^---\n", text, re.DOTALL | re.MULTILINE)):
        return text
    kept = {k: v for k, v in (yaml.safe_load(header[1]) or {}).items() if k not in {"kernelspec", "jupytext"}}
    return f"---\n{yaml.safe_dump(kept)}---\n{text[header.end():]}" if kept else text[header.end() :]


def _new_id(cell: NotebookNode, taken: set[str]) -> str:
    """An id that depends on nothing but the cell's text and how often that text came before."""
    for repeat in range(len(taken) + 1):
        digest = hashlib.sha256(f"{cell.cell_type}\n{repeat}\n{cell.source}".encode()).hexdigest()[:8]
        if digest not in taken:
            return digest
    raise AssertionError("more ids are taken than there are")


def clean(nb: NotebookNode) -> NotebookNode:
    """A copy without what changes from run to run or from machine to machine, and without outputs."""
    nb = nbformat.from_dict(json.loads(json.dumps(nb)))
    kept = {k: v for k, v in nb.metadata.items() if k not in {"jupytext", "widgets", "kernelspec", "language_info"}}
    nb.metadata = nbformat.from_dict({**kept, "kernelspec": KERNEL, "language_info": LANGUAGE})
    nb.nbformat, nb.nbformat_minor = 4, 5
    for cell in nb.cells:
        for key in VOLATILE & set(cell.metadata):
            del cell.metadata[key]
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return nb


def _read(path: Path) -> NotebookNode:
    try:
        return nbformat.read(path, as_version=4)
    except Exception as error:
        raise Refused(f"{path} is no notebook: {error}") from error


def write_whole(path: Path, text: str) -> None:
    """Write beside and move into place."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.write_text(text, encoding="utf-8")
    os.replace(beside, path)


def _same_source(a: NotebookNode, b: NotebookNode) -> bool:
    def source(nb):
        return [(c.cell_type, c.source, c.metadata) for c in nb.cells], nb.metadata

    return source(clean(a)) == source(clean(b))


def write_text(notebook: Path) -> Path:
    """Write a notebook's text form beside it. Refuses to overwrite a text whose changes are not in the notebook yet."""
    path = text_path(notebook)
    if notebook.exists():
        nb = _read(notebook)
        if path.exists() and path.stat().st_mtime > notebook.stat().st_mtime:
            if not _same_source(from_text(path.read_text(encoding="utf-8")), nb):
                raise Refused(f"{path} holds changes that are not in {notebook.name} yet: run it, or delete the text")
        write_whole(path, as_text(nb))
    elif path.exists():
        raise Refused(f"{path} is there already, and no {notebook.name}: edit it, then run it")
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, SKELETON)
    return path


def source_of(notebook: Path) -> NotebookNode:
    """What to run: the text form if it is there and newer than the notebook, else the notebook itself."""
    path = text_path(notebook)
    before = _read(notebook) if notebook.exists() else None
    if path.exists():
        nb = from_text(path.read_text(encoding="utf-8"), before)
        if before is None or path.stat().st_mtime > notebook.stat().st_mtime or _same_source(nb, before):
            return nb
        print(f"{notebook}: newer than {path.name}, whose text differs; the notebook is run, the text left aside", file=sys.stderr)
    if before is None:
        raise Refused(f"{notebook} is not there, and no {path.name} either")
    return clean(before)


def _label(nb: NotebookNode, index: int) -> str:
    lines = [line for line in nb.cells[index].source.splitlines() if line.strip()]
    return f"cell {index} (“{lines[0].strip()[:60] if lines else ''}”)"


def _reason(cell: NotebookNode, error: Exception) -> str:
    """A cell's error as the notebook would show it, without colours."""
    shown = [line for output in cell.outputs for line in output.get("traceback", [])]
    return ANSI.sub("", "\n".join(shown) or str(error)).strip()


def own_kernel() -> None:
    """Let the kernel named python3 be this Python's, whatever else is installed; bars of progress stay out of stored outputs. One thread, as in
    the tests: the order in which two of them add up moves the last digits of a long training."""
    own = str(Path(sys.prefix) / "share" / "jupyter")
    os.environ["JUPYTER_PATH"] = os.pathsep.join(filter(None, [own, os.environ.get("JUPYTER_PATH")]))
    os.environ["UNROLLED_PROGRESS"] = "off"
    os.environ.setdefault("OMP_NUM_THREADS", "1")


def execute(nb: NotebookNode, folder: Path) -> NotebookNode:
    """Run a notebook from the top in a fresh kernel of this very Python. Raises Refused with the cell that failed."""
    started = [0]

    def remember(cell, cell_index):
        started[0] = cell_index

    client = NotebookClient(
        nb, timeout=CELL_TIMEOUT, kernel_name="python3", record_timing=False, on_cell_start=remember,
        extra_arguments=["--IPKernelApp.log_level=ERROR"],
        resources={"metadata": {"path": str(folder)}},
    )
    try:
        client.execute()
    except (CellControlSignal, DeadKernelError) as error:
        raise Refused(f"{_label(nb, started[0])} failed:\n{_reason(nb.cells[started[0]], error)}") from error
    CoalesceStreamsPreprocessor().preprocess(nb, {})  # a print between two displays stays between them
    counts = iter(range(1, len(nb.cells) + 1))
    for cell in nb.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code" and cell.execution_count is not None:
            cell.execution_count = next(counts)
            for output in cell.outputs:
                if "execution_count" in output:
                    output.execution_count = cell.execution_count
    nb.metadata["language_info"] = nbformat.from_dict(LANGUAGE)
    nb.metadata.pop("widgets", None)
    return nb


def problems(nb: NotebookNode) -> list[str]:
    """What of the stored outputs may not be published, one sentence a cell."""
    found = []
    for index, cell in enumerate(nb.cells):
        outputs = cell.get("outputs", [])
        texts = [text for output in outputs for text in _texts(output)]
        for output in outputs:
            if output.get("name") == "stderr":
                found.append(f"{_label(nb, index)} writes to stderr: {output.text.strip()[:300]}")
        paths = [match.group() for text in texts for match in ABSOLUTE.finditer(text)]
        if paths:
            found.append(f"{_label(nb, index)} shows an absolute path: {paths[0]}")
        if any(WIDGET in output.get("data", {}) for output in outputs):
            found.append(f"{_label(nb, index)} shows a widget, whose state is not stored")
        size = len(json.dumps(outputs).encode())
        if size > LIMIT:
            found.append(f"{_label(nb, index)} stores {size // 1000} kB of output; {LIMIT // 1000} kB is the most")
    return found


def _texts(output: NotebookNode) -> list[str]:
    texts = [output.get("text", ""), *output.get("traceback", [])]
    texts += [v for k, v in output.get("data", {}).items() if k.startswith("text/") or k == "image/svg+xml"]
    return [ANSI.sub("", "".join(text)) for text in texts]


def course_folder(notebook: Path) -> str | None:
    """"solutions" or "assignments" for a notebook below that folder of a course, else None."""
    for parent in notebook.resolve().parents:
        if (parent / "nbgrader_config.py").exists():
            part = notebook.resolve().relative_to(parent).parts[0]
            return part if part in {"solutions", "assignments"} else None
    return None


def run(notebook: Path) -> None:
    """Convert, execute, examine and store one notebook. Raises Refused, and then the notebook is as it was."""
    where = course_folder(notebook)
    if where == "assignments":
        raise Refused(f"{notebook} is generated: edit its source in solutions/ and run `make assignments`")
    nb = source_of(notebook)
    nb = execute(nb, notebook.resolve().parent)
    if where == "solutions":
        nb = clean(nb)
    found = problems(nb)
    if found:
        raise Refused("\n".join(found))
    nbformat.validate(nb)
    write_whole(notebook, nbformat.writes(nb) + "\n")


def store_words(notebook: Path) -> None:
    """Store changed Markdown and metadata beside the outputs that are there. Raises Refused if a line of code changed."""
    before, after = _read(notebook), source_of(notebook)
    code = [[cell for cell in nb.cells if cell.cell_type == "code"] for nb in (before, after)]
    if [cell.source for cell in code[0]] != [cell.source for cell in code[1]]:
        raise Refused("its code changed, too: run it")
    for old, new in zip(*code, strict=True):
        new.outputs, new.execution_count = old.outputs, old.execution_count
    nbformat.validate(after)
    write_whole(notebook, nbformat.writes(after) + "\n")


def _notebook(name: str) -> Path:
    """The .ipynb that a command line means: rnn.ipynb, rnn.nb.md or rnn."""
    path = Path(name)
    if path.name.endswith(".nb.md"):
        return path.with_name(path.name.removesuffix(".nb.md") + ".ipynb")
    return path if path.suffix == ".ipynb" else path.with_name(path.name + ".ipynb")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["text", "run", "words"])
    parser.add_argument("notebook", nargs="+")
    options = parser.parse_args(arguments)
    own_kernel()
    failed = False
    for notebook in map(_notebook, options.notebook):
        start = time.perf_counter()
        try:
            if options.command == "text":
                print(write_text(notebook))
            elif options.command == "words":
                store_words(notebook)
                print(f"{notebook}: words stored, nothing run")
            else:
                run(notebook)
                print(f"{notebook}: {time.perf_counter() - start:.1f} s")
        except Refused as error:
            print(f"{notebook}: not written\n{error}", file=sys.stderr)
            failed = True
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
