"use strict";
// The page is complete without this: it adds the filter, and what a cell under the pointer is.
(() => {
  const form = document.getElementById("rows");
  const grid = document.querySelector(".grid");
  const heads = [...grid.querySelectorAll("thead tr + tr th")];
  const bodies = [...grid.querySelectorAll("tbody:not(.totals)")];
  const rows = bodies.flatMap((body) => [...body.querySelectorAll("tr:not(.area)")]);
  const red = (row) => [...row.querySelectorAll("[data-red]")].map((cell) => cell.title).join(" ");
  const texts = new Map(rows.map((row) => [row, `${row.cells[0].title} ${row.cells[0].textContent} ${red(row)}`.toLowerCase()]));

  const apply = () => {
    const wanted = form.elements.text.value.trim().toLowerCase();
    for (const row of rows) row.hidden = !texts.get(row).includes(wanted);
    for (const body of bodies) body.hidden = !body.querySelector("tr:not(.area):not([hidden])");
    form.querySelector("output").textContent = `${rows.filter((row) => !row.hidden).length} of ${rows.length}`;
  };

  const columnOf = (cell) => {
    let column = -1;
    for (let one = cell.previousElementSibling; one; one = one.previousElementSibling) column += one.colSpan;
    return column;
  };

  let here;
  grid.addEventListener("mouseover", (event) => {
    const cell = event.target.closest("tbody td");
    here?.classList.remove("here");
    here = cell && !cell.matches(".off") ? heads[columnOf(cell)] : undefined;
    here?.classList.add("here");
    if (here && !cell.title) cell.title = `${cell.parentElement.cells[0].querySelector("code")?.textContent ?? ""}, ${here.textContent}: passed`;
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", apply);
  form.addEventListener("reset", () => setTimeout(apply));
  form.hidden = false;
  apply();
})();
