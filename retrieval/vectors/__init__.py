"""Nearest vectors: exact, or by a graph where there are many. hnswlib is imported where a graph is made, not here."""

from __future__ import annotations

from retrieval.vectors.exact import ExactIndex
from retrieval.vectors.graph_file import GraphStamp, load, save
from retrieval.vectors.hnsw import HnswIndex
from retrieval.vectors.probe import hnsw_problem
from retrieval.vectors.protocol import Searchable, VectorIndex

__all__ = ["ExactIndex", "GraphStamp", "HnswIndex", "Searchable", "VectorIndex", "hnsw_problem", "load", "save"]
