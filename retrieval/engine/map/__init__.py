"""A map of a workspace: its files as points that are near where their vectors are, in clusters that are named by their terms."""

from retrieval.engine.map.repository_map import MAX_FILES, NO_VECTORS, Cluster, MappedFile, RepositoryMap, map_workspace

__all__ = ["MAX_FILES", "NO_VECTORS", "Cluster", "MappedFile", "RepositoryMap", "map_workspace"]
