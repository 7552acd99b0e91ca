"use strict";
// The page is complete without this: it adds filters, links that open, and paper that shows all.
(() => {
  const form = document.getElementById("filter");
  if (!form) return;
  const checks = [...document.querySelectorAll("details.check")];
  const areas = [...document.querySelectorAll("section.area")];
  const output = form.querySelector("output");
  const texts = new Map(checks.map((check) => [check, check.textContent.toLowerCase()]));
  const field = (name) => form.elements[name].value;

  const inState = (check, state) =>
    !state || check.dataset.state === state || (["red", "root"].includes(state) && state in check.dataset);

  const matches = (check) =>
    inState(check, field("state")) &&
    (!field("area") || check.dataset.area === field("area")) &&
    (!field("severity") || check.dataset.severity === field("severity")) &&
    texts.get(check).includes(field("text").trim().toLowerCase());

  const visible = () => checks.filter((check) => !check.hidden);

  const apply = () => {
    for (const check of checks) check.hidden = !matches(check);
    for (const area of areas) area.hidden = !area.querySelector("details.check:not([hidden])");
    output.textContent = `${visible().length} of ${checks.length}`;
  };

  const pick = (data) => {
    form.elements.state.value = data.pickState || "";
    form.elements.area.value = data.pickArea || "";
    form.elements.severity.value = data.pickSeverity || "";
    form.elements.text.value = "";
    apply();
  };

  const openTarget = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target || !target.matches("details.check")) return;
    if (target.hidden) pick({});
    target.open = true;
    target.scrollIntoView();
  };

  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", apply);
  form.addEventListener("reset", () => setTimeout(apply));
  document.getElementById("open-all").addEventListener("click", (event) => {
    const open = visible().some((check) => !check.open);
    for (const check of visible()) check.open = open;
    event.target.textContent = open ? "Close all" : "Open all";
  });
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a");
    if (!link) return;
    if (link.dataset.pickState || link.dataset.pickArea) pick(link.dataset);
    // The second click on a link changes no address, so no event would follow it.
    else if (link.hash && link.hash === location.hash) openTarget();
  });
  addEventListener("hashchange", openTarget);
  addEventListener("beforeprint", () => {
    for (const check of visible()) if ("root" in check.dataset) check.open = true;
  });

  form.hidden = false;
  apply();
  openTarget();
})();
