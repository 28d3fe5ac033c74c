"use strict";
(() => {
  const send = async (address, body, type = "application/json") => {
    const answer = await fetch(address, { method: "POST", headers: { "Content-Type": type }, body });
    const found = await answer.json().catch(() => ({}));
    if (!answer.ok) throw new Error(found.error || `the app answered ${answer.status}`);
    return found;
  };

  // the front page: one form at a time, named by the address
  const panels = [...document.querySelectorAll("[data-panel]")];
  function show() {
    const wanted = panels.find((panel) => `#${panel.id}` === location.hash) || panels.find((panel) => !panel.querySelector("select[name=model]:empty")) || panels[0];  // without a model, what needs none
    for (const panel of panels) panel.hidden = panel !== wanted;
    for (const tab of document.querySelectorAll("[data-tab]")) tab.dataset.tab === wanted.id ? tab.setAttribute("aria-current", "true") : tab.removeAttribute("aria-current");
  }

  // what is typed is kept in this browser, so that a reload or a look at a job loses nothing
  const keep = (form) => `drugai:${form.dataset.kind}`;
  function remember(form) {
    const values = {};
    for (const field of form.elements) if (field.name && field.type !== "file") (values[field.name] ||= []).push(field.type === "checkbox" ? field.checked : field.value);
    try { localStorage.setItem(keep(form), JSON.stringify(values)); }
    catch { fault(form, "too long to be kept by the browser: a reload would lose it"); }
  }
  function recall(form) {
    let values = {};
    try { values = JSON.parse(localStorage.getItem(keep(form)) || "{}"); } catch { localStorage.removeItem(keep(form)); }
    const seen = {};
    for (const field of form.elements) {
      const place = (seen[field.name] = (seen[field.name] ?? -1) + 1), value = values[field.name]?.[place];
      if (!field.name || field.type === "file" || value === undefined) continue;
      if (field.type === "checkbox") field.checked = value;
      else if (field.tagName !== "SELECT" || [...field.options].some((option) => option.value === value)) field.value = value;
    }
  }
  const fault = (form, text) => { form.querySelector(".fault").textContent = text; };

  function values(form) {
    const out = { kind: form.dataset.kind };
    for (const field of form.elements) {
      if (!field.name || field.type === "file") continue;
      if (field.type === "checkbox" && field.name === "alerts") { out.alerts ||= []; if (field.checked) out.alerts.push(field.value); }
      else if (field.type === "checkbox") out[field.name] = field.checked;
      else if (field.type === "number" || "number" in field.dataset) out[field.name] = field.value === "" ? null : Number(field.value);
      else out[field.name] = field.value;
    }
    return out;
  }

  async function submit(event) {
    event.preventDefault();
    const form = event.target, button = form.querySelector("button.go"), file = form.querySelector("input[type=file]")?.files[0];
    button.disabled = true;
    fault(form, "");
    try {
      const asked = values(form);
      if (file) {
        asked.text = "";
        asked.file = (await send(`/api/files?name=${encodeURIComponent(file.name)}`, file, "application/octet-stream")).file;
      }
      location.href = `/jobs/${(await send("/api/jobs", JSON.stringify(asked))).id}`;
    } catch (error) {
      fault(form, error.message);
      button.disabled = false;
    }
  }

  const shelf = document.getElementById("models"), models = shelf ? JSON.parse(shelf.textContent) : [];
  function ranks(form) {
    const choice = form.elements.rank_by, model = models.find((one) => one.name === form.elements.model.value);
    const options = (model ? model.tasks : []).flatMap((task) => ["max", "min"].map((way) => {
      const option = document.createElement("option");
      option.value = `${task.name}:${way}`;
      option.textContent = `${task.name}, ${way === "max" ? "highest" : "lowest"} first`;
      return option;
    }));
    choice.replaceChildren(...options);
  }
  function levels(form) {
    const model = models.find((one) => one.name === form.elements.model.value), choice = form.elements.level;
    choice.disabled = !model?.calibrated;
    if (choice.disabled) choice.value = "";
  }

  for (const form of document.querySelectorAll("form[data-kind]")) {
    const kind = form.dataset.kind, fill = kind === "screen" ? ranks : kind === "predict" ? levels : () => {};
    recall(form);
    fill(form);
    recall(form);
    form.addEventListener("input", () => remember(form));
    form.elements.model?.addEventListener("change", () => fill(form));
    form.addEventListener("submit", submit);
  }
  if (panels.length) { show(); addEventListener("hashchange", show); }

  // a job's page: follow it until it is over, then show what came of it
  const job = document.querySelector("[data-job]");
  if (job) {
    const name = job.dataset.job, over = ["done", "failed", "stopped"];
    for (const button of job.querySelectorAll("[data-deed]")) {
      button.addEventListener("click", async () => {
        try {
          await send(`/api/jobs/${name}/${button.dataset.deed}`, "{}");
          button.dataset.deed === "remove" ? (location.href = "/") : location.reload();
        } catch (error) { job.querySelector(".fault[role=alert]").textContent = error.message; }
      });
    }
    const follow = async () => {
      try {
        const answer = await fetch(`/api/jobs/${name}`), now = await answer.json();
        if (over.includes(now.state)) return location.reload();
        const bar = document.getElementById("progress"), words = document.getElementById("words");
        if (now.total) { bar.max = now.total; bar.value = now.done; } else bar.removeAttribute("value");
        const count = now.total ? `${now.done.toLocaleString("en")} of ${now.total.toLocaleString("en")} ` : "";
        words.textContent = now.state === "waiting" ? "waiting for the jobs before it" : count + now.words;
      } catch { document.getElementById("words").textContent = "the app does not answer; is `drugai serve` still running?"; }
      setTimeout(follow, 700);
    };
    if (!over.includes(job.dataset.state)) setTimeout(follow, 400);
  }
  document.documentElement.dataset.ready = "1";
})();
