// Writes the bytecode of the modules that a notebook imports: node bytecode.js PYODIDE TARGET PACKAGE...
// PYODIDE is the folder that a page loads Python from, PACKAGE what its kernel loads. A module /lib/x.py of the page becomes TARGET/lib/x.pyc.
"use strict";

const fs = require("fs");
const path = require("path");

// What a first minute in a notebook does: a result, a figure, an error with its traceback, a completion, and the course.
const FIRST_MINUTE = `
import importlib, os, pkgutil, sys
import piplite.piplite, piplite.cli, pyodide_kernel
import unrolled.checks

for module in pkgutil.walk_packages(unrolled.__path__, "unrolled."):
    try:
        importlib.import_module(module.name)
    except Exception:  # needs what a page lacks
        pass

shell, kernel = pyodide_kernel.ipython_shell, pyodide_kernel.kernel_instance
for code in (
    "import numpy as np; import matplotlib.pyplot as plt; np.arange(3)",
    "import io; figure, axes = plt.subplots(); axes.plot([1, 2], label='a'); axes.legend(); axes.text(0, 1, r'$x^2$'); figure.savefig(io.BytesIO()); plt.close()",
    "def f(x): return 1 / x\\nf(0)",
):
    shell.run_cell(shell.transform_cell(code))
kernel.complete("import os; os.pa", 16)
kernel.inspect("len", 2, 0)
kernel.is_complete("for i in range(3):")
`;

const COMPILE = `
from importlib._bootstrap_external import _code_to_hash_pyc
from importlib.util import source_hash

for module in list(sys.modules.values()):
    spec = getattr(module, "__spec__", None)
    origin = getattr(spec, "origin", None) or ""
    if not (origin.startswith("/lib/") and origin.endswith(".py")):
        continue
    source = spec.loader.get_data(origin)
    code = compile(source, origin, "exec", dont_inherit=True)
    target = "/made" + origin + "c"
    os.makedirs(os.path.dirname(target), exist_ok=True)
    with open(target, "wb") as file:
        file.write(_code_to_hash_pyc(code, source_hash(source), False))
`;

(async () => {
  const [from, target, ...packages] = process.argv.slice(2);
  const folder = path.resolve(from);
  const { loadPyodide } = require(path.join(folder, "pyodide.js"));
  const python = await loadPyodide({ indexURL: folder });
  const failures = [];
  await python.loadPackage(packages, { messageCallback: () => {}, errorCallback: (text) => failures.push(text) });
  if (failures.length) throw new Error(failures[0]);
  python.runPython(FIRST_MINUTE);
  python.FS.mkdirTree("/made");
  python.FS.mount(python.FS.filesystems.NODEFS, { root: path.resolve(target) }, "/made");
  python.runPython(COMPILE);
})().catch((error) => {
  console.error(String(error.message ?? error));
  process.exit(1);
});
