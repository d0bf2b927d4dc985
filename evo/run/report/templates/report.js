(() => {
  "use strict";
  const all = (query, root = document) => [...root.querySelectorAll(query)];

  // Tables: a click on a head sorts by it, another one turns the order around.
  const value = (row, at) => {
    const cell = row.cells[at];
    const text = cell.dataset.value ?? cell.textContent.trim();
    const number = Number(text);
    return text !== "" && Number.isFinite(number) ? number : text;
  };
  const compare = (a, b) =>
    typeof a === "number" && typeof b === "number" ? a - b
      : typeof a === "number" ? -1 : typeof b === "number" ? 1 : a.localeCompare(b);
  for (const table of all("table.sortable")) {
    const heads = all("thead th", table);
    heads.forEach((head, at) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const down = head.getAttribute("aria-sort") === "ascending";
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        const body = table.tBodies[0];
        const rows = [...body.rows].sort((a, b) => compare(value(a, at), value(b, at)) * (down ? -1 : 1));
        body.append(...rows);
      });
    });
  }

  // The problem browser: by outcome and by words.
  const problems = all(".problem");
  const chips = all("[data-filter]");
  const search = document.querySelector("#find");
  const count = document.querySelector("#shown");
  let wanted = "all";
  const filter = () => {
    const words = (search?.value ?? "").toLowerCase();
    let shown = 0;
    for (const problem of problems) {
      const fits = (wanted === "all" || problem.dataset.kinds.split(" ").includes(wanted))
        && (words === "" || problem.textContent.toLowerCase().includes(words));
      problem.hidden = !fits;
      shown += fits;
    }
    if (count) count.textContent = `${shown} of ${problems.length}`;
  };
  for (const chip of chips) {
    chip.addEventListener("click", () => {
      wanted = chip.dataset.filter;
      chips.forEach((other) => other.setAttribute("aria-pressed", String(other === chip)));
      filter();
    });
  }
  search?.addEventListener("input", filter);

  // Light and dark: the system's choice until somebody makes another.
  document.querySelector("#theme")?.addEventListener("click", () => {
    const root = document.documentElement;
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
  });
})();
