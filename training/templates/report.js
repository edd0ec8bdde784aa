"use strict";
const charts = JSON.parse(document.getElementById("charts").textContent);
const dark = matchMedia("(prefers-color-scheme: dark)");
const config = { responsive: true, displaylogo: false, modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d"] };

// Plotly knows no CSS: what follows the page's theme is set by hand.
function themed(chart) {
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(name).trim();
  const font = { color: colour("--text"), family: style.fontFamily };
  const { data, layout } = structuredClone(chart);
  Object.assign(layout, { font, hoverlabel: { ...layout.hoverlabel, bgcolor: colour("--card"), bordercolor: colour("--soft"), font } });
  for (const name of Object.keys(layout).filter((key) => /^[xy]axis/.test(key))) {
    Object.assign(layout[name], { gridcolor: colour("--line"), zerolinecolor: colour("--line"), linecolor: colour("--line") });
  }
  for (const trace of data) if (trace.error_x) trace.error_x.color = colour("--text");
  return { data, layout };
}

function draw(place) {
  const [task, name] = place.dataset.chart.split("/");
  const { data, layout } = themed(charts[task][name]);
  Plotly.react(place, data, layout, config);
  if (!place.dataset.drawn && name === "confusion") place.on("plotly_relayout", () => fitNames(place, layout.yaxis.tickfont.size));
  place.dataset.drawn = "yes";
}

// Zoomed in, the names of a large matrix have room to grow.
function fitNames(place, small) {
  const [first, last] = place.layout.yaxis.range;
  const size = Math.abs(last - first) < 60 ? 12 : small;
  if (place.layout.yaxis.tickfont.size !== size) Plotly.relayout(place, { "xaxis.tickfont.size": size, "yaxis.tickfont.size": size });
}

// A matrix of 150 labels takes a moment, so that charts are drawn as they come into view.
const seen = new IntersectionObserver((entries) => {
  for (const entry of entries.filter((one) => one.isIntersecting && !one.target.dataset.drawn)) draw(entry.target);
}, { rootMargin: "600px" });
document.querySelectorAll(".plot").forEach((place) => seen.observe(place));
dark.addEventListener("change", () => document.querySelectorAll(".plot[data-drawn]").forEach(draw));
addEventListener("beforeprint", () => document.querySelectorAll(".plot:not([data-drawn])").forEach(draw));

const tabs = [...document.querySelectorAll("[role=tab]")];
function select(tab, focus) {
  for (const one of tabs) {
    one.setAttribute("aria-selected", one === tab);
    one.tabIndex = one === tab ? 0 : -1;
    document.getElementById(one.getAttribute("aria-controls")).hidden = one !== tab;
  }
  if (focus) tab.focus();
}
tabs.forEach((tab, at) => {
  tab.addEventListener("click", () => select(tab));
  tab.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step) select(tabs[(at + step + tabs.length) % tabs.length], true);
  });
});
if (tabs.length) select(tabs[0]);

function value(cell) {
  return cell.dataset.value === undefined ? cell.textContent : Number(cell.dataset.value);
}
for (const table of document.querySelectorAll("table.sortable")) {
  const headings = [...table.tHead.rows[0].cells];
  headings.forEach((heading, column) => {
    const button = document.createElement("button");
    button.append(...heading.childNodes);
    heading.append(button);
    button.addEventListener("click", () => {
      const up = heading.getAttribute("aria-sort") !== "ascending";
      headings.forEach((one) => one.removeAttribute("aria-sort"));
      heading.setAttribute("aria-sort", up ? "ascending" : "descending");
      const order = (a, b) => {
        const [one, other] = [value(a.cells[column]), value(b.cells[column])];
        return typeof one === "number" ? one - other : one.localeCompare(other);
      };
      const rows = [...table.tBodies[0].rows].sort((a, b) => (up ? order(a, b) : order(b, a)));
      table.tBodies[0].append(...rows);
    });
  });
}
for (const input of document.querySelectorAll("[data-filter]")) {
  input.addEventListener("input", () => {
    const wanted = input.value.trim().toLocaleLowerCase();
    for (const row of document.getElementById(input.dataset.filter).tBodies[0].rows) {
      row.hidden = !row.cells[0].textContent.toLocaleLowerCase().includes(wanted);
    }
  });
}
