#!/usr/bin/env python
"""Run the milestones on the model answers and renew what the page book/milestones shows of them: python tools/milestones.py [NAME …]

For each it writes the picture, book/img/milestone-NAME.svg, and the block between `% run NAME` and `% end NAME` in the page: what came out,
where that differs from the paper, and the picture with its alternative text.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from unrolled.yours.milestones import MILESTONES, run

PAGE = Path(__file__).resolve().parents[1] / "book" / "milestones.md"

BLOCK = """% run {name}
**What came out here.** {said}

```{{figure}} img/milestone-{name}.svg
:name: fig-milestone-{name}
:alt: {alt}
:width: 100%

{title} The course's own run, on the model answers.
```

**Where that differs.** {differs}
% end {name}"""


def main(names: list[str]) -> None:
    for name in names or MILESTONES:
        done = run(MILESTONES[name], {}, seconds=3600, tell=lambda line: print(f"\r{line:<100}", end="", file=sys.stderr))
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
