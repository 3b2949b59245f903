"""An OpenAI-compatible embeddings server in front of any encoder: one machine with a GPU serves a team."""
