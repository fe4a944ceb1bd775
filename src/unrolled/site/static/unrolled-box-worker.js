// Python for the boxes of one page, in a worker of its own, so that it can be ended. It loads what the code imports, and nothing else.
"use strict";

const RUN = `
import linecache, sys, traceback
from pyodide.code import eval_code

def _unrolled_run(code, names, count):
    """Run the code of a box; print its last value, or what went wrong in it. Returns whether it went well."""
    file = f"<box {count}>"
    linecache.cache[file] = (len(code), None, code.splitlines(True), file)
    try:
        value = eval_code(code, names, filename=file)
        if value is not None:
            print(repr(value))
    except BaseException as error:
        sys.stdout.flush()
        if hasattr(error, "_render_traceback_"):
            lines = [line + "\\n" for line in error._render_traceback_()]
        else:
            shown = traceback.TracebackException.from_exception(error)
            place = next((i for i, frame in enumerate(shown.stack) if frame.filename == file), len(shown.stack))
            shown.stack[:] = shown.stack[place:]
            lines = shown.format()
        print("".join(lines), file=sys.stderr)
        return False
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return True
`;

let python = null;

async function start(folder, language) {
  importScripts(`${folder}pyodide.js`);
  const loaded = await loadPyodide({ indexURL: folder, lockFileURL: `${folder}pyodide-lock.json`, env: { HOME: "/home/pyodide", UNROLLED_LANGUAGE: language } });
  const say = (stream) => ({ batched: (text) => postMessage({ kind: "out", stream, text: `${text}\n` }) });
  loaded.setStdout(say("out"));
  loaded.setStderr(say("error"));
  loaded.runPython(RUN);
  const names = loaded.toPy({ __name__: "__main__" });
  return { loaded, names, run: loaded.globals.get("_unrolled_run"), count: 0 };
}

// One after the other: a second box waits until the first has finished.
let waiting = Promise.resolve();

self.onmessage = ({ data }) => {
  waiting = waiting.then(async () => {
    try {
      python ??= await start(data.folder, data.language);
      const failures = [];
      await python.loaded.loadPackagesFromImports(data.code, { messageCallback: () => {}, errorCallback: (text) => failures.push(text) });
      if (failures.length) throw new Error(failures[0]);
    } catch (error) {
      postMessage({ kind: "broken", text: String(error.message || error) });
      return;
    }
    postMessage({ kind: "running" });
    python.count += 1;
    postMessage({ kind: "done", well: python.run(data.code, python.names, python.count) });
  });
};
