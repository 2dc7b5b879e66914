// Small helpers: elements, units, texts that fit. Texts only ever go in as text, never as HTML.

const SVG_NAMESPACE = "http://www.w3.org/2000/svg";
const byId = id => document.getElementById(id);
const el = (tag, attributes, ...children) => filled(document.createElement(tag), attributes, children);
const svg = (tag, attributes, ...children) =>
  filled(document.createElementNS(SVG_NAMESPACE, tag), attributes, children);

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined && value !== false)
      element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter(child => child !== null && child !== undefined && child !== false));
  return element;
}

function button(text, onclick, attributes) {
  return el("button", { type: "button", ...attributes, onclick }, text);
}

function show(element, visible) {
  element.hidden = !visible;
}

/// A name or address whose letters cannot reorder what stands around it.
const isolated = text => el("bdi", {}, text);

/// An address that may break before its port.
function address(text) {
  const colon = text.lastIndexOf(":");
  if (colon < 1) return el("bdi", { class: "address" }, text);
  return el("bdi", { class: "address" }, text.slice(0, colon), el("wbr"), text.slice(colon));
}

const rounded = (value, digits) => String(Number(value.toFixed(digits)));

function duration(ms) {
  return ms >= 10000 ? rounded(ms / 1000, 3) + " s" : rounded(ms, ms < 10 ? 3 : 1) + " ms";
}

const plural = (count, one, many = one + "s") => `${count} ${count === 1 ? one : many}`;

const SANS = "system-ui, sans-serif";
const pen = document.createElement("canvas").getContext("2d");
const widths = new Map();

function textWidth(text, size, weight = 400) {
  const key = `${weight} ${size}px ${SANS}`;
  let known = widths.get(key);
  if (!known) widths.set(key, (known = new Map()));
  let width = known.get(text);
  if (width === undefined) {
    pen.font = key;
    if (known.size > 5000) known.clear();
    known.set(text, (width = pen.measureText(text).width));
  }
  return width;
}

function fitted(text, room, size, weight) {
  if (textWidth(text, size, weight) <= room) return text;
  let low = 0,
    high = text.length;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (textWidth(text.slice(0, middle) + "…", size, weight) <= room) low = middle;
    else high = middle - 1;
  }
  return low > 0 ? text.slice(0, low).trimEnd() + "…" : "";
}

const ICONS = {
  play: "M4 2.5v11l9.5-5.5z",
  pause: "M3.5 2.5h3.2v11H3.5zM9.3 2.5h3.2v11H9.3z",
  back: "M3 2.5h2v11H3zM13.5 2.5v11L5.5 8z",
  next: "M11 2.5h2v11h-2zM2.5 2.5v11L10.5 8z",
  close: "M3.2 2 8 6.8 12.8 2 14 3.2 9.2 8 14 12.8 12.8 14 8 9.2 3.2 14 2 12.8 6.8 8 2 3.2z",
  direct: "M1 7h9V3.5L15.5 8 10 12.5V9H1z",
  stun: "M0 7.2h4.2a4 4 0 0 1 7.6 0H16v1.6h-4.2a4 4 0 0 1-7.6 0H0zM8 5.6a2.4 2.4 0 1 0 0 4.8 2.4 2.4 0 0 0 0-4.8z",
  relay:
    "M5 1.5h6v5H5zM1.2 14V9.5h1.6V11L5 8.2l1 1L3.9 12h1.6v1.6H1.2zM11 8.2l2.2 2.9V9.5h1.6V14h-4.3v-1.6h1.6L10 9.2z",
  failed: "M3.2 2 8 6.8 12.8 2 14 3.2 9.2 8 14 12.8 12.8 14 8 9.2 3.2 14 2 12.8 6.8 8 2 3.2z",
  endpoints: "M1 2h6v5H1zM9 9h6v5H9zM3.3 8.2h1.4V11H8v1.4H3.3zM8.2 3.6h4.5v4.2h-1.4V5H8.2z",
  yes: "M6.2 12.6 1.8 8.2l1.4-1.4 3 3 6.6-6.6 1.4 1.4z",
  peer: "M2 3h12v8H2zM3.5 4.5v5h9v-5zM0.5 12h15v1.5h-15z",
  nat: "M1 4.2h9V2l4 3-4 3V5.8H1zM15 11.8H6V14l-4-3 4-3v2.2h9z",
  firewall:
    "M1 2h6v3.2H1zM8.4 2H15v3.2H8.4zM1 6.4h3v3.2H1zM5.4 6.4h5.2v3.2H5.4zM12 6.4h3v3.2h-3zM1 10.8h6V14H1zM8.4 10.8H15V14H8.4z",
  server: "M1.5 2h13v5h-13zM1.5 9h13v5h-13zM3.5 4v1h2V4zM3.5 11v1h2v-1z",
  router:
    "M7.2 1h1.6v5.1l4.6-2.3.7 1.4L9.6 7.5 14 9.8l-.7 1.4-4.5-2.3V15H7.2V8.9l-4.5 2.3-.7-1.4 4.4-2.3L2 5.2l.7-1.4 4.5 2.3z",
};

function icon(name, attributes) {
  return svg(
    "svg",
    { viewBox: "0 0 16 16", class: "icon", "aria-hidden": "true", ...attributes },
    svg("path", { d: ICONS[name] || ICONS.router, "fill-rule": "evenodd" }),
  );
}
