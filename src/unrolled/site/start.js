// Stands before Pyodide's own script where a notebook's kernel starts: modules that the kernel needs are imported before the kernel lays the
// browser's files under the working folder. From then on, each import that looks there first asks the page, and waits for it.
"use strict";

self.loadPyodide = async (options) => {
  importScripts(`${options.indexURL}pyodide.js`); // puts its own function in the place of this one
  const python = await self.loadPyodide(options);
  python.runPython(`
import sys
sys.path.remove("")
sys.path.append("")  # the working folder last: a learner's modules are found, and others without a look at it
import piplite.piplite, pyodide_kernel
`);
  return python;
};
