// Stands before Pyodide's own script in the worker of a notebook's kernel: modules that the kernel needs are imported before the kernel lays the
// browser's files under the working folder. From then on, each import that looks there first asks the page, and waits for it.
// As the script of a worker itself (early.js, #early), it starts Python at once, and becomes a kernel's worker when the page names the kernel's script.
"use strict";

(() => {
  const KERNEL = "@jupyterlite/pyodide-kernel-extension:kernel";
  const FIRST = `
import sys
sys.path.remove("")
sys.path.append("")  # the working folder last: a learner's modules are found, and others without a look at it
import piplite.piplite, pyodide_kernel
`;

  async function start(options) {
    importScripts(`${options.indexURL}pyodide.js`); // puts its own function in the place of the one below
    const python = await self.loadPyodide(options);
    python.runPython(FIRST);
    return python;
  }

  async function early() {
    const here = new URL("./", location);
    const root = new URL("../../", here);
    const { litePluginSettings } = (await (await fetch(new URL("jupyter-lite.json", root))).json())["jupyter-config-data"];
    const { lockFileURL, ...options } = litePluginSettings[KERNEL].loadPyodideOptions;
    const python = await start({ ...options, indexURL: here.href, lockFileURL: new URL(lockFileURL, root).href });
    python.runPython("import numpy"); // which a notebook imports first
    return python;
  }

  if (location.hash === "#early" && !self.startedPython) {
    self.startedPython = early();
    self.onmessage = ({ data }) => {
      self.onmessage = null;
      importScripts(data.kernel); // which runs this file again, and asks for Python by the function below
    };
  }
  self.loadPyodide = (options) => self.startedPython?.catch(() => start(options)) ?? start(options);
})();
