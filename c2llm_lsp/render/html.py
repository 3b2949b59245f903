"""An explanation as one self-contained HTML page: no scripts, no external fonts or images.

All text of the workspace is escaped, and the page's Content-Security-Policy forbids scripts and requests.
"""

from __future__ import annotations

from c2llm_lsp.render.escape import escape_html
from c2llm_lsp.render.heat import HEAT_THRESHOLDS, STRONG, HeatRow, HeatSpan, format_effect, heat_rows, summary
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


def render_page(explanation: Explanation) -> str:
    """The whole document."""
    chunk = explanation.chunk
    location = f"{chunk.path}:{chunk.start_line}-{chunk.end_line}"
    has_attention, has_effect = bool(explanation.tokens), explanation.similarity is not None
    heads = "<th>line</th>" + "<th>attention</th>" * has_attention + "<th>effect</th>" * has_effect + "<th></th>"
    rows = "\n".join(_row(row, has_attention=has_attention, has_effect=has_effect) for row in heat_rows(explanation))
    query = f"<p>for the query <q>{escape_html(explanation.query)}</q></p>" if explanation.query else ""
    sentences = "\n".join(f"<li>{escape_html(sentence)}</li>" for sentence in summary(explanation))
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape_html(location)}</title>
<style>{_STYLE}</style>
</head>
<body>
<h1><code>{escape_html(location)}</code></h1>
<p class="dim">{escape_html(chunk.kind)} {escape_html(chunk.qualified)} · model {escape_html(explanation.encoder)}</p>
{query}
<div class="code"><table>
<thead><tr>{heads}</tr></thead>
<tbody>
{rows}
</tbody>
</table></div>
{_legend() if has_attention else ""}
<ul>
{sentences}
</ul>
</body>
</html>
"""


def _row(row: HeatRow, *, has_attention: bool, has_effect: bool) -> str:
    cells = [f"<td class='dim'>{row.line}</td>"]
    if has_attention:
        share = f"{row.attention:.1%}" if row.attention else ""
        bar = f"<span class='track'><span class='bar' style='width:{100 * row.bar:.0f}%'></span></span>"
        cells.append(f"<td class='dim'>{bar} {share:>6}</td>")
    if has_effect:
        cells.append(_effect(row))
    cells.append(f"<td class='text'>{''.join(map(_span, row.spans))}</td>")
    return f"<tr{'' if row.read else ' class=unread'}>{''.join(cells)}</tr>"


def _effect(row: HeatRow) -> str:
    if row.effect is None or row.negligible:
        return f"<td class='dim'>{format_effect(row.effect)}</td>"
    kind = ("plus" if row.effect > 0 else "minus") + (" strong" if row.strength >= STRONG else "")
    return f"<td class='{kind}'>{format_effect(row.effect)}</td>"


def _span(span: HeatSpan) -> str:
    if not span.weight:
        return escape_html(span.text)
    heat = f" class='h{span.heat}'" if span.heat else ""
    return f"<span{heat} title='{span.weight:.2%}'>{escape_html(span.text)}</span>"


def _legend() -> str:
    steps = " ".join(
        f"<span class='h{n}'>&nbsp;{heat:g}&nbsp;×&nbsp;</span>" for n, heat in enumerate(HEAT_THRESHOLDS, 1)
    )
    return (
        f"<p class='dim'>Attention of a token relative to a uniform one: {steps}. Hover over a token for its share.</p>"
    )
