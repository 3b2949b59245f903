"""The default excludes, as tables; `.c2llmignore` overrides them.

Build output: a folder with such a name is excluded only next to the manifest of a tool that writes there (`target` beside
Cargo.toml), so that a source package called `build` or `dist` is indexed. `lib` and `src` are never excluded. Secrets and
version control folders are excluded whatever an ignore file says.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from retrieval.files.secret_names import holds_key, is_secret_path

VCS_DIRECTORIES = frozenset({".git", ".hg", ".svn", ".bzr", ".jj", "CVS", "_darcs", ".pijul"})

# Names that nobody gives to a source folder.
TOOL_DIRECTORIES = frozenset(
    """
    node_modules bower_components jspm_packages .yarn .pnpm-store
    .venv .virtualenv site-packages __pycache__ __pypackages__ .eggs .tox .nox .direnv
    .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache .pytype .pyre .ipynb_checkpoints htmlcov
    .cache .parcel-cache .turbo .next .nuxt .svelte-kit .angular .astro .expo .docusaurus .vercel .netlify .nyc_output
    .gradle .idea .vs .vscode-test .history .metals .bloop .bsp .terraform .serverless .aws-sam .dart_tool .bundle
    .zig-cache zig-cache zig-out .stack-work dist-newstyle elm-stuff DerivedData CMakeFiles .ccls-cache .clangd
    .Trash .Spotlight-V100 .fseventsd $RECYCLE.BIN
    """.split()
)
TOOL_DIRECTORY_ENDINGS = (".egg-info", ".dist-info", ".xcodeproj", ".xcworkspace", ".app", ".framework", ".dSYM")
TOOL_DIRECTORY_BEGINNINGS = ("cmake-build-",)

# A folder that contains one of these is an environment or a cache, whatever its name.
MARKER_ENTRIES = frozenset({"pyvenv.cfg", "CACHEDIR.TAG", "conda-meta"})

_PYTHON = ("setup.py", "setup.cfg", "pyproject.toml")
_JAVASCRIPT = ("package.json", "tsconfig.json", "deno.json")
_JVM = ("pom.xml", "build.gradle", "build.gradle.kts", "build.sbt", "settings.gradle", "settings.gradle.kts")
_NATIVE = ("CMakeLists.txt", "meson.build")
_DOTNET = (".csproj", ".fsproj", ".vbproj", ".sln", ".slnx")  # endings, not names
# Folder name -> manifests next to which it is build output.
OUTPUT_DIRECTORIES: dict[str, tuple[str, ...]] = {
    "build": (*_PYTHON, *_JVM, *_NATIVE, "pubspec.yaml"),
    "dist": (*_PYTHON, *_JAVASCRIPT),
    "out": (*_JAVASCRIPT, *_JVM, "foundry.toml"),
    "target": ("Cargo.toml", *_JVM),
    "bin": _DOTNET,
    "obj": _DOTNET,
    "coverage": _JAVASCRIPT,
    "vendor": ("composer.json", "go.mod", "Gemfile", "composer.lock"),
    "Pods": ("Podfile",),
    "Carthage": ("Cartfile",),
    ".build": ("Package.swift",),
    "_build": ("mix.exs", "dune-project", "rebar.config", "conf.py"),
    "deps": ("mix.exs",),
    "venv": (*_PYTHON, "requirements.txt"),
}
# Of these, what is excluded even where git tracks it: other people's code, and bundles (`dist` beside package.json).
_VENDOR_DIRECTORIES = frozenset({"vendor", "Pods", "Carthage", "venv"})

_MANIFESTS = frozenset(name for names in OUTPUT_DIRECTORIES.values() if names is not _DOTNET for name in names)

# Catalogues of translations: the same sentences in many languages, which drown the code that shows them.
TRANSLATION_ENDINGS = frozenset("po pot xlf xliff arb tmx strings stringsdict xcstrings".split())
_TRANSLATED = re.compile(  # in languages other than English, which the sources are written in
    r"(?:^|/)(?:i18n|l10n|locales?|lang|langs|languages|translations?|messages|_locales)/(?:[^/]+/)?(?!en\b)"
    r"(?:[a-z]{2}(?:[-_][A-Za-z]{2,4})?|[a-z]+[._-](?!en\b)[a-z]{2}(?:[-_][A-Z]{2})?)\.(?:json|json5|ya?ml|properties|toml|ini)$"
    r"|(?:^|/)values-(?!en\b)[a-z]{2,3}(?:-r[A-Z]{2})?/strings\.xml$"
)
# Measurements, models and recordings as text: no one asks for them in words.
_CATALOGUES = frozenset("json json5 yml yaml properties toml ini xml".split())
DATA_ENDINGS = frozenset(
    """
    aff arff bdf cif dic dxf fasta fastq gcode gff gff3 gpx hex ics iges igs kml ldif mbox mtx osm ply srec srt step stl stp
    vcf vtt
    """.split()
)

LOCK_FILES = frozenset(
    """
    package-lock.json npm-shrinkwrap.json yarn.lock pnpm-lock.yaml bun.lock bun.lockb deno.lock
    poetry.lock uv.lock pdm.lock Pipfile.lock pixi.lock conda-lock.yml Cargo.lock Gemfile.lock composer.lock
    go.sum go.work.sum mix.lock rebar.lock pubspec.lock Podfile.lock Cartfile.resolved Package.resolved
    packages.lock.json gradle.lockfile flake.lock .terraform.lock.hcl cabal.project.freeze stack.yaml.lock
    MODULE.bazel.lock
    """.split()
)

BINARY_ENDINGS = frozenset(
    """
    a ai aac aif avi avif bin blend bmp br bz2 cab class cur db db3 deb der dex dll dmg doc docx dylib ear eot eps exe
    fbx flac flv gif glb gz h5 hdf5 heic hnsw ico icns iso jar jpeg jpg jxl lz lz4 lzma m4a m4v mdb mid mkv mov mp3
    mp4 mpeg mpg msi node npy npz o obj odp ods odt ogg ogv onnx opus otf parquet pb pdf pdb pickle pkl png ppt pptx
    psd pt pth pyc pyd pyo rar rlib rmeta rpm safetensors sketch so sqlite sqlite3 svg svgz swf tar tflite tgz
    tif tiff ttc ttf war wasm wav webm webp whl wim wma wmv woff woff2 xcf xls xlsx xz zip zst
    """.split()
)

GENERATED_ENDINGS = (
    ".min.js", ".min.mjs", ".min.cjs", ".min.css", "-min.js", "-min.css", ".bundle.js", ".chunk.js", ".chunk.css",
    ".js.map", ".mjs.map", ".cjs.map", ".css.map", ".ts.map",
    ".snap", "_pb2.py", "_pb2.pyi", "_pb2_grpc.py", ".pb.go", ".pb.gw.go", ".pb.cc", ".pb.h", ".pb.swift",
    ".g.dart", ".freezed.dart", ".g.cs", ".g.i.cs", ".designer.cs", ".tsbuildinfo",
)  # fmt: skip
# What editors and merges leave beside a file: old text of it.
LEFTOVER_ENDINGS = ("~", ".orig", ".rej", ".bak", ".swp", ".swo", ".tmp", ".kate-swp", "___jb_tmp___", "___jb_old___")
LEFTOVER_BEGINNINGS = (".#", "#")  # Emacs: the lock, and the unsaved text, which also ends in "#"
# Behind a file's whole name only (`a.py.save`, Subversion's `a.c.mine` and `a.c.r12`); what `git mergetool` keeps
# (`a_BASE_4711.py`); files that editors, GNOME, FUSE and NFS make while they write.
_LEFTOVER = re.compile(
    r"[^.].*\.\w+\.(?:save|temp|mine|r\d+)|.+_(?:backup|base|local|remote)_\d+\.\w+|4913|"
    r"\.(?:goutputstream-|fuse_hidden|nfs0|~lock\.).*"
)
# The common markers of generated code, in a comment near the top of the file: the comment must begin with the marker, or say
# no more than that of the file. One that speaks about the marker is written by hand.
GENERATED_MARKER = re.compile(
    rb"^[^\S\n]*(?://+|#+|/?\*+!?|--+|;+|<!--|%+|\(\*+|\{-)[^\S\n]*"
    rb"(?:(?:This (?:file|code|module|class|header)(?: is| was| has been)?(?: automatically| auto)?[ -]{0,2})?@generated\b"
    rb"(?![^\n]*\bmarker)"
    rb"|Code generated\b[^\n]*\bDO NOT EDIT\.?[^\S\n]*(?:\*+/|-->|\*\)|-\})?[^\S\n]*\r?$"
    rb"|<auto-?generated\b)",
    re.MULTILINE,
)
_ARMOR = b"-----BEGIN PGP"
_QT_CATALOGUE = re.compile(rb"\s{0,99}(?:<\?xml[^>]*>\s{0,99})?<(?:!DOCTYPE TS|TS\b)")
GENERATED_HEADER_BYTES = 1024  # the marker must be within these first bytes

# Formats with long lines: prose has one paragraph per line, notebooks one image per line.
LONG_LINE_FORMATS = (".md", ".markdown", ".mdx", ".rst", ".txt", ".tex", ".adoc", ".org", ".ipynb", ".csv", ".tsv")
MINIFIED_MIN_BYTES = 4096  # bytes; smaller files are cheap anyway
MINIFIED_MEAN_LINE = 300  # characters; hand-written code has 30 to 50


def directory_skip_reason(name: str, siblings: Collection[str]) -> str | None:
    """Why a directory with this name and these siblings is excluded by default."""
    if name in TOOL_DIRECTORIES or name.endswith(TOOL_DIRECTORY_ENDINGS) or name.startswith(TOOL_DIRECTORY_BEGINNINGS):
        return "tool directory"
    manifests = OUTPUT_DIRECTORIES.get(name)
    if manifests is None:
        return None
    if manifests is _DOTNET:
        return BUILD_OUTPUT if any(sibling.endswith(_DOTNET) for sibling in siblings) else None
    if not any(manifest in siblings for manifest in manifests):
        return None
    if name in _VENDOR_DIRECTORIES or (name == "dist" and any(manifest in siblings for manifest in _JAVASCRIPT)):
        return VENDORED if name in _VENDOR_DIRECTORIES else BUNDLED
    return BUILD_OUTPUT


def is_manifest(name: str) -> bool:
    """Whether a file with this name turns a sibling folder into build output."""
    return name in _MANIFESTS or name.endswith(_DOTNET)


def file_skip_reason(path: str) -> str | None:
    """Why a file at this path is excluded by default; a reason in `ALWAYS_EXCLUDED` outranks every ignore file."""
    if is_secret_path(path):
        return SECRET
    name = path.rpartition("/")[2]
    lower_name = name.lower()
    if lower_name == ".git":  # worktrees and submodules have a file of that name
        return VERSION_CONTROL
    if name in LOCK_FILES:
        return "lock file"
    if lower_name.endswith(LEFTOVER_ENDINGS) or _is_unsaved(name) or _LEFTOVER.fullmatch(lower_name):
        return "editor leftover"
    extension = lower_name.rpartition(".")[2]
    for ending, reason in _REASONS_BY_EXTENSION.get(extension, ()):
        if lower_name.endswith(ending):
            return reason
    return TRANSLATIONS if extension in _CATALOGUES and _TRANSLATED.search(path) else None


def _is_unsaved(name: str) -> bool:
    return name.startswith(LEFTOVER_BEGINNINGS) and (name[0] == "." or (len(name) > 2 and name.endswith("#")))


def _reasons_by_extension() -> dict[str, list[tuple[str, str]]]:
    """Endings grouped by what follows their last dot, so that a name is compared with few of them."""
    table: dict[str, list[tuple[str, str]]] = {}
    endings = [("." + ending, "binary") for ending in BINARY_ENDINGS]
    endings += [("." + ending, TRANSLATIONS) for ending in TRANSLATION_ENDINGS]
    endings += [("." + ending, "data") for ending in DATA_ENDINGS]
    endings += [(ending, "generated") for ending in GENERATED_ENDINGS]
    for ending, reason in endings:
        table.setdefault(ending.rpartition(".")[2], []).append((ending, reason))
    return table


SECRET = "secret"
BUILD_OUTPUT = "build output"
TRANSLATIONS = "translations"
VENDORED = "vendored"
BUNDLED = "bundled"
VERSION_CONTROL = "version control"
ALWAYS_EXCLUDED = (SECRET, VERSION_CONTROL)  # no ignore file overrides these
_REASONS_BY_EXTENSION = _reasons_by_extension()


def content_skip_reason(name: str, data: bytes) -> str | None:
    """Why a file with this name and content, its text as UTF-8, is skipped."""
    if holds_key(data) or (name.lower().endswith(".asc") and _ARMOR in data):  # other .asc files are AsciiDoc
        return SECRET
    if GENERATED_MARKER.search(data[:GENERATED_HEADER_BYTES]):
        return "generated"
    if name.lower().endswith(".ts") and _QT_CATALOGUE.match(data):
        return TRANSLATIONS
    if len(data) >= MINIFIED_MIN_BYTES and not name.lower().endswith(LONG_LINE_FORMATS):
        lines = data.count(b"\n") or data.count(b"\r")
        if len(data) > MINIFIED_MEAN_LINE * (lines + 1):
            return "minified"
    return None
