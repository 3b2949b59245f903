"""Git's patterns for paths: one pattern, the rules of an ignore file, path filters. Matching takes bounded time."""

from __future__ import annotations

from retrieval.globs.filters import Globs
from retrieval.globs.rules import MAX_RULES, MAX_WILDCARDS, Rule, RuleSet, decide, parse_rule

__all__ = ["MAX_RULES", "MAX_WILDCARDS", "Globs", "Rule", "RuleSet", "decide", "parse_rule"]
