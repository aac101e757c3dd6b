"""The style of the page: light and dark, wide and narrow, screen and paper."""

STYLE = """\
:root {
  color-scheme: light dark;
  --paper: #fbfbf9; --card: #ffffff; --ink: #1d1f21; --faint: #5f6670; --line: #dcdfe3;
  --bar: #2f6fb3; --good: #1d7a3c; --warn: #955c00; --bad: #b3261e; --tint: #f1f3f6;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #15171a; --card: #1e2125; --ink: #e7e9ec; --faint: #a0a8b2; --line: #353a41;
    --bar: #69a7e6; --good: #6cc68a; --warn: #e6b04d; --bad: #ff8a80; --tint: #282c32;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 2rem 1rem 4rem; max-width: 64rem;
  background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, "Noto Sans", "DejaVu Sans", sans-serif;
}
h1 { font-size: 1.5rem; margin: 0; overflow-wrap: break-word; }
h1 + p { margin: .25rem 0 2rem; color: var(--faint); }
article {
  margin: 0 0 1.5rem; padding: 1.25rem 1.5rem; background: var(--card);
  border: 1px solid var(--line); border-left: .4rem solid var(--bar); border-radius: .5rem;
}
article.returned { border-left-color: var(--good); }
article.refused { border-left-color: var(--warn); }
article.stuck, article.failed { border-left-color: var(--bad); }
summary { cursor: pointer; display: grid; grid-template-columns: 1fr auto; }
summary::after {
  content: "▸"; grid-area: 1 / 2 / 3 / 3; align-self: center; color: var(--faint);
}
details[open] > summary::after { content: "▾"; }
summary::-webkit-details-marker { display: none; }
h2 { font-size: 1.15rem; margin: 0; overflow-wrap: break-word; min-width: 0; }
h2 + p { margin: 0; color: var(--faint); font-size: .9rem; }
dl {
  margin: 1rem 0 0; display: grid; grid-template-columns: max-content 1fr; gap: 0 1rem;
  color: var(--faint); font-size: .9rem;
}
dd { margin: 0; }
a { color: var(--bar); }
h3 { font-size: 1rem; font-weight: 600; margin: 1.25rem 0 .4rem; overflow-wrap: break-word; }
h3 span { color: var(--faint); font-weight: 400; white-space: nowrap; }
table { width: 100%; border-collapse: collapse; table-layout: fixed; }
th, td { padding: 0; height: 1.6rem; text-align: left; font-weight: 400; vertical-align: top; }
th { width: 46%; padding-right: 1rem; overflow-wrap: break-word; }
td.time {
  width: 5.5rem; text-align: right; color: var(--faint); font-variant-numeric: tabular-nums;
  white-space: nowrap;
}
article tr.failed th, article tr.failed td.time { color: var(--bad); font-weight: 600; }
tbody tr:nth-child(odd) { background: var(--tint); }
th:first-child { padding-left: .4rem; }
td.time { padding-right: .4rem; }
/* Its table cell grows with a text of several lines; the drawing fills it. */
td.chart { position: relative; }
td.chart svg { position: absolute; inset: 0; width: 100%; height: 100%; overflow: visible; }
.overview { table-layout: auto; margin: 0 0 2rem; background: var(--card); }
.overview th, .overview td { padding: .25rem .75rem; width: auto; height: auto; }
.overview th { color: var(--faint); font-size: .85rem; border-bottom: 1px solid var(--line); }
.overview td:first-child { white-space: nowrap; font-variant-numeric: tabular-nums; }
.overview th:nth-child(n+3) { text-align: right; }
.overview .returned .outcome { color: var(--good); }
.overview .refused .outcome { color: var(--warn); }
.overview .stuck .outcome, .overview .failed .outcome { color: var(--bad); font-weight: 600; }
svg .tick { stroke: var(--line); }
svg rect { fill: var(--bar); }
article tr.failed svg rect { fill: var(--bad); }
svg text { fill: var(--faint); font-size: .75rem; }
.whole { white-space: nowrap; }
.note, .problem { margin: .6rem 0 0; overflow-wrap: break-word; }
.note { color: var(--warn); }
.held { margin: 1rem 0 0; }
.problem { color: var(--bad); font-weight: 600; white-space: pre-wrap; }
article.refused .problem { color: var(--warn); }
pre {
  margin: .3rem 0; padding: .3rem .75rem; background: var(--tint); border-radius: .4rem;
  font: .85rem/1.5 ui-monospace, "DejaVu Sans Mono", monospace; white-space: pre-wrap;
  overflow-wrap: anywhere;
}
@media (max-width: 40rem) {
  body { padding: 1.25rem .75rem 3rem; }
  article { padding: 1rem; }
  /* A label and its time, and below them a bar as wide as the screen. */
  article tr { display: grid; grid-template-columns: 1fr auto; padding: .2rem .4rem; }
  article th, article td { display: block; width: auto; height: auto; }
  article th:first-child, article td.time { padding: 0; }
  article th { padding-right: .75rem; min-width: 0; }
  article td.time { grid-area: 1 / 2; }
  article td.chart { grid-column: 1 / -1; height: 1.6rem; }
  article tfoot th { display: none; }
  dl { grid-template-columns: 1fr; }
  dd { margin-bottom: .3rem; }
  .overview thead { display: none; }
  .overview, .overview tbody { display: block; }
  .overview tr { display: block; padding: .5rem .75rem; border-bottom: 1px solid var(--line); }
  .overview td { display: block; padding: 0; text-align: left; }
  .overview td.time { display: inline-block; padding-right: .75rem; }
  .overview td.time:empty { display: none; }
  .overview td.time::before { content: attr(data-head) " "; }
}
@media print { article { break-inside: avoid; } }
"""
