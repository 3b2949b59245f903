"""Git's path patterns: single patterns, rules of an ignore file, path filters. Matching time is bounded."""

from __future__ import annotations

from retrieval.globs.filters import PathGlobs
from retrieval.globs.rules import MAX_RULES, MAX_WILDCARDS, Rule, RuleSet, decide, parse_rule

__all__ = ["MAX_RULES", "MAX_WILDCARDS", "PathGlobs", "Rule", "RuleSet", "decide", "parse_rule"]
