#!/usr/bin/env python
"""Run the milestones on the model answers and renew what the page book/milestones shows of them: python tools/milestones.py [NAME …]

For each it writes the picture, book/img/milestone-NAME.svg, and the block between `% run NAME` and `% end NAME` in the page: what came out,
where that differs from the paper, and the picture with its alternative text.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path

from unrolled.checks import TASKS
from unrolled.yours.milestones import MILESTONES, run

COURSE = Path(__file__).resolve().parents[1]
PAGE = COURSE / "book" / "milestones.md"

BLOCK = """% run {name}
**What came out here.** {said}

```{{figure}} img/milestone-{name}.svg
:name: fig-milestone-{name}
:alt: {alt}
:width: 100%

“{title}”, run on the model answers.
```

**Where that differs.** {differs}
% end {name}"""


def model_answers() -> dict[str, Callable]:
    """The functions that the notebooks in `solutions/` define, by name."""
    found: dict[str, Callable] = {}
    for path in sorted(COURSE.glob("solutions/*/*.ipynb")):
        space: dict = {"__name__": "model_answers"}
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            meta = cell["metadata"]
            if cell["cell_type"] == "code" and ("setup" in meta.get("tags", []) or meta.get("nbgrader", {}).get("solution")):
                exec("".join(cell["source"]), space)
        found |= {name: value for name, value in space.items() if name in TASKS}
    return found


def main(names: list[str]) -> None:
    answers = model_answers()
    for name in names or MILESTONES:
        done = run(MILESTONES[name], answers, seconds=3600, tell=lambda line: print(f"\r{line:<100}", end="", file=sys.stderr))
        done.picture(PAGE.parent / "img" / f"milestone-{name}.svg")
        result = done.result
        block = BLOCK.format(name=name, said=" ".join(result.said), alt=result.alt, title=done.milestone.title, differs=result.differs)
        page = PAGE.read_text(encoding="utf-8")
        again, count = re.subn(rf"% run {name}\n.*?% end {name}", lambda _: block, page, flags=re.DOTALL)
        if count != 1:
            raise SystemExit(f"{PAGE} should have one block `% run {name}` … `% end {name}`, found {count}.")
        PAGE.write_text(again, encoding="utf-8")
        print(f"{name}: {done.seconds:.0f} s")


if __name__ == "__main__":
    main(sys.argv[1:])
