"""Code samples in several languages, on which an exported model is compared with its source."""

from __future__ import annotations

PYTHON = """src/config.py
load_settings
def load_settings(path):
    with open(path) as handle:
        return json.load(handle)
"""
TYPESCRIPT = """web/retry.ts
fetchWithRetry
export async function fetchWithRetry(url: string, attempts: number) {
  for (let attempt = 0; attempt < attempts; attempt++) {
    const response = await fetch(url);
    if (response.ok) return response;
    await sleep(100 * 2 ** attempt);
  }
  throw new Error(`gave up on ${url}`);
}
"""
GO = """core/queue.go
Push
func (q *Queue) Push(job Job) {
\tq.mu.Lock()
\tdefer q.mu.Unlock()
\tq.jobs = append(q.jobs, job)
}
"""
RUST = """lib/tree.rs
insert
pub fn insert(&mut self, key: u64) -> bool {
    match self.root.take() {
        None => { self.root = Some(Box::new(Node::new(key))); true }
        Some(node) => self.descend(node, key),
    }
}
"""
SQL = "SELECT c.name, sum(o.total) FROM orders o JOIN customers c ON c.id = o.customer_id GROUP BY 1 ORDER BY 2 DESC;"
SAMPLES = (PYTHON, TYPESCRIPT, GO, RUST, SQL, "x = 1", "größe = {'é': '🎉', '日本語': None}")
