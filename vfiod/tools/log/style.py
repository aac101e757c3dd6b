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
h1 { font-size: 1.5rem; margin: 0; }
h1 + p { margin: .25rem 0 2rem; color: var(--faint); }
article {
  margin: 0 0 1.5rem; padding: 1.25rem 1.5rem; background: var(--card);
  border: 1px solid var(--line); border-left: .4rem solid var(--bar); border-radius: .5rem;
}
article.returned { border-left-color: var(--good); }
article.refused { border-left-color: var(--warn); }
article.stuck, article.failed { border-left-color: var(--bad); }
h2 { font-size: 1.15rem; margin: 0; overflow-wrap: anywhere; }
h2 + p { margin: 0 0 1rem; color: var(--faint); font-size: .9rem; overflow-wrap: anywhere; }
h3 { font-size: 1rem; font-weight: 600; margin: 1.25rem 0 .4rem; overflow-wrap: anywhere; }
h3 span { color: var(--faint); font-weight: 400; white-space: nowrap; }
table { width: 100%; border-collapse: collapse; table-layout: fixed; }
th, td { padding: 0; height: 1.6rem; text-align: left; font-weight: 400; vertical-align: top; }
th { width: 46%; padding-right: 1rem; overflow-wrap: anywhere; }
td.time {
  width: 5.5rem; text-align: right; color: var(--faint); font-variant-numeric: tabular-nums;
  white-space: nowrap;
}
tr.failed th, tr.failed td.time { color: var(--bad); font-weight: 600; }
tbody tr:nth-child(odd) { background: var(--tint); }
th:first-child { padding-left: .4rem; }
td.time { padding-right: .4rem; }
/* Its table cell grows with a text of several lines; the drawing fills it. */
td.chart { position: relative; }
td.chart svg { position: absolute; inset: 0; width: 100%; height: 100%; overflow: visible; }
svg .tick { stroke: var(--line); }
svg rect { fill: var(--bar); }
tr.failed svg rect { fill: var(--bad); }
svg text { fill: var(--faint); font-size: .75rem; }
.note, .problem { margin: .6rem 0 0; overflow-wrap: anywhere; }
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
  article { padding: 1rem; }
  th { width: 50%; }
  td.time { width: 4.75rem; }
  svg text:nth-child(even) { display: none; }
}
@media print { article { break-inside: avoid; } }
"""
