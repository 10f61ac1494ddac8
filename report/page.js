"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const list = $("list");
  if (!list) return;
  const total = Number(list.dataset.total), size = Number(list.dataset.size);
  const islands = document.querySelectorAll("script.groups");
  const unpack = async (text) => {
    const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
    return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"))).text();
  };
  // Pages of groups as nodes, the last few that were used.
  const first = [...list.children];
  const pages = new Map();
  const page = async (i) => {
    if (i === 0) return first;
    if (!pages.has(i)) {
      if (pages.size > 20) pages.delete(pages.keys().next().value);
      const t = document.createElement("template");
      t.innerHTML = await unpack(islands[i - 1].textContent);
      pages.set(i, [...t.content.children]);
    }
    return pages.get(i);
  };
  let index = null, found = null, at = 0, turn = 0;
  const load = async () => {
    if (index) return;
    index = JSON.parse(await unpack($("index").textContent));
    const fill = (select, names) => names.map((n, i) => [n || "(none)", i]).sort((a, b) => a[0] < b[0] ? -1 : 1).forEach(([n, i]) => {
      const o = document.createElement("option");
      o.value = String(i);
      o.textContent = n;
      select.append(o);
    });
    fill($("f-host"), index.hosts);
    fill($("f-user"), index.users);
  };
  const count = () => found ? found.length : total;
  const show = async () => {
    const mine = ++turn;
    const last = Math.max(1, Math.ceil(count() / size));
    at = Math.min(Math.max(at, 0), last - 1);
    const nodes = [];
    for (let k = at * size; k < Math.min(count(), (at + 1) * size); k++) {
      const g = found ? found[k] : k;
      nodes.push((await page(Math.floor(g / size)))[g % size]);
      if (mine !== turn) return;
    }
    list.replaceChildren(...nodes);
    $("pager").hidden = last < 2;
    $("pages").textContent = "of " + last.toLocaleString("en");
    $("page").max = last;
    $("page").value = at + 1;
    $("prev").disabled = at === 0;
    $("next").disabled = at === last - 1;
    $("status").textContent = count().toLocaleString("en") + (found ? " of " + total.toLocaleString("en") : "") + " groups, the gravest first, then by time.";
  };
  const filter = async () => {
    await load();
    const want = ["severity", "rule", "host", "user"].map((n) => $("f-" + n).value);
    const words = $("f-text").value.toLowerCase().split(/\s+/).filter(Boolean);
    found = null;
    if (words.length || want.some(Boolean)) {
      found = [];
      index.groups.forEach((g, i) => {
        if (want.every((w, k) => w === "" || w === String(g[k])) && words.every((w) => g[4].includes(w))) found.push(i);
      });
    }
    at = 0;
    await show();
  };
  const turnTo = (n) => { at = n; show().then(() => $("alerts").scrollIntoView()); };
  const form = $("filters");
  form.hidden = false;
  form.addEventListener("submit", (e) => { e.preventDefault(); filter(); });
  form.addEventListener("reset", () => setTimeout(filter));
  form.addEventListener("change", filter);
  form.addEventListener("focusin", load);
  let wait = 0;
  $("f-text").addEventListener("input", () => { clearTimeout(wait); wait = setTimeout(filter, 150); });
  $("prev").addEventListener("click", () => turnTo(at - 1));
  $("next").addEventListener("click", () => turnTo(at + 1));
  $("page").addEventListener("change", () => turnTo(Number($("page").value) - 1));
  document.addEventListener("click", async (e) => {
    const b = e.target.closest("button[data-filter]");
    if (b) {
      await load();
      const select = $("f-" + b.dataset.filter);
      let value = b.dataset.value;
      const names = index[b.dataset.filter + "s"];
      if (names) value = String(names.indexOf(value === "(none)" ? "" : value));
      select.value = value;
      await filter();
      $("alerts").scrollIntoView();
      return;
    }
    const a = e.target.closest('a[href^="#rule-"]');
    if (a) document.querySelector(a.getAttribute("href") + " > details").open = true;
  });
  document.documentElement.classList.add("scripted");
  if (total > size) show();
})();
