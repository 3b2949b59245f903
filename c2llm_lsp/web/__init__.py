"""The search view in a browser: search, where the model looks in a file, a map of the repository, and near-duplicates.

app.py is the ASGI application, views.py what it answers, run_server.py runs it; static/ is the page, which loads nothing from
elsewhere.
"""
