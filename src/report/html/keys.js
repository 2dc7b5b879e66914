// The keyboard, and the card that explains it.

const KEYS = [
  ["Space", "play or pause"],
  ["← →", "to the previous or next event"],
  ["Shift+← Shift+→", "ten events"],
  ["Home End", "to the start or end"],
  ["+ −", "faster or slower"],
  ["↑ ↓", "row by row, in the list of packets"],
  ["Enter", "open the row, or a band of repeats"],
  ["Esc", "close the details"],
  ["?", "this card"],
];

function startKeys() {
  const dialog = byId("keys");
  dialog.append(
    el("h2", { id: "keys-title" }, "Keys"),
    el(
      "dl",
      {},
      KEYS.map(([keys, text]) =>
        el(
          "div",
          {},
          el(
            "dt",
            {},
            keys.split(" ").map(key => el("kbd", {}, key)),
          ),
          el("dd", {}, text),
        ),
      ),
    ),
    button("Close", () => dialog.close(), { autofocus: true }),
  );
  byId("show-keys").addEventListener("click", () => dialog.showModal());
  dialog.addEventListener("click", event => event.target === dialog && dialog.close());
  document.addEventListener("keydown", event => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || dialog.open) return;
    if (event.target.closest("input:not([type=range]), select, textarea")) return;
    if (event.key === " " && event.target.closest("button, summary, a")) return;
    const action = actionOf(event);
    if (!action) return;
    event.preventDefault();
    action();
  });
}

function actionOf(event) {
  const far = event.shiftKey ? 10 : 1;
  switch (event.key) {
    case " ":
      return () => (state.playing ? pause() : play());
    case "ArrowLeft":
      return () => step(-far);
    case "ArrowRight":
      return () => step(far);
    case "Home":
      return () => {
        pause();
        seek(0);
      };
    case "End":
      return () => {
        pause();
        seek(rangeEnd());
      };
    case "+":
    case "=":
      return () => changeSpeed(1);
    case "-":
    case "−":
      return () => changeSpeed(-1);
    case "?":
      return () => byId("keys").showModal();
    case "Escape":
      return state.open ? closeDetails : state.filter.node >= 0 ? () => setFilter({ node: -1 }) : null;
    default:
      return null;
  }
}
