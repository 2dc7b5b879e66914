// The time bar: play, step, speed, slider, and a strip that shows where packets are.

function startTimebar() {
  const playButton = button("", () => (state.playing ? pause() : play()), { class: "play", id: "play" });
  const backButton = button(icon("back"), () => step(-1), {
    id: "back",
    "aria-label": "Step back",
    title: "Step back (←)",
  });
  const nextButton = button(icon("next"), () => step(1), {
    id: "next",
    "aria-label": "Step forward",
    title: "Step forward (→)",
  });
  const slider = el("input", {
    type: "range",
    id: "time",
    min: 0,
    step: "any",
    "aria-label": "Time",
    oninput: event => {
      pause();
      seek(Number(event.target.value));
    },
  });
  const now = el("output", { id: "now", for: "time" });
  const end = el("span", { class: "end" });
  const speed = el(
    "select",
    {
      id: "speed",
      "aria-label": "Speed",
      title: "Speed against virtual time (+ and −)",
      onchange: event => setSpeed(Number(event.target.value)),
    },
    SPEEDS.map(one => el("option", { value: one }, `${one}×`)),
  );
  const range = button(
    "",
    () => {
      setWhole(!state.whole);
      setSpeed(defaultSpeed());
      writeAddress();
    },
    { id: "range" },
  );
  const strip = svg("svg", { class: "strip", preserveAspectRatio: "none", "aria-hidden": "true" });

  byId("bar").append(
    el("div", { class: "buttons" }, backButton, playButton, nextButton),
    el("div", { class: "track" }, strip, slider),
    el("div", { class: "clock" }, now, end),
    el("div", { class: "pace" }, speed, range),
  );

  on("play", () => {
    playButton.replaceChildren(icon(state.playing ? "pause" : "play"), state.playing ? "Pause" : "Play");
    playButton.title = state.playing ? "Pause (space)" : "Play (space)";
    speed.value = state.speed;
  });
  on("tab", () => (speed.value = state.speed));
  on("range", () => {
    slider.max = rangeEnd();
    end.textContent = `of ${duration(rangeEnd())}`;
    show(range, setupEnd() !== null);
    range.textContent = state.whole ? "Set-up only" : "Whole run";
    range.title = state.whole ? `Show 0 to ${duration(setupEnd() ?? 0)}` : `Show 0 to ${duration(wholeEnd())}`;
    drawStrip(strip);
  });
  on("time", () => {
    slider.value = state.time;
    now.textContent = duration(state.playing ? Math.round(state.time * 10) / 10 : state.time);
    slider.setAttribute("aria-valuetext", `${now.textContent} ${end.textContent}`);
    slider.style.setProperty("--part", `${(100 * state.time) / rangeEnd()}%`);
    if (!state.playing) byId("live").textContent = spokenTime();
    const clock = `at ${now.textContent}`;
    document.querySelectorAll(".now").forEach(place => (place.textContent = clock));
  });
}

function setSpeed(speed) {
  state.speed = speed;
  changed("play");
}

function changeSpeed(direction) {
  const index = SPEEDS.indexOf(state.speed) + direction;
  if (SPEEDS[index]) setSpeed(SPEEDS[index]);
}

function spokenTime() {
  const row = rows[countUntil(rows, state.time, one => one.at) - 1];
  return `${duration(state.time)}${row ? ". " + spoken(row) : ""}`;
}

const BINS = 300;

/// Bars for what was sent, marks for what died, a flag where all was settled.
function drawStrip(strip) {
  const sent = new Array(BINS).fill(0),
    died = new Array(BINS).fill(0);
  const bin = time => Math.floor((time / rangeEnd()) * (BINS - 1));
  eachRow(([kind, packet]) => {
    if (kind !== "p" || startOf(packet) > rangeEnd()) return;
    sent[bin(startOf(packet))]++;
    if (isDead(packet)) died[bin(startOf(packet))]++;
  });
  const most = Math.max(...sent, 1);
  const bars = counts =>
    counts.map((n, i) => (n ? `M${i + 0.5} 12v${-rounded(2 + 10 * Math.sqrt(n / most), 1)}` : "")).join("");
  const settled = tab()?.settled_ms;
  strip.setAttribute("viewBox", `0 0 ${BINS} 12`);
  strip.replaceChildren(
    svg("path", { class: "sent", d: bars(sent) }),
    svg("path", { class: "died", d: bars(died) }),
    settled && settled <= rangeEnd()
      ? svg("path", { class: "settled", d: `M${(settled / rangeEnd()) * (BINS - 1) + 0.5} 0v12` })
      : "",
  );
}
