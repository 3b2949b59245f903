"""A separate process for large index jobs, so that they do not hold up the one that answers queries.

Reading, tokenizing, storing and building a graph are Python that runs under the interpreter's lock: beside it a query
waits for its turn some hundred times. So a session that finds much to do starts this process, which opens the same
workspace with a session of its own, becomes its writer, does the job and the maintenance behind it, and ends. The
parent goes on answering, follows the commits as it would those of any other writer, passes on what changes meanwhile,
and receives the progress.

The child ends when its stdin does: when it is no longer needed, and when the parent is gone, whatever killed it. What it
did is stored, so whoever comes next goes on from there. What it writes to stderr, such as why it died, is in the
parent's log.

`messages` are what the two say to each other, `parent` starts the process and talks with it, `child` is its program.
"""
