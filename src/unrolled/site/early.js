// Starts a notebook's Python while JupyterLab loads, not after it. Where a browser has been here before: on a first visit, the files of JupyterLab
// come first, and a worker would not be under the service worker that gives it the browser's files.
"use strict";

(() => {
  if (!navigator.serviceWorker?.controller) return;
  const Plain = window.Worker;
  const python = new Plain(new URL("start.js#early", document.currentScript.src));
  python.onerror = () => (window.Worker = Plain);
  window.Worker = new Proxy(Plain, {
    construct(target, [script, ...options]) {
      if (!/pyodide-kernel-extension/.test(script)) return new Plain(script, ...options);
      window.Worker = Plain; // a kernel that starts anew has a worker of its own
      python.onerror = null;
      python.postMessage({ kernel: String(script) });
      return python;
    },
  });
})();
