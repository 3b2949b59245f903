"""The search box in a terminal: results while one types, a preview, and the way into an editor.

c2llm_lsp/query_text.py reads what is typed, searcher.py answers it on a thread of its own, state.py holds what is shown,
view.py draws it, actions.py opens and copies a result, box.py binds keys and runs it all.
"""
