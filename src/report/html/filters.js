// What the ladder and the network show: by node, by family, by words.

function startFilters() {
  const groups = [
    ["Peers", ["peer"]],
    ["NATs and firewalls", ["nat", "firewall"]],
    ["Servers", ["server"]],
    ["Routers", ["router", "internet"]],
  ];
  const options = groups.map(([label, kinds]) => {
    const nodes = data.nodes.map((node, index) => [node, index]).filter(([node]) => kinds.includes(node.kind));
    return nodes.length
      ? el(
          "optgroup",
          { label },
          nodes.map(([node, index]) => el("option", { value: index }, node.name)),
        )
      : "";
  });
  const nodes = el(
    "select",
    {
      id: "filter-node",
      "aria-label": "Only packets that pass",
      onchange: event => setFilter({ node: Number(event.target.value) }),
    },
    el("option", { value: -1 }, "every node"),
    ...options,
  );
  const words = el("input", {
    type: "search",
    id: "filter-text",
    placeholder: "address, label, reason",
    "aria-label": "Only rows with these words",
    oninput: event => setFilter({ text: event.target.value.trim() }),
  });
  const dead = button("✕ Died", () => setFilter({ dead: !state.filter.dead }), {
    class: "chip dead",
    id: "filter-dead",
  });
  const families = el("div", { class: "chips", role: "group", "aria-label": "Only these kinds" });
  const count = el("span", { class: "count", role: "status" });
  const reset = button(
    "Show all",
    () => {
      words.value = "";
      resetFilter();
    },
    { id: "reset" },
  );
  const bar = el(
    "div",
    { class: "filters", role: "group", "aria-label": "Filters" },
    families,
    el("div", { class: "narrow" }, dead, nodes, words, el("span", { class: "result" }, count, reset)),
  );
  byId("ladder-title").after(bar);

  on("tab", () => {
    const counts = familyCounts();
    families.replaceChildren(
      ...Object.keys(FAMILIES)
        .filter(family => counts[family])
        .map(family => familyChip(family, counts[family])),
    );
    markChips();
  });
  on("filter", () => {
    nodes.value = state.filter.node;
    if (words.value.trim() !== state.filter.text) words.value = state.filter.text;
    bar.classList.toggle("on", isFiltered());
    show(reset, isFiltered());
    const shown = rows.reduce((sum, row) => sum + (row.kind === "b" ? (row.open ? 0 : row.size) : 1), 0);
    const all = Object.values(familyCounts()).reduce((sum, n) => sum + n, 0);
    count.textContent = isFiltered() ? `${shown} of ${all} shown` : plural(all, "row");
    markChips();
  });

  function markChips() {
    families.querySelectorAll("button").forEach(chip => {
      chip.setAttribute("aria-pressed", String(state.filter.families.has(chip.dataset.family)));
    });
    dead.setAttribute("aria-pressed", String(state.filter.dead));
  }
}

function familyChip(family, count) {
  return button(
    [sign(family), FAMILIES[family], el("small", {}, count)],
    () => {
      const families = new Set(state.filter.families);
      if (!families.delete(family)) families.add(family);
      setFilter({ families });
    },
    { class: "chip", "data-family": family },
  );
}
