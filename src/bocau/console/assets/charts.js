// The charts of the console: columns from the gateway, drawn by uPlot, looked at again every ten seconds.
"use strict";

const AGAIN_MS = 10000;

function colour(name) {
  const probe = document.createElement("i");
  probe.style.color = `var(--${name})`;
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

function chart(id, colours) {
  const place = document.getElementById(id);
  const names = place.dataset.names.split("|");
  const axis = { stroke: colour("ink"), grid: { stroke: colour("line") }, ticks: { stroke: colour("line") } };
  const series = names.map((label, at) => ({ label, stroke: colour(colours[at]), width: 2, spanGaps: false, points: { size: 5 } }));
  const size = () => ({ width: place.clientWidth, height: 220 });
  const drawn = new uPlot({
    ...size(),
    axes: [{ ...axis, values: "{HH}:{mm}" }, { ...axis, size: 60 }],
    series: [{ label: document.getElementById("charts").dataset.time, value: "{HH}:{mm}" }, ...series],
    scales: { y: { range: (self, low, high) => [0, Math.max(1, high ?? 1)] } },
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Asia/Ho_Chi_Minh"),
  }, [[], ...names.map(() => [])], place);
  addEventListener("resize", () => drawn.setSize(size()));
  return drawn;
}

async function draw(source, throughput, latency) {
  const answer = await fetch(source);
  if (answer.status !== 200) return;
  const data = await answer.json();
  throughput.setData([data.minutes, data.accepted, data.delivered, data.failed]);
  latency.setData([data.minutes, data.seconds]);
  document.getElementById("charts").dataset.drawn = data.minutes.length;
  setTimeout(() => draw(source, throughput, latency), AGAIN_MS);
}

addEventListener("DOMContentLoaded", () => {
  const source = document.getElementById("charts").dataset.source;
  draw(source, chart("throughput", ["accent", "good", "bad"]), chart("latency", ["accent"]));
});
