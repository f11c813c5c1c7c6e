// Draws the pictures of a page from the JSON beside them; without it, the tables tell the same.
"use strict";

const INKS = ["--one", "--two", "--three", "--four", "--five", "--six"];

const DAY = "\n{MM}-{DD}";
const TIMES = [
  [86400, "{MM}-{DD}", null, null, null, null, null, null, 1],
  [3600, "{HH}:{mm}", DAY, null, DAY, null, null, null, 1],
  [1, "{HH}:{mm}", DAY, null, DAY, null, null, null, 1],
];
const MINUTES = [60, 300, 900, 1800, 3600, 10800, 21600, 43200, 86400, 172800, 604800, 2592000];

// A canvas knows no variables: the colour as the browser computes it for an element.
function ink(name) {
  const probe = document.body.appendChild(document.createElement("span"));
  probe.style.color = `var(${name})`;
  const color = getComputedStyle(probe).color;
  probe.remove();
  return color;
}

// Each row on top of the last: uPlot draws later series over earlier ones, so the highest sum comes first.
function stacked(rows) {
  let below = [];
  const layers = rows.map(([name, counts]) => {
    below = counts.map((count, at) => count + (below[at] || 0));
    return { name, counts, values: below.map((sum, at) => (counts[at] ? sum : null)) };
  });
  return layers.reverse();
}

function draw(place) {
  const data = JSON.parse(document.getElementById(place.dataset.picture).textContent);
  const bars = place.dataset.kind === "stacked";
  const rows = Object.entries(data.rows);
  const layers = bars ? stacked(rows) : rows.map(([name, values]) => ({ name, values, counts: values }));
  const axis = { stroke: ink("--faint"), grid: { stroke: ink("--rule"), width: 1 }, ticks: { show: false } };
  const series = layers.map((layer, at) => {
    const color = ink(INKS[(bars ? layers.length - 1 - at : at) % INKS.length]);
    const failed = layer.name === "failed";
    return {
      label: layer.name,
      stroke: failed ? ink("--wrong") : color,
      fill: bars ? color : undefined,
      width: failed ? 0 : 1.5,
      paths: bars ? uPlot.paths.bars({ size: [0.8, 30] }) : undefined,
      points: { show: !bars, size: failed ? 7 : 4 },
      value: (_plot, _value, _series, row) => (row === null ? "–" : layer.counts[row]),
    };
  });
  const options = {
    width: place.clientWidth,
    height: 180,
    tzDate: (second) => uPlot.tzDate(new Date(second * 1000), "Etc/UTC"),
    scales: {
      x: { range: (_plot, low, high) => (bars || high - low < 3600 ? [low - 1800, high + 1800] : [low, high]) },
      y: { range: (_plot, _low, high) => [0, Math.max(1, high * 1.05)] },
    },
    axes: [{ ...axis, values: TIMES, incrs: MINUTES }, { ...axis, size: 44 }],
    series: [{ value: "{YYYY}-{MM}-{DD} {HH}:{mm}" }, ...series],
  };
  const plot = new uPlot(options, [data.times, ...layers.map((layer) => layer.values)], place);
  plot.root.setAttribute("role", "img");
  plot.root.setAttribute("aria-label", place.dataset.label);
  new ResizeObserver(() => plot.setSize({ width: place.clientWidth, height: 180 })).observe(place);
}

document.querySelectorAll("[data-picture]").forEach(draw);
