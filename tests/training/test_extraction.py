from __future__ import annotations

import pytest

from retrieval.training.extraction import extract, functions

FILES = {
    "pkg/io.py": '''
class Reader:
    def open_file(self, path):
        """Open the file and read its header."""
        handle = open(path)
        return handle.read(16)
''',
    "src/io.ts": """
export class Reader {
  /** Open the file and read its header. */
  openFile(path: string): string {
    const handle = open(path);
    return handle.read(16);
  }
}
""",
    "io/io.go": """package io

// Open the file and read its header.
func OpenFile(path string) string {
	handle := open(path)
	return handle.Read(16)
}
""",
    "src/io.rs": """
impl Reader {
    /// Open the file and read its header.
    #[inline]
    pub fn open_file(&self, path: &str) -> String {
        let handle = open(path);
        handle.read(16)
    }
}
""",
    "io/Reader.java": """
class Reader {
    /** Open the file and read its header. */
    String openFile(String path) {
        Handle handle = open(path);
        return handle.read(16);
    }
}
""",
    "src/io.c": """
/* Open the file and read its header. */
static char *open_file(const char *path)
{
    int handle = open(path, 0);
    return read_bytes(handle, 16);
}
""",
    "src/io.cpp": """
namespace io {
// Open the file and read its header.
template <typename T>
std::string openFile(const T& path) {
  auto handle = open(path);
  return handle.read(16);
}
}
""",
    "lib/io.rb": """
class Reader
  # Open the file and read its header.
  def open_file(path)
    handle = open(path)
    handle.read(16)
  end
end
""",
    "src/Reader.php": """<?php
class Reader {
    /** Open the file and read its header. */
    public function openFile($path) {
        $handle = open($path);
        return $handle->read(16);
    }
}
""",
    "Reader.kt": """
class Reader {
    /** Open the file and read its header. */
    fun openFile(path: String): String {
        val handle = open(path)
        return handle.read(16)
    }
}
""",
    "Reader.swift": """
class Reader {
    /// Open the file and read its header.
    func openFile(path: String) -> String {
        let handle = open(path)
        return handle.read(16)
    }
}
""",
    "Reader.cs": """
class Reader {
    /// <summary>Open the file and read its header.</summary>
    public string OpenFile(string path) {
        var handle = Open(path);
        return handle.Read(16);
    }
}
""",
    "Reader.scala": """
class Reader {
  /** Open the file and read its header. */
  def openFile(path: String): String = {
    val handle = open(path)
    handle.read(16)
  }
}
""",
    "io.lua": """
--- Open the file and read its header.
local function open_file(path)
  local handle = open(path)
  return handle:read(16)
end
""",
    "io.ex": '''
defmodule Reader do
  @doc """
  Open the file and read its header.
  """
  @spec open_file(String.t()) :: String.t()
  def open_file(path) do
    handle = File.open(path)
    IO.read(handle, 16)
  end
end
''',
    "Io.hs": """module Io where

-- | Open the file and read its header.
openFile :: FilePath -> IO String
openFile path = do
  handle <- open path
  readBytes handle 16
""",
    "io.sh": """
# Open the file and read its header.
open_file() {
  exec 3< "$1"
  head -c 16 <&3
}
""",
}


@pytest.mark.parametrize("path", FILES)
def test_the_doc_of_a_definition_is_paired_with_its_code(path: str) -> None:
    (pair,) = extract(path, FILES[path].encode())
    assert pair.doc.rstrip(".") == "Open the file and read its header"
    assert pair.qualified.split(".")[-1].lower().replace("_", "") == "openfile"
    assert "16" in pair.body and "header" not in pair.body


def test_the_scope_is_part_of_the_name() -> None:
    (pair,) = extract("pkg/io.py", FILES["pkg/io.py"].encode())
    assert pair.qualified == "Reader.open_file"


def test_a_comment_further_away_documents_nothing() -> None:
    source = b"// A remark about this whole package here.\n\n\n\n\n\n\n\n\nfunc Run(x int) int {\n\treturn x + compute(x)*2\n}\n"
    assert extract("a.go", b"package a\n" + source) == []


@pytest.mark.parametrize("path", FILES)
def test_broken_code_raises_nothing(path: str) -> None:
    source = FILES[path].encode()
    for cut in range(0, len(source), 7):
        broken = source[:cut] + b"\xff\x00" + source[cut + 5 :]
        assert all(pair.doc and pair.body for pair in extract(path, broken))


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("a.py", "class A:\n    def read_all(self):\n        return 1\n"),
        ("a.js", "class A { readAll() { return 1 } }"),
        ("a.ts", "function readAll(x: number) { return x }"),
        ("a.go", "package a\nfunc (r *A) readAll() int { return 1 }"),
        ("a.rs", "impl A { fn read_all(&self) -> u8 { 1 } }"),
        ("A.java", "class A { int readAll() { return 1; } }"),
        ("a.c", "static int *read_all(int x)\n{ return 0; }"),
        ("a.cpp", "int A::readAll() { return 1; }"),
        ("a.cs", "class A { int readAll() { return 1; } }"),
        ("a.rb", "class A\n  def read_all\n    1\n  end\nend"),
        ("a.php", "<?php\nfunction readAll() { return 1; }"),
        ("a.sh", "read_all() {\n  echo 1\n}"),
        ("a.kt", "fun readAll(): Int { return 1 }"),
        ("a.swift", "func readAll() -> Int { return 1 }"),
        ("a.scala", "object A { def readAll(x: Int): Int = x }"),
        ("a.lua", "function A.readAll(x)\n  return x\nend"),
        ("a.zig", "fn readAll(x: u8) u8 { return x; }"),
    ],
)
def test_functions_are_found_documented_or_not(path: str, code: str) -> None:
    assert [function.name.lower().replace("_", "") for function in functions(path, code.encode())] == ["readall"]


def test_pairs_come_in_the_order_of_the_file_each_time() -> None:
    source = "\n".join(
        f'def part_{i}(left, right):\n    """Join the parts number {i} of it."""\n    return [left, right, {i}, left + right]\n'
        for i in range(90)
    )
    names = [pair.qualified for pair in extract("m.py", source.encode())]
    assert names == [f"part_{i}" for i in range(60)]
