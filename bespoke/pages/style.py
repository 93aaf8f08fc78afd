"""What do reports wear? Their style sheet; no font, picture or script comes from elsewhere."""

from __future__ import annotations

STYLE = """
:root { --ink: #1c2024; --soft: #60646c; --line: #e0e1e6; --paper: #fff; --back: #f7f7f8; --bar: #5b7fc7;
  --go: #18794e; --base: #a15c00; --not_yet: #b42318; --go-back: #e9f6ee; --base-back: #fff4e0;
  --not_yet-back: #fdecea }
* { box-sizing: border-box }
body { margin: 0; background: var(--back); color: var(--ink); font: 15px/1.6 system-ui, -apple-system, "Segoe UI",
  "Hiragino Sans", "Yu Gothic UI", "Noto Sans CJK JP", sans-serif }
svg { max-width: 720px }
main { max-width: 1080px; margin: 0 auto; padding: 40px 24px 64px }
h1 { font-size: 28px; line-height: 1.25; margin: 0 0 20px; overflow-wrap: anywhere }
h2 { font-size: 19px; margin: 44px 0 4px }
h2 + .card, h2 + p + .card, h2 + p + .two, .head ~ .soft:last-child { margin-top: 12px }
.attributes h3 { margin-bottom: 6px }
h3 { font-size: 15px; margin: 0; overflow-wrap: anywhere }
p { margin: 0 }
.soft { color: var(--soft); font-size: 13.5px }
.kicker { color: var(--soft); font-size: 13px; letter-spacing: .04em }
.verdict { border-radius: 12px; padding: 20px 24px; border: 1px solid; margin-bottom: 16px }
.verdict b { display: block; font-size: 24px; line-height: 1.3 }
.go { background: var(--go-back); border-color: var(--go) } .go b { color: var(--go) }
.base { background: var(--base-back); border-color: var(--base) } .base b { color: var(--base) }
.not_yet { background: var(--not_yet-back); border-color: var(--not_yet) } .not_yet b { color: var(--not_yet) }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(140px, 1fr)); gap: 12px; margin-bottom: 16px }
.card { background: var(--paper); border: 1px solid var(--line); border-radius: 12px; padding: 16px 20px }
.tiles .card { padding: 12px 16px }
.tiles b { display: block; font-size: 22px; line-height: 1.3; font-variant-numeric: tabular-nums }
.two { display: grid; grid-template-columns: repeat(auto-fit, minmax(320px, 1fr)); gap: 16px }
.two .card h2 { margin: 0 0 8px; font-size: 16px }
.attributes { grid-template-columns: repeat(auto-fill, minmax(320px, 1fr)) }
ul { list-style: none; margin: 0; padding: 0 }
li { position: relative; padding: 3px 0 3px 24px; overflow-wrap: anywhere }
li::before { position: absolute; left: 0; content: "\\2192"; color: var(--soft) }
li.good::before { content: "\\2713"; color: var(--go); font-weight: bold }
li.bad::before { content: "\\25B2"; color: var(--base); font-size: 11px; top: 6px; left: 2px }
.strip { display: grid; grid-template-columns: repeat(auto-fill, minmax(112px, 1fr)); gap: 14px; margin-top: 12px }
figure { margin: 0; min-width: 0 }
figure img, .none { display: block; width: 100%; max-width: 140px; aspect-ratio: 1; border-radius: 8px;
  border: 1px solid var(--line); background: #fff; object-fit: cover }
.none { background: repeating-linear-gradient(135deg, #f0f0f3 0 8px, #fafafa 8px 16px) }
figcaption { font-size: 12px; line-height: 1.4; margin-top: 5px; overflow-wrap: anywhere }
figcaption span { display: -webkit-box; -webkit-line-clamp: 3; -webkit-box-orient: vertical; overflow: hidden }
figcaption .soft { font-size: 11.5px }
.finding { margin-top: 14px }
.files { margin-top: 8px; font-size: 13.5px } .files li { padding-left: 0 } .files li::before { content: none }
.head { display: flex; gap: 10px; align-items: baseline; flex-wrap: wrap }
.head h3 b { font-variant-numeric: tabular-nums; margin-left: 4px }
.badge { font-size: 12px; line-height: 1.7; border-radius: 999px; padding: 0 10px; white-space: nowrap }
.ok { background: var(--go-back); color: var(--go) }
.stop { background: var(--not_yet-back); color: var(--not_yet) }
.warn { background: var(--base-back); color: var(--base) }
.note { background: #eef0f3; color: var(--soft) }
.groups { display: grid; grid-template-columns: repeat(auto-fill, minmax(300px, 1fr)); gap: 12px; margin-top: 12px }
.group { display: grid; grid-template-columns: repeat(auto-fit, minmax(62px, 1fr)); gap: 10px; padding: 10px;
  border: 1px solid var(--line); border-radius: 10px }
table { border-collapse: collapse; width: 100%; margin-top: 8px }
th, td { text-align: right; padding: 6px 10px; border-top: 1px solid var(--line); font-variant-numeric: tabular-nums }
th { border: 0; color: var(--soft); font-weight: normal; font-size: 13px }
th:first-child, td:first-child { text-align: left; padding-left: 0 }
.pairs { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(440px, 100%), 1fr)); gap: 14px;
  margin-top: 12px }
.narrow { grid-template-columns: repeat(auto-fill, minmax(230px, 1fr)) }
.pair { background: var(--paper); border: 1px solid var(--line); border-radius: 12px; padding: 12px 16px;
  display: flex; flex-direction: column; justify-content: space-between; gap: 10px }
.pair p { font-size: 13.5px; line-height: 1.45; display: -webkit-box; -webkit-line-clamp: 3;
  -webkit-box-orient: vertical; overflow: hidden; overflow-wrap: anywhere }
.row { display: grid; grid-auto-flow: column; grid-auto-columns: minmax(0, 1fr); gap: 10px }
.row img { width: 100%; max-width: none }
.wide { overflow-x: auto } .wide td { white-space: nowrap; font-size: 14px; padding: 5px 10px; line-height: 1.35 }
.wide td.say, th.say { text-align: left; white-space: normal; overflow-wrap: anywhere }
.wide th { vertical-align: bottom; line-height: 1.3 }
.wide td .soft { display: block; font-size: 11.5px } .wide .more td { border-top: 0 }
.chips { display: flex; flex-wrap: wrap; gap: 6px; margin-top: 10px }
.chips span { border: 1px solid var(--line); border-radius: 999px; padding: 0 10px; font-size: 13px }
.chips i, .value i { font-style: normal; color: var(--soft); font-variant-numeric: tabular-nums; font-size: 12px }
.value { display: grid; grid-template-columns: 38% 1fr 52px; gap: 10px; align-items: center; font-size: 13.5px }
.value span { overflow: hidden; text-overflow: ellipsis; white-space: nowrap }
.value i { text-align: right }
.bar { background: #eef0f3; border-radius: 4px; height: 10px }
.bar div { background: var(--bar); border-radius: 4px; height: 10px; min-width: 2px }
.few .bar div { background: #e08a00 }
pre { margin: 4px 0 14px; padding: 10px 14px; border-radius: 8px; background: #f0f1f3; font-size: 13px;
  line-height: 1.5; white-space: pre-wrap; overflow-wrap: anywhere }
footer { margin-top: 48px; border-top: 1px solid var(--line); padding-top: 16px }
footer p { color: var(--soft); font-size: 13px }
@media print { body { background: #fff } .card, figure { break-inside: avoid } }
"""
