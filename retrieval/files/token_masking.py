"""Masks access tokens of known forms in any file: what is stored, shown and sent to assistants has stars in their place.

The forms are those that the services document for secret scanning; gitleaks' rules (MIT, config/gitleaks.toml) list the same
ones. A token is a prefix that nobody else uses, and random characters behind it. The first four characters stay, so that one
sees what it was; every other one becomes a star, which has as many bytes, so that lines and offsets stay as they are.

Few texts hold a token, and looking for forty prefixes costs as much as a parse. So a text is first looked at for a run of
20 characters of the kind that tokens are made of, with two passes in C: 10 microseconds for 10 KB. Only runs are matched.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

# Where masking is changed, files that are indexed are read again.
MASKING_VERSION = 1
_KEPT = 4  # characters of a token that stay
_RUN = 20  # the shortest token with its prefix
_BEFORE = 64  # bytes before a run that may belong to its token: a name and an assignment, or what stands before a dot
_PARTS = 8  # of a token with dots, at most
_SPARSE = 200  # bytes a run; where there are more runs, one pass over all of the text costs less than one for each

_WORD = "A-Za-z0-9_-"
# What a token looks like, by what it gives access to. Each run of characters has one place where one can begin.
FORMS = {
    "Amazon Web Services, key id": r"A(?:KIA|SIA|BIA|CCA)[A-Z0-9]{16}(?![A-Za-z0-9])",
    "Google, API key": rf"AIza[{_WORD}]{{35}}",
    "Google, client secret": rf"GOCSPX-[{_WORD}]{{28}}",
    "Google, access token": rf"ya29\.[{_WORD}]{{20,1000}}",
    "GitHub": r"gh[pousr]_[A-Za-z0-9]{36,255}",
    "GitHub, fine-grained": r"github_pat_[A-Za-z0-9_]{60,255}",
    "GitLab": rf"gl(?:pat|ptt|dt|rt|soat|cbt)-[{_WORD}]{{20,255}}",
    "Slack": r"xox[abeoprs]-[A-Za-z0-9-]{16,255}",
    "Slack, app": r"xapp-[0-9]-[A-Za-z0-9-]{16,255}",
    "Slack, webhook": r"hooks\.slack\.com/(?:services|workflows)/[A-Za-z0-9+/]{40,80}",
    "Stripe": r"[prs]k_(?:live|test|prod)_[A-Za-z0-9]{16,255}",
    "Stripe, webhook": r"whsec_[A-Za-z0-9+/]{32,255}",
    "npm": r"npm_[A-Za-z0-9]{36}(?![A-Za-z0-9])",
    "PyPI": rf"pypi-AgE[{_WORD}]{{50,1000}}",
    "JSON Web Token": rf"eyJ[{_WORD}]{{10,}}\.eyJ[{_WORD}]{{10,}}\.[{_WORD}]{{10,}}",
    "OpenAI": rf"sk-[{_WORD}]{{0,100}}T3BlbkFJ[{_WORD}]{{20,255}}",
    "OpenAI, Anthropic, OpenRouter": rf"sk-(?:proj|svcacct|admin|ant|or)-[{_WORD}]{{30,255}}",
    "Hugging Face": r"hf_[A-Za-z]{34}(?![A-Za-z0-9])",
    "SendGrid": rf"SG\.[{_WORD}]{{22}}\.[{_WORD}]{{43}}",
    "DigitalOcean": r"do[opr]_v1_[a-f0-9]{64}",
    "Databricks": r"dapi[a-f0-9]{32}",
    "Docker": rf"dckr_[po]at_[{_WORD}]{{27,64}}",
    "Vault": rf"hv[bs]\.[{_WORD}]{{24,255}}",
    "Shopify": r"shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}",
    "Grafana": r"glsa_[A-Za-z0-9_]{32,64}",
    "Linear": r"lin_api_[A-Za-z0-9]{40}",
    "RubyGems": r"rubygems_[a-f0-9]{48}",
    "Postman": r"PMAK-[a-f0-9]{24}-[a-f0-9]{34}",
    "Telegram": rf"[0-9]{{8,10}}:AA[{_WORD}]{{33}}",
}
_TOKEN = re.compile(rf"(?<![{_WORD}])(?:{'|'.join(FORMS.values())})".encode())
# These have no prefix; the name before them tells.
_NAMED = re.compile(
    rb"(?:secret_?access_?key|account_?key)[\"']?[ \t]{0,8}[=:]>?[ \t]{0,8}[\"']?([A-Za-z0-9/+]{40,88}={0,2})(?![A-Za-z0-9/+])",
    re.IGNORECASE,
)
_MIXED = re.compile(rb"[A-Z0-9]")
_NAMES = (b"ccess_key", b"CCESS_KEY", b"ccessKey", b"ccesskey", b"ccountKey", b"ccount_key", b"CCOUNT_KEY")
_CLASSES = bytes(
    ord("a") if chr(code).isascii() and (chr(code).isalnum() or chr(code) in "_-+/=") else ord(" ")
    for code in range(256)
)


def mask_tokens(text: str) -> str:
    """The text with stars in place of tokens; the same object where it holds none."""
    data = text.encode("utf-8", "surrogatepass")
    masked = _mask(data)
    return text if masked is None else masked.decode("utf-8", "surrogatepass")


def _mask(data: bytes) -> bytearray | None:
    """The masked bytes; None where nothing is to be masked."""
    spans = list(_candidates(data))
    if not spans:
        return None
    if len(spans) > len(data) // _SPARSE:
        spans = [(0, len(data))]
    patterns = [_TOKEN, _NAMED] if any(name in data for name in _NAMES) else [_TOKEN]
    masked: bytearray | None = None
    for start, end in spans:
        for pattern in patterns:
            for match in pattern.finditer(data, start, end):
                first, last = match.span(1) if pattern is _NAMED else (match.start() + _KEPT, match.end())
                masked = masked if masked is not None else bytearray(data)
                masked[first:last] = b"*" * (last - first)
    return masked


def _candidates(data: bytes) -> Iterator[tuple[int, int]]:
    """The runs that are long enough, of more than small letters, each with what stands before it."""
    runs = data.translate(_CLASSES)
    needle = b"a" * _RUN
    at = runs.find(needle)
    while at >= 0:
        end = _end_of(runs, data, at)
        if _MIXED.search(data, at, end):
            yield max(0, at - _BEFORE), end
        at = runs.find(needle, end)


def _end_of(runs: bytes, data: bytes, at: int) -> int:
    """Where a run ends, with those that dots and colons join to it."""
    end = at
    for _ in range(_PARTS):
        space = runs.find(b" ", end)
        end = len(runs) if space < 0 else space
        if data[end : end + 1] not in (b".", b":") or runs[end + 1 : end + 2] != b"a":
            break
        end += 1
    return end
