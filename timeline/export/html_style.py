"""The look of the page: one style sheet, nothing fetched, light and dark, paper and telephone.

Filters are radio buttons and check boxes that stand before the table; rules made here hide rows by
what is checked, so that the page works from a file, in a mail and without script.
"""

from __future__ import annotations

from timeline.event import Lane

FINDINGS_FILTERED = 12
"""Findings that have a filter of their own; all of them are on the page."""

_LOOK = """
:root{color-scheme:light dark;--paper:#fff;--ink:#16181d;--faint:#5d6470;--rule:#d3d7de;
--panel:#f4f6f8;--bad:#9c3d00;--calm:#0072b2;--good:#00664a}
@media (prefers-color-scheme:dark){:root{--paper:#14161a;--ink:#e4e6ea;--faint:#a2aab6;
--rule:#3a414d;--panel:#1d2127;--bad:#f59a6b;--calm:#7cc5f0;--good:#4fd0a9}
svg .paper{fill:#14161a}svg .ink{fill:#e4e6ea}svg .ink-line{stroke:#e4e6ea}
svg .faint{fill:#a2aab6}svg .faint-line{stroke:#8b93a0}svg .depth-line{stroke:#7cc5f0}
svg .depth{fill:#7cc5f0}svg .error{fill:#f08a4b}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:76rem;padding:1rem;background:var(--paper);color:var(--ink);
font:16px/1.5 system-ui,-apple-system,'Segoe UI','DejaVu Sans',sans-serif}
h1{font-size:1.5rem;line-height:1.25;margin:.2rem 0}
h2{font-size:1.2rem;margin:2rem 0 .5rem;border-bottom:1px solid var(--rule)}
h3{font-size:1rem;margin:0}
h1,h2,h3,p,li,dd,td,summary{overflow-wrap:anywhere}
p{margin:.4rem 0}.lead{font-size:1.2rem;line-height:1.4;margin:.6rem 0}
.next{border-left:4px solid var(--calm);background:var(--panel);padding:.5rem .8rem}
small,.faint{color:var(--faint)}
a{color:var(--calm)}svg .link,svg .link a{fill:var(--calm)}
nav a{margin-right:1rem;white-space:nowrap}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1rem;margin:.5rem 0}
dt{font-weight:600}dd{margin:0}
figure{margin:.5rem 0;overflow-x:auto;border:1px solid var(--rule)}
figure svg{display:block;width:100%;min-width:56rem;height:auto}
.steps{margin:.8rem 0;border-style:solid none}
pre,code{font:13px/1.45 ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace}
pre{margin:.4rem 0;padding:.5rem;background:var(--panel);white-space:pre-wrap;
overflow-wrap:anywhere;max-height:24rem;overflow-y:auto}
table{border-collapse:collapse;width:100%;font-size:.92rem}
th,td{text-align:left;vertical-align:top;padding:.25rem .6rem .25rem 0;
border-bottom:1px solid var(--rule)}
th{color:var(--faint);font-weight:600}.who{overflow-wrap:break-word}
.time,.from{white-space:nowrap;font-variant-numeric:tabular-nums}.from{text-align:right}
.bad .what::before{content:'\\25B2  ';color:var(--bad)}
.pin td{border-top:3px solid var(--ink);border-bottom:3px solid var(--ink);font-weight:600}
.inferred td{font-style:italic}
.finding{border:1px solid var(--rule);border-left:6px solid var(--ink);padding:.7rem 1rem;
margin:1rem 0}.likely{border-left-style:dashed}.possible{border-left-style:dotted}
.finding h3{font-size:1.1rem}.said{font-size:1.05rem}
.verdict{border:1px solid currentColor;border-radius:3px;padding:0 .4rem;font-size:.85rem;
font-weight:600;white-space:nowrap}
.order{white-space:nowrap;font-weight:600}
strong.controls{display:inline-block;min-width:4rem}
label{display:inline-block;margin:.15rem 1rem .15rem .3rem}
details{margin:.4rem 0}summary{cursor:pointer;font-weight:600}
article{margin:0;padding:.6rem 0;border-bottom:1px solid var(--rule)}
article h3 code{font-weight:400}
.more{font-weight:400;color:var(--faint);font-size:.9rem}
article:target,tr:target{outline:2px solid var(--calm);outline-offset:3px}
@media (max-width:44rem){body{padding:.6rem}dl{grid-template-columns:1fr}dd{margin:0 0 .4rem}
table,tbody,tr,td{display:block}thead{display:none}td{border:0;padding:.05rem 0}
td.number,td.time,td.from,td.who{display:inline-block;margin-right:.6rem}
tr{border-bottom:1px solid var(--rule);padding:.4rem 0}.from{text-align:left}
.pin{border:solid var(--ink);border-width:3px 0}.pin td{border:0}}
@page{margin:14mm 12mm}
@media print{:root{--paper:#fff;--ink:#000;--faint:#444;--rule:#999;--panel:#fff;--bad:#000;
--calm:#000;--good:#000}body{max-width:none;padding:0;font-size:9.5pt}nav,.controls,strong.controls{display:none}
svg .paper{fill:#fff}svg .ink{fill:#000}svg .ink-line{stroke:#000}svg .faint{fill:#444}
svg .faint-line{stroke:#777}svg .depth-line{stroke:#0072b2}svg .depth{fill:#0072b2}
svg .error{fill:#d55e00}
h1{font-size:15pt}h2{font-size:12.5pt;margin-top:1.2rem}.lead{font-size:11.5pt}
.finding h3{font-size:11pt}.said{font-size:10.5pt}
table{font-size:8pt}pre,code{font-size:7.5pt}small{font-size:8pt}
a{text-decoration:none}figure{overflow:visible}figure svg{min-width:0}
pre{max-height:none;border:1px solid #999}
tr,figure,.next,.said,dt,dd,li{break-inside:avoid}p,pre{orphans:3;widows:3}
h2,h3,.said,summary,article p{break-after:avoid}
thead{display:table-header-group}
summary{list-style:none}summary::-webkit-details-marker{display:none}
details::details-content{content-visibility:visible;height:auto;opacity:1}}
"""


def rules() -> str:
    """The whole style sheet: the same for every incident."""
    return "\n".join((_LOOK.strip(), *_by_lane(), *_by_choice()))


def _by_lane() -> list[str]:
    """A lane that is unchecked takes its rows away; rows of no lane stay."""
    return [
        f"#lane-{lane}:not(:checked)~table .{lane}{{display:none}}"
        for lane in (one.value for one in Lane)
    ]


def _by_choice() -> list[str]:
    """What a radio button leaves of the table."""
    names = ("short", "bad", *(f"f{number}" for number in range(1, FINDINGS_FILTERED + 1)))
    return [f"#only-{name}:checked~table tbody tr:not(.{name}):not(.own){{display:none}}"
            for name in names]  # fmt: skip
