"""An explanation as one HTML page that needs nothing else: no scripts, no fonts or images from elsewhere.

Everything that comes from the workspace is escaped, and the page's policy forbids whatever could slip through to run or to
be fetched.
"""

from __future__ import annotations

from html import escape

from c2llm_lsp.render.heat import HEATS, STRONG, Part, Row, rows_of, sentences, signed
from c2llm_lsp.render.snippet import clean
from retrieval.types import Explanation

_STYLE = """
:root { color-scheme: light dark; --ground: #fff; --text: #1f2328; --dim: #6e7781; --rule: #d8dee4; --good: #1a7f37;
  --bad: #cf222e; --bar: #f0b429; --h1: #fff3cf; --h2: #ffdf8f; --h3: #ffbe5c; --h4: #ff9248; }
@media (prefers-color-scheme: dark) { :root { --ground: #0d1117; --text: #e6edf3; --dim: #8b949e; --rule: #30363d;
  --good: #3fb950; --bad: #f85149; --bar: #bb8009; --h1: #3b2e0a; --h2: #5e4509; --h3: #8a5a0a; --h4: #b3560f; } }
body { background: var(--ground); color: var(--text); font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto;
  max-width: 72rem; padding: 0 1rem; }
h1 { font-size: 1.15rem; margin: 0; overflow-wrap: anywhere; }
h1 code { color: inherit; }
p, ul { margin: .35rem 0; } ul { padding-left: 1.2rem; }
.dim { color: var(--dim); }
.code { overflow-x: auto; border: 1px solid var(--rule); border-radius: 6px; margin: 1rem 0; padding: .5rem 0; }
table { border-collapse: collapse; font: 13px/1.55 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
td, th { padding: 0 .6rem; white-space: pre; text-align: right; vertical-align: top; font-weight: normal; }
td.text { text-align: left; } th { color: var(--dim); }
.bar { display: inline-block; height: .8em; background: var(--bar); border-radius: 1px; vertical-align: middle; }
.track { display: inline-block; width: 4rem; text-align: left; }
.plus { color: var(--good); } .minus { color: var(--bad); } .strong { font-weight: 700; }
.unread td { opacity: .45; }
.h1 { background: var(--h1); } .h2 { background: var(--h2); } .h3 { background: var(--h3); } .h4 { background: var(--h4); }
.h1, .h2, .h3, .h4 { border-radius: 2px; color: var(--text); }
"""


def page(explanation: Explanation) -> str:
    """The whole document."""
    chunk = explanation.chunk
    place = f"{chunk.path}:{chunk.start_line}-{chunk.end_line}"
    looks, asked = bool(explanation.looks), explanation.similarity is not None
    heads = "<th>line</th>" + "<th>looks</th>" * looks + "<th>effect</th>" * asked + "<th></th>"
    rows = "\n".join(_row(row, looks=looks, asked=asked) for row in rows_of(explanation))
    asked_for = f"<p>for the query <q>{_safe(explanation.query)}</q></p>" if explanation.query else ""
    said = "\n".join(f"<li>{_safe(sentence)}</li>" for sentence in sentences(explanation))
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{_safe(place)}</title>
<style>{_STYLE}</style>
</head>
<body>
<h1><code>{_safe(place)}</code></h1>
<p class="dim">{_safe(chunk.kind)} {_safe(chunk.qualified)} · model {_safe(explanation.encoder)}</p>
{asked_for}
<div class="code"><table>
<thead><tr>{heads}</tr></thead>
<tbody>
{rows}
</tbody>
</table></div>
{_legend() if looks else ""}
<ul>
{said}
</ul>
</body>
</html>
"""


def _row(row: Row, *, looks: bool, asked: bool) -> str:
    cells = [f"<td class='dim'>{row.line}</td>"]
    if looks:
        share = f"{row.attention:.1%}" if row.attention else ""
        bar = f"<span class='track'><span class='bar' style='width:{100 * row.bar:.0f}%'></span></span>"
        cells.append(f"<td class='dim'>{bar} {share:>6}</td>")
    if asked:
        cells.append(_effect(row))
    cells.append(f"<td class='text'>{''.join(map(_part, row.parts))}</td>")
    return f"<tr{'' if row.read else ' class=unread'}>{''.join(cells)}</tr>"


def _effect(row: Row) -> str:
    if row.effect is None or row.small:
        return f"<td class='dim'>{signed(row.effect)}</td>"
    kind = ("plus" if row.effect > 0 else "minus") + (" strong" if row.strength >= STRONG else "")
    return f"<td class='{kind}'>{signed(row.effect)}</td>"


def _part(part: Part) -> str:
    if not part.weight:
        return _safe(part.text)
    heat = f" class='h{part.heat}'" if part.heat else ""
    return f"<span{heat} title='{part.weight:.2%}'>{_safe(part.text)}</span>"


def _legend() -> str:
    steps = " ".join(f"<span class='h{n}'>&nbsp;{heat:g}&nbsp;×&nbsp;</span>" for n, heat in enumerate(HEATS, 1))
    return f"<p class='dim'>A token's share of the attention, in parts of an even one: {steps}. Point at a token to read it.</p>"


def _safe(text: str) -> str:
    return escape(clean(text), quote=True)
