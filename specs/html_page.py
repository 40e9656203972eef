"""The frame and the style that all reports in HTML share: one file, without a script."""

from __future__ import annotations

from html import escape

_STYLE = """
:root{--ink:#1b1f24;--soft:#59636e;--line:#d8dee4;--paper:#fff;--sheet:#f6f8fa;--good:#1a7f37;
--bad:#c4222f;--open:#8a6100;--badsheet:#fdebec}
@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--soft:#9aa4af;--line:#30363d;--paper:#0d1117;
--sheet:#161b22;--good:#4ac26b;--bad:#ff7b72;--open:#d8a72e;--badsheet:#3a1d20}}
*{box-sizing:border-box}
body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);margin:0 auto;
max-width:76rem;padding:2rem 1.25rem 4rem}
h1{font-size:1.5rem;margin:0}h2{font-size:1.1rem;margin:2.25rem 0 .75rem}
p.under{color:var(--soft);margin:.25rem 0 1.5rem}
.scroll{overflow-x:auto;border:1px solid var(--line);border-radius:8px}
table{border-collapse:collapse;font-size:.85rem;width:100%}
article{border:1px solid var(--line);border-left:4px solid var(--bad);border-radius:6px;
padding:.9rem 1.1rem;margin:0 0 1rem}
article h3{margin:0;font-size:1rem}article p{margin:.35rem 0}
.sums{display:flex;flex-wrap:wrap;gap:.75rem}
.sum{background:var(--sheet);border:1px solid var(--line);border-radius:8px;padding:.7rem 1.1rem;
flex:1 1 9rem}
.sum b{display:block;font-size:1.5rem;line-height:1.2;font-variant-numeric:tabular-nums}
.sum span{color:var(--soft)}
code{font-family:ui-monospace,SFMono-Regular,Menlo,monospace;font-size:.82rem;
overflow-wrap:anywhere}
.soft{color:var(--soft)}
@media(max-width:36rem){body{padding:1.25rem .9rem 3rem}}
"""


def html_page(title: str, under: str, body: str, style: str) -> str:
    """A whole page. *title* and *under* are texts; *body* is HTML, and *style* its further CSS."""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\';'
        " style-src 'unsafe-inline'\">"
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}{style}</style></head><body>"
        f'<h1>{escape(title)}</h1><p class="under">{escape(under)}</p>{body}</body></html>\n'
    )
