import { verdicts } from '../wording.ts'

const shown = verdicts
  .map((it) => `body:has(#show-${it}:checked) tbody[data-verdict]:not([data-verdict=${it}]){display:none}`)
  .join('\n')

/** The page's only style sheet. After a change of it the test names the new `styleHash`. */
export const style = `
:root{--back:#fff;--panel:#f6f8fa;--text:#1c2128;--soft:#59636e;--line:#d5dbe1;--edge:#7d8792;--link:#0a58ca;
--in-step:#1a7f4b;--out-of-step:#c62f2a;--changing:#946200;--unknown:#7a45d6;--not-applicable:#7d8792}
@media (prefers-color-scheme:dark){:root{--back:#0f141a;--panel:#181f27;--text:#e4eaf0;--soft:#9aa5b1;--line:#303a45;--edge:#7f8b98;--link:#74b0ff;
--in-step:#45c082;--out-of-step:#ff746c;--changing:#e3aa35;--unknown:#b994ff;--not-applicable:#7f8b98}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:1360px;padding:1.5rem 2rem 4rem;background:var(--back);color:var(--text);
font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;overflow-wrap:anywhere}
code,pre,.name,.evidence,.figures{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;font-size:.86em}
h1{font-size:1.6rem;line-height:1.25;margin:.1rem 0 .3rem}
h2{font-size:1.15rem;margin:2.2rem 0 .6rem}
h3{font-size:1rem;margin:1.6rem 0 .6rem}
.finding h3,.finding h4{font-size:.95rem;margin:0;font-weight:600}
p{margin:.35rem 0}
a{color:var(--link)}
.tool{color:var(--soft);font-size:.85rem;letter-spacing:.02em;margin:0}
.lead{font-size:1.05rem;margin:.6rem 0 0;max-width:75ch}
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
.evidence,.evidence ul{list-style:none;margin:0;padding:0}.evidence ul{padding-left:1.5em}
pre{margin:.2rem 0 .5rem;padding:.6rem .8rem;background:var(--panel);border-radius:5px;white-space:pre-wrap}
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
.words:not(.long),.figures:not(.long),.whole{white-space:nowrap}td.text{min-width:7.2em}
summary{cursor:pointer}
.fleet tr:not(.inside)>td{border-bottom:0;padding-bottom:0}
.fleet>tbody>tr>td:first-child{min-width:11rem}
.inside>td{padding-top:.1rem}
.inside>td>details>summary{color:var(--soft);font-size:.88rem}
.inside>td>details>div{padding:.3rem 1.1rem 1rem;border-left:3px solid var(--line);margin:.4rem 0}
#search{display:flex;flex-wrap:wrap;gap:.5rem 1.1rem;align-items:center;margin:.6rem 0;font-size:.9rem}
#search[hidden],#search [hidden],tbody[hidden],.filter[hidden]{display:none}
input,select,button{font:inherit;color:inherit;background:var(--back);border:1px solid var(--edge);border-radius:5px;padding:.15rem .45rem}
input:focus-visible,select:focus-visible,button:focus-visible,summary:focus-visible,a:focus-visible{outline:2px solid var(--link);outline-offset:2px}
.copy{float:right;margin:.35rem .4rem 0 .5rem;font-size:.78rem;cursor:pointer}
.spread{list-style:none;margin:0;padding:0}
.spread li{border-left:5px solid var(--line);padding:.1rem 0 .1rem .9rem;margin:.6rem 0}
.spread li.critical{border-left-color:var(--out-of-step)}.spread li.warning{border-left-color:var(--changing)}
.matrix td a{text-decoration:none;font-size:.9em}
.matrix a.out-of-step{color:var(--out-of-step);font-weight:600}.matrix a.changing{color:var(--changing)}
.matrix a.unknown{color:var(--unknown);font-weight:600}.matrix a.in-step{color:var(--in-step)}.matrix a.not-applicable{color:var(--soft)}
.matrix a:hover{text-decoration:underline}
.pic{margin:1rem 0;padding:.8rem 1.1rem 1rem;background:var(--panel);border-radius:8px}
.pic figcaption{font-weight:600;font-size:.92rem;margin-bottom:.4rem}
.pic svg{display:block}.pic text{font:10px system-ui,sans-serif;fill:var(--text)}
.pic .row{margin:.35rem 0 .1rem}.pic .row p{margin:0;font-size:.88rem;line-height:1.4}
.pic .scale text,.pic text.number{fill:var(--soft)}
.bad{color:var(--out-of-step)}.good{color:var(--in-step)}
.line{stroke:var(--line);stroke-width:1}
rect.given{fill:none;stroke:var(--text)}rect.assumed{fill:none;stroke:var(--text);stroke-dasharray:4 3}
rect.used{fill:var(--text);stroke:var(--text)}rect.wanted{fill:var(--link);stroke:var(--link)}
rect.right{fill:var(--in-step);stroke:var(--in-step)}
rect.missing{fill:none;stroke:var(--out-of-step);stroke-width:1.5;stroke-dasharray:3 2}
rect.extra,rect.twice{fill:url(#hatch);stroke:var(--out-of-step);stroke-width:1.5}
rect.idle,rect.room,rect.free{fill:none;stroke:var(--not-applicable)}
rect.usual{fill:none;stroke:var(--unknown);stroke-dasharray:2 2}
rect.own,rect.mask{fill:var(--changing);stroke:var(--changing)}
rect.endpoint{fill:var(--in-step);stroke:var(--in-step)}
.pic text.own,.pic text.mask,.pic text.endpoint{fill:var(--back)}.pic text.twice{font-weight:700;font-size:11px}
.pic text.stray{fill:var(--unknown);font-size:12px}
.ground{fill:var(--panel)}.bars{fill:var(--out-of-step)}.patterns{position:absolute}
.key{display:flex;flex-wrap:wrap;gap:.15rem 1.1rem;list-style:none;margin:.5rem 0 0;padding:0;font-size:.82rem;color:var(--soft)}
.key svg{display:inline-block;vertical-align:-1px}
.ladder{display:flex;flex-wrap:wrap;gap:.5rem 3rem;font-size:.9rem}.ladder ol,.ladder ul{list-style:none;margin:0;padding:0}
.ladder p{margin:0 0 .2rem;color:var(--soft);font-size:.85rem}
.ladder svg{display:inline-block;vertical-align:middle}.ladder li{line-height:22px}.ladder .here{font-weight:600}
circle.past{fill:var(--text)}circle.ahead{fill:var(--panel);stroke:var(--text);stroke-width:1.5}rect.here{fill:var(--link)}
.when svg{overflow:visible}.when rect.in-step{fill:var(--in-step)}.when rect.out-of-step{fill:var(--out-of-step)}.when rect.changing{fill:var(--changing)}
.when rect.unknown{fill:var(--unknown)}.when rect.not-applicable{fill:var(--not-applicable)}.when rect.gap{fill:none;stroke:var(--soft);stroke-dasharray:2 3}
.pic text.step{font-size:12px}.pic text.lost{fill:var(--out-of-step);font-size:13px;font-weight:700}rect.watched{fill:var(--in-step)}
.times{display:flex;justify-content:space-between;font-size:.78rem;color:var(--soft)}
.unseen{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
footer{margin-top:2.5rem;padding-top:.6rem;border-top:1px solid var(--line);color:var(--soft);font-size:.85rem}
.more{display:inline}.more summary{display:inline;color:var(--link)}
.name i{font-style:normal}.name i,.spread a.name{display:inline-block}
.changes{padding-left:2rem}
${shown}
@media screen and (max-width:1020px){
body{padding:1rem 1rem 3rem}
thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
table,tbody,tr,td,caption{display:block}
tr{padding:.6rem 0;border-bottom:1px solid var(--line)}
td{display:grid;grid-template-columns:7.2rem 1fr;gap:.6rem;border:0;padding:.08rem 0}
td:empty{display:none}
.inside>td{display:block}.inside>td::before{content:none}.inside{padding-top:0}.fleet tr:not(.inside){border-bottom:0;padding-bottom:0}
.inside>td>details>div{padding:.3rem 0 1rem .7rem}.pic{padding:.7rem .7rem .9rem}
.words:not(.long),.figures:not(.long),.whole{white-space:normal}.name.whole{display:inline-block}
td::before{content:attr(data-head);color:var(--soft);font:.8rem/1.7 system-ui,sans-serif}
td>*{justify-self:start}
}
@media print{
@page{size:A4;margin:16mm 12mm 16mm;@top-left{content:'calico-ipvs-sync · ' var(--head);white-space:nowrap;font:8pt system-ui,sans-serif;color:#444}@top-right{content:counter(page) ' of ' counter(pages);font:8pt system-ui,sans-serif;color:#444}}
:root{--head:attr(data-head);--back:#fff;--panel:#fff;--text:#000;--soft:#444;--line:#bbb;--link:#0a3d8f}
*{print-color-adjust:exact}
html{font-size:9pt}footer{margin-top:1rem}
body{max-width:none;padding:0;font-size:9pt;line-height:1.35}
.filter,#search,.copy{display:none}
h1{font-size:15pt}h2{font-size:12pt;margin:1rem 0 .3rem}h3{margin:.6rem 0 .2rem}
h2,h3,h4,summary,figcaption,.label,caption,p:has(+pre),p:has(+.copy){break-after:avoid}summary{list-style:none}
.pic,.spread li,tr,pre,.evidence,footer,.inside table{break-inside:avoid}p{orphans:3;widows:3}
.pic{border:1px solid var(--line);padding:.4rem .7rem}.facts{border:1px solid var(--line);padding:.4rem .7rem;gap:.3rem 1rem;margin:.5rem 0}
.finding{padding:.4rem .8rem;margin:.4rem 0}.legend{margin:.2rem 0 .4rem}
td.text .whole:not(.name){white-space:normal}td.text:not(.long){overflow-wrap:break-word;min-width:0}td[data-head="On record"]:not(:empty){min-width:13em}table{font-size:7.5pt}th{font-size:7.5pt}th,td{padding:.12rem .6rem .12rem 0}
.badge{font-size:7.5pt;line-height:1.35;padding:0 .5em}.badge.out-of-step{border-color:currentColor}
pre{border:1px solid var(--line);padding:.25rem .5rem;margin:.1rem 0 .3rem}
details::details-content{content-visibility:visible;block-size:auto}
details.more>summary{color:inherit}
.fleet tr.inside,tr:has(.many){break-inside:auto}.fleet>tbody>tr:first-child{break-after:avoid}
.inside .finding.info,.inside .facts,.inside .strip,.inside .legend,.inside tr[data-verdict=in-step],.inside summary::marker{display:none}
.inside>td>details>div{padding:.1rem 0 .3rem .7rem;margin:.1rem 0}
.inside .pic{padding:.2rem .5rem;margin:.3rem 0}.inside .pic .scale{display:none}
tbody[data-verdict=in-step] .inside,tbody[data-verdict=not-applicable] .inside{display:none}
a{color:inherit;text-decoration:none}
}
`

export const styleHash = 'sha256-lL01NQCLy2NJIKp3b5ioDeU0KR1nN52OvmtPOdoKtaI='
