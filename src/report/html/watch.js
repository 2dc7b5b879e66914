// A page that `punchlab watch` keeps fresh looks for a new version of itself, and loads it. All others do nothing here.

const LOOK_EVERY = 700; // milliseconds

function startWatch() {
  if (!data.watch) return;
  const { script, stamp } = data.watch;
  window.punchlabStamp = now => now !== stamp && location.reload();
  let last = null;
  setInterval(() => {
    if (document.hidden) return;
    last?.remove();
    last = el("script", { src: `${script}?${Date.now()}` });
    document.head.append(last);
  }, LOOK_EVERY);
}
