// The table of a page: rows come as JSON and only those in view are in the document, so that 10,000 open at once.
// Texts are set as text and structures built from path data: nothing of the data is ever parsed as HTML.
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("rows").textContent);
  const n = data.smiles.length, columns = data.columns, shown = columns.filter((c) => !c.hidden);
  const grid = document.getElementById("grid"), head = document.getElementById("head"), body = document.getElementById("body");
  const find = document.getElementById("q"), count = document.getElementById("count"), details = document.getElementById("details");
  const clear = document.getElementById("clear"), SVG = "http://www.w3.org/2000/svg", PRINTED = 200, SPARE = 8;
  const state = { sort: -1, down: false, find: "", filters: {}, groups: new Set() };
  let view = [], at = -1, height = 116, drawn = "", widths = [];

  const make = (tag, attributes = {}, ...children) => {
    const element = document.createElement(tag);
    for (const [key, value] of Object.entries(attributes)) value === null || element.setAttribute(key, value);
    element.append(...children);
    return element;
  };
  const minus = (text) => text.replace("-", "\u2212");
  const number = (value, digits) => {
    if (value === null) return "\u2013";
    if (digits !== null) return minus(digits ? value.toFixed(digits) : String(Math.round(value)));
    return minus(String(Math.abs(value) >= 1000 ? Math.round(value) : Number(value.toPrecision(3))));
  };
  const doubtful = new Map(columns.map((c) => [c, new Set(c.doubtful || [])]));
  const haystack = data.smiles.map((smi, row) => [smi, ...columns.filter((c) => c.kind === "text").map((c) => c.values[row])].join("\n").toLowerCase());

  // "0.3..0.6", ">0.5", "<=3", "4" (at least) → a test of one value; null if it cannot be read
  function condition(column, text) {
    text = text.trim();
    if (!text) return () => true;
    if (column.kind === "text") return (value) => value.toLowerCase().includes(text.toLowerCase());
    const range = text.match(/^(-?[\d.eE-]+)\s*\.\.\s*(-?[\d.eE-]+)$/), side = text.match(/^(>=|<=|>|<|=)?\s*(-?[\d.]+(?:[eE]-?\d+)?)$/);
    if (range && !isNaN(range[1]) && !isNaN(range[2])) return (value) => value !== null && value >= +range[1] && value <= +range[2];
    if (!side || isNaN(side[2])) return null;
    const limit = +side[2], tests = { ">": (v) => v > limit, "<": (v) => v < limit, ">=": (v) => v >= limit, "<=": (v) => v <= limit, "=": (v) => v === limit };
    return (value) => value !== null && tests[side[1] || ">="](value);
  }

  function update(keep = false) {
    const conditions = [];
    shown.forEach((column, k) => {
      const text = state.filters[k] || "", test = condition(column, text), box = head.querySelector(`input[data-column="${k}"]`);
      box.classList.toggle("bad", test === null);
      if (text && test) conditions.push((row) => test(column.values[row]));
    });
    const words = state.find.toLowerCase();
    if (words) conditions.push((row) => haystack[row].includes(words));
    view = [];
    for (let row = 0; row < n; row++) if (conditions.every((test) => test(row))) view.push(row);
    if (state.sort >= 0) {
      const { values, kind } = shown[state.sort], sign = state.down ? -1 : 1;
      const compare = kind === "text" ? (a, b) => a.localeCompare(b, "en", { numeric: true }) : (a, b) => a - b;
      view.sort((a, b) => {
        const x = values[a], y = values[b];
        if (x === null || y === null) return (x === null) - (y === null) || a - b;
        return sign * compare(x, y) || a - b;
      });
    }
    for (const label of state.groups) {
      const seen = new Set(), keys = data.groups[label];
      view = view.filter((row) => !seen.has(keys[row]) && seen.add(keys[row]));
    }
    const filtered = view.length < n;
    count.textContent = filtered ? `${view.length.toLocaleString("en")} of ${n.toLocaleString("en")} ${data.name}` : `${n.toLocaleString("en")} ${data.name}`;
    clear.disabled = !(words || state.groups.size || Object.values(state.filters).some(Boolean));
    head.querySelectorAll("th[data-column]").forEach((th) => {
      const on = +th.dataset.column === state.sort;
      th.setAttribute("aria-sort", on ? (state.down ? "descending" : "ascending") : "none");
      th.querySelector(".arrow").textContent = on ? (state.down ? "\u25be" : "\u25b4") : "";
    });
    if (!keep) { at = -1; grid.scrollTop = 0; }
    drawn = "";
    draw();
    remember();
  }

  function structure(row) {
    const paths = data.structures[row];
    if (!paths) return make("code", {}, data.smiles[row]);
    const svg = document.createElementNS(SVG, "svg");
    svg.setAttribute("class", "mol");
    svg.setAttribute("viewBox", `0 0 ${data.size[0]} ${data.size[1]}`);
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", data.smiles[row]);
    for (const [kind, d] of paths) {
      const path = document.createElementNS(SVG, "path");
      path.setAttribute("class", kind);
      path.setAttribute("d", d);
      svg.append(path);
    }
    return svg;
  }

  function value(column, row) {
    if (column.kind === "text") return [make("div", { class: "clip" }, column.values[row])];
    const parts = [number(column.values[row], column.digits)];
    if (column.values[row] !== null) {
      if (column.std && column.std[row] !== null) parts.push(make("span", { class: "pm" }, ` \u00b1 ${Number(column.std[row].toPrecision(2))}`));
      if (column.lower && column.lower[row] !== null) parts.push(make("div", { class: "pm" }, `[${number(column.lower[row], null)}, ${number(column.upper[row], null)}]`));
    }
    if (column.score && column.score[row] !== null) {
      const bar = make("i");
      bar.style.width = `${100 * column.score[row]}%`;
      parts.push(make("span", { class: "meter", title: `score ${column.score[row].toFixed(3)}` }, bar));
    }
    return parts;
  }

  function line(place) {
    const row = view[place], tr = make("tr", { class: place === at ? "row at" : "row", "data-place": place, "aria-rowindex": place + 2 });
    tr.append(make("td", { class: "draw" }, structure(row)));
    for (const column of shown) {
      const unsure = doubtful.get(column).has(row);
      tr.append(make("td", { class: unsure ? `${column.kind} doubtful` : column.kind, title: unsure ? "outside the model's domain: a guess" : null }, ...value(column, row)));
    }
    return tr;
  }

  function draw(all = 0) {
    const top = grid.scrollTop, first = all ? 0 : Math.max(0, Math.floor(top / height) - SPARE);
    const last = Math.min(view.length, all || Math.ceil((top + grid.clientHeight) / height) + SPARE), key = `${first} ${last} ${at}`;
    if (key === drawn) return;
    drawn = key;
    const rows = [];
    const space = (count_) => make("tr", { class: "space", "aria-hidden": "true" }, make("td", { colspan: shown.length + 1, style: `height:${count_ * height}px` }));
    if (first) rows.push(space(first));
    for (let place = first; place < last; place++) rows.push(line(place));
    if (last < view.length && !all) rows.push(space(view.length - last));
    if (!view.length) rows.push(make("tr", {}, make("td", { class: "none", colspan: shown.length + 1 }, `No ${data.name} pass these filters.`)));
    body.replaceChildren(...rows);
    const seen = body.querySelector("tr.row");
    if (seen && !all) height = seen.offsetHeight || height;
    // columns may grow while scrolling but never jump back
    head.querySelectorAll("tr:first-child th").forEach((th, k) => { widths[k] = Math.max(widths[k] || 0, th.offsetWidth); th.style.minWidth = `${widths[k]}px`; });
  }

  function build() {
    const names = make("tr"), filters = make("tr", { class: "filters" });
    names.append(make("th", { scope: "col", class: "text" }, "structure"));
    filters.append(make("th", {}));
    shown.forEach((column, k) => {
      const arrow = make("span", { class: "arrow", "aria-hidden": "true" });
      const button = make("button", { type: "button", title: column.help || null }, column.label);
      if (column.unit) button.append(make("span", { class: "unit" }, ` [${column.unit}]`));
      button.append(arrow);
      button.addEventListener("click", () => sort(k));
      names.append(make("th", { scope: "col", class: column.kind, "data-column": k, "aria-sort": "none" }, button));
      const box = make("input", { type: "text", "data-column": k, placeholder: column.kind === "text" ? "contains" : "> < ..", "aria-label": `Filter by ${column.label}`, autocomplete: "off", spellcheck: "false" });
      box.addEventListener("input", () => { state.filters[k] = box.value; update(); });
      filters.append(make("th", { class: column.kind }, box));
    });
    head.append(names, filters);
    for (const label of Object.keys(data.groups)) {
      const box = make("input", { type: "checkbox", "data-group": label });
      box.addEventListener("change", () => { box.checked ? state.groups.add(label) : state.groups.delete(label); update(); });
      document.getElementById("groups").append(make("label", { class: "switch" }, box, `first of each ${label}`));
    }
    grid.setAttribute("aria-rowcount", n + 1);
  }

  function sort(k) {
    const down = !shown[k].ascending;
    if (state.sort !== k) { state.sort = k; state.down = down; }
    else state.down = !state.down;
    update();
  }

  function open(place) {
    const row = view[place], list = make("dl");
    for (const column of columns) {
      if (column.kind === "text" && !column.values[row]) continue;
      list.append(make("dt", {}, column.label + (column.unit ? ` [${column.unit}]` : "")), make("dd", {}, ...value(column, row)));
    }
    const copy = make("button", { type: "button" }, "Copy SMILES"), close = make("button", { type: "button", autofocus: "" }, "Close");
    const smiles = make("code", { tabindex: "0" }, data.smiles[row]);
    copy.addEventListener("click", async () => {
      try { await navigator.clipboard.writeText(data.smiles[row]); copy.textContent = "Copied"; }
      catch { getSelection().selectAllChildren(smiles); copy.textContent = "Selected: press Ctrl+C"; }
    });
    close.addEventListener("click", () => details.close());
    details.replaceChildren(make("div", { class: "two" }, data.structures[row] ? structure(row) : make("p", { class: "soft" }, "Not drawn in this page."), list), smiles, make("div", { class: "acts" }, copy, close));
    details.showModal();
    details.scrollTop = 0;  // the focus is on Close, at the bottom
  }

  function move(step) {
    if (!view.length) return;
    at = Math.max(0, Math.min(view.length - 1, at + step));
    const top = at * height, room = grid.clientHeight - head.offsetHeight;
    if (top < grid.scrollTop) grid.scrollTop = top;
    else if (top + height > grid.scrollTop + room) grid.scrollTop = top + height - room;
    draw();
  }

  // a spreadsheet would run a text that begins like a formula
  const cell = (value_) => {
    let text = value_ === null ? "" : String(value_);
    if (typeof value_ === "string" && /^[=+\-@\t\r]/.test(text) && isNaN(text)) text = "'" + text;
    return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  function save() {
    const fields = columns.flatMap((c) => [[c.label + (c.unit ? ` [${c.unit}]` : ""), c.values], ...["score", "std", "lower", "upper"].filter((key) => c[key]).map((key) => [`${c.label} ${key}`, c[key]])]);
    const rows = [["SMILES", ...fields.map(([label]) => label)], ...view.map((row) => [data.smiles[row], ...fields.map(([, values]) => values[row])])];
    const link = make("a", { download: `${data.name}.csv`, href: URL.createObjectURL(new Blob([rows.map((r) => r.map(cell).join(",")).join("\n") + "\n"], { type: "text/csv" })) });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

  // what is shown stands in the address, so that a view can be kept as a bookmark: #sort=total:desc&find=F&where=qed>0.5&first=scaffold&details=1
  function remember() {
    const parts = new URLSearchParams();
    if (state.sort >= 0) parts.set("sort", `${shown[state.sort].label}:${state.down ? "desc" : "asc"}`);
    if (state.find) parts.set("find", state.find);
    for (const [k, text] of Object.entries(state.filters)) if (text) parts.append("where", `${shown[k].label}:${text}`);
    for (const label of state.groups) parts.append("first", label);
    const hash = parts.toString();
    if (hash || location.hash) history.replaceState(null, "", hash ? `#${hash}` : location.pathname + location.search);
  }
  function recall() {
    const parts = new URLSearchParams(location.hash.slice(1)), column = (text) => shown.findIndex((c) => c.label === text);
    const [label, way] = [(parts.get("sort") || "").replace(/:(asc|desc)$/, ""), parts.get("sort") || ""];
    state.sort = column(label);
    state.down = way.endsWith(":desc");
    find.value = state.find = parts.get("find") || "";
    for (const text of parts.getAll("where")) {
      const split = text.lastIndexOf(":"), k = column(text.slice(0, split));
      if (k >= 0) head.querySelector(`input[data-column="${k}"]`).value = state.filters[k] = text.slice(split + 1);
    }
    for (const text of parts.getAll("first")) {
      const box = document.querySelector(`input[data-group="${CSS.escape(text)}"]`);
      if (box) { box.checked = true; state.groups.add(text); }
    }
    return +parts.get("details") || 0;
  }

  build();
  const wanted = recall();
  update();
  if (wanted) open(Math.min(wanted, view.length) - 1);
  grid.addEventListener("scroll", () => requestAnimationFrame(() => draw()), { passive: true });
  addEventListener("resize", () => draw());
  addEventListener("beforeprint", () => draw(Math.min(view.length, PRINTED) || 0));
  addEventListener("afterprint", () => { drawn = ""; draw(); });
  find.addEventListener("input", () => { state.find = find.value; update(); });
  document.getElementById("save").addEventListener("click", save);
  clear.addEventListener("click", () => {
    state.find = find.value = "";
    state.filters = {};
    state.groups.clear();
    head.querySelectorAll("input").forEach((box) => { box.value = ""; });
    document.querySelectorAll("input[data-group]").forEach((box) => { box.checked = false; });
    update();
  });
  body.addEventListener("click", (event) => {
    const tr = event.target.closest("tr.row");
    if (!tr || getSelection().toString()) return;
    at = +tr.dataset.place;
    draw();
    open(at);
  });
  document.addEventListener("keydown", (event) => {
    const typing = event.target.matches("input, button, summary"), step = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 }[event.key];
    if (details.open || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "/" && !event.target.matches("input")) { event.preventDefault(); find.focus(); find.select(); }
    else if (event.target === find && event.key === "Escape") grid.focus();
    else if (event.target === find && (event.key === "Enter" || event.key === "ArrowDown")) { grid.focus(); move(at < 0 ? 1 : 0); }
    else if (event.target === grid && !typing && step) { event.preventDefault(); move(step); }
    else if (event.target === grid && event.key === "Home") { event.preventDefault(); at = 0; move(0); }
    else if (event.target === grid && event.key === "End") { event.preventDefault(); at = view.length - 1; move(0); }
    else if (event.target === grid && event.key === "Enter" && at >= 0) { event.preventDefault(); open(at); }  // the same key press would click Close, which has the focus now
  });
  document.documentElement.dataset.ready = Math.round(performance.now());
})();
