// An address whose anchor stands on another page today leads there (unrolled.site.moved).
(() => {
  const root = document.documentElement.dataset.content_root || "./";
  let table;
  const load = () => (table ??= new Promise((resolve) => {
    const script = document.createElement("script");
    script.src = `${root}_static/unrolled-anchors.js`;
    script.onload = () => resolve(window.unrolledAnchors);
    script.onerror = () => resolve({});
    document.head.append(script);
  }));
  const follow = async () => {
    let anchor;
    try {
      anchor = decodeURIComponent(location.hash.slice(1));
    } catch {
      return; // no anchor of ours is written like that
    }
    if (!anchor || document.getElementById(anchor)) return;
    const places = await load();
    if (Object.hasOwn(places, anchor)) location.replace(`${root}${places[anchor]}#${anchor}`);
  };
  addEventListener("hashchange", follow);
  follow();
})();
