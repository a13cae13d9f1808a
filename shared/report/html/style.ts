import { verdicts } from '../wording.ts'

const shown = verdicts
  .map((it) => `body:has(#show-${it}:checked) [data-verdict]:not([data-verdict=${it}]):not(td *){display:none}`)
  .join('\n')

/** The page's only style sheet. After a change of it the test names the new `styleHash`. */
export const style = `
:root{--back:#fff;--panel:#f6f8fa;--text:#1c2128;--soft:#59636e;--line:#d5dbe1;--link:#0a58ca;
--in-step:#1a7f4b;--out-of-step:#c62f2a;--changing:#946200;--unknown:#7a45d6;--not-applicable:#7d8792}
@media (prefers-color-scheme:dark){:root{--back:#0f141a;--panel:#181f27;--text:#e4eaf0;--soft:#9aa5b1;--line:#303a45;--link:#74b0ff;
--in-step:#45c082;--out-of-step:#ff746c;--changing:#e3aa35;--unknown:#b994ff;--not-applicable:#7f8b98}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:1360px;padding:1.5rem 2rem 4rem;background:var(--back);color:var(--text);
font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;overflow-wrap:anywhere}
code,pre,.name,.evidence,.figures{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;font-size:.86em}
h1{font-size:1.6rem;line-height:1.25;margin:.1rem 0 .3rem}
h2{font-size:1.15rem;margin:2.2rem 0 .6rem}
h3{font-size:1rem;margin:1.6rem 0 .6rem}
h4{font-size:.95rem;margin:0;font-weight:600}
p{margin:.35rem 0}
a{color:var(--link)}
.tool{color:var(--soft);font-size:.85rem;letter-spacing:.02em;margin:0}
.where{color:var(--soft);font-weight:400;font-size:.9rem}
.badge{display:inline-block;white-space:nowrap;border:1px solid;border-radius:1em;padding:0 .65em;font:600 .8rem/1.6 system-ui,sans-serif;vertical-align:middle}
.badge.in-step{color:var(--in-step)}.badge.out-of-step{color:var(--back);background:var(--out-of-step);border-color:var(--out-of-step)}
.badge.changing{color:var(--changing)}.badge.unknown{color:var(--unknown)}.badge.not-applicable{color:var(--soft)}
.facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(13rem,1fr));gap:.8rem 1.5rem;margin:1rem 0;padding:.9rem 1.1rem;background:var(--panel);border-radius:8px}
.facts dt{color:var(--soft);font-size:.8rem}
.facts dd{margin:0;font-variant-numeric:tabular-nums}
.finding{border:1px solid var(--line);border-left:5px solid var(--line);border-radius:6px;padding:.8rem 1.1rem;margin:.7rem 0}
.finding.critical{border-left-color:var(--out-of-step)}.finding.warning{border-left-color:var(--changing)}
.critical .severity,.code.critical{color:var(--out-of-step)}.warning .severity,.code.warning{color:var(--changing)}.info .severity{color:var(--soft)}
.code{white-space:nowrap;font:600 .78rem/1.5 ui-monospace,Menlo,Consolas,"DejaVu Sans Mono",monospace}
.label{color:var(--soft);font-size:.8rem;margin:.7rem 0 .1rem}
.evidence{list-style:none;margin:0;padding:0}
pre{margin:0;padding:.6rem .8rem;background:var(--panel);border-radius:5px;white-space:pre-wrap}
pre code{user-select:all;font-size:.92em}
.strip{display:block;max-width:100%;height:auto;margin:.4rem 0}
path{fill:none;stroke-dasharray:12 2}
path.in-step{stroke:var(--in-step);stroke-width:6}path.out-of-step{stroke:var(--out-of-step);stroke-width:12}
path.changing{stroke:var(--changing);stroke-width:9}path.unknown{stroke:var(--unknown);stroke-width:12;stroke-dasharray:6 8}
path.not-applicable{stroke:var(--not-applicable);stroke-width:3}
.legend{display:flex;flex-wrap:wrap;gap:.2rem 1.2rem;list-style:none;margin:.4rem 0 1rem;padding:0;font-size:.88rem}
.filter{display:flex;flex-wrap:wrap;gap:.3rem 1.1rem;align-items:center;border:0;margin:1.2rem 0 .3rem;padding:0;font-size:.9rem}
.filter legend{float:left;margin:0 1rem 0 0;padding:0;color:var(--soft)}
table{width:100%;border-collapse:collapse;font-size:.9rem}
caption{text-align:left;color:var(--soft);font-size:.82rem;padding:.2rem 0}
th{overflow-wrap:normal;text-align:left;color:var(--soft);font-weight:500;font-size:.8rem}
th,td{padding:.4rem .9rem .4rem 0;border-bottom:1px solid var(--line);vertical-align:top}
.bar{vertical-align:middle}.bar path{stroke-dasharray:none}
.count{display:inline-block;min-width:2.6em;font-variant-numeric:tabular-nums}
.words,.figures{white-space:nowrap}
summary{cursor:pointer}
main>section>details{border:1px solid var(--line);border-radius:8px;margin:.4rem 0;padding:0 1.1rem}
main>section>details>summary{padding:.55rem 0}
main>section>details[open]{padding-bottom:1rem}
main>section>details>summary>.name{font-weight:600;font-size:.95em}
.why{display:block;color:var(--soft);font-size:.9rem;margin-left:1.1rem}
.more{display:inline}.more summary{display:inline;color:var(--link)}
.changes{padding-left:2rem}
${shown}
@media (max-width:1020px){
body{padding:1rem 1rem 3rem}
thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
table,tbody,tr,td,caption{display:block}
tr{padding:.6rem 0;border-bottom:1px solid var(--line)}
td{display:grid;grid-template-columns:7.2rem 1fr;gap:.6rem;border:0;padding:.08rem 0}
td:empty{display:none}
.words,.figures{white-space:normal}
td::before{content:attr(data-head);color:var(--soft);font:.8rem/1.7 system-ui,sans-serif}
td>*{justify-self:start}
}
@media print{body{max-width:none;padding:0}.filter{display:none}}
`

export const styleHash = 'sha256-1VqhIm9hhAnIJodXx/jiwynPXygu0LYhWRHUcWyqWVE='
