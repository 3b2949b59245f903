"""What a scan includes, what it skips and reports, and what it counts as changed."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from retrieval.errors import WorkspaceError
from retrieval.files import FileStamp, Scanner
from retrieval.files.file_reader import UNSETTLED

LONG_AGO = 1_600_000_000


def lay_out(root: Path, *paths: str, **files: str) -> None:
    for path, text in {**dict.fromkeys(paths, "x = 1\n"), **files}.items():
        full = root / path
        full.parent.mkdir(parents=True, exist_ok=True)
        full.write_text(text)


def age_files(root: Path) -> None:
    """Make all files old enough for their stamps to be stored."""
    for path in root.rglob("*"):
        if path.is_file() and not path.is_symlink():
            os.utime(path, ns=(LONG_AGO * 10**9 + 5, LONG_AGO * 10**9 + 5))


def scanned_paths(root: Path, **options: object) -> set[str]:
    return set(Scanner(root, **options).scan().stamps)  # type: ignore[arg-type]


def reasons(root: Path) -> dict[str, str]:
    return {skip.path: skip.reason for skip in Scanner(root).scan().skipped}


def test_default_excludes_skip_what_nobody_wrote(tmp_path: Path) -> None:
    lay_out(
        tmp_path,
        "src/main.py", ".git/config", ".hg/x", "node_modules/m/index.js", "pkg/node_modules/m/i.js", "__pycache__/a.py",
        ".venv/lib/x.py", ".mypy_cache/x.json", "x.egg-info/PKG-INFO", ".idea/a.xml", "zig-cache/o.zig",
        "package-lock.json", "Cargo.lock", "app.min.js", "app.js.map", "logo.png", "lib.so", "api_pb2.py", "api.pb.go",
    )  # fmt: skip
    assert scanned_paths(tmp_path) == {"src/main.py"}


def test_folders_left_out_by_default_are_told_with_their_reason(tmp_path: Path) -> None:
    lay_out(
        tmp_path,
        "setup.py", "build/a.py", ".ssh/b.py", ".history/c.py", "mine/d.py", ".git/config", "__pycache__/e.pyc",
    )  # fmt: skip
    (tmp_path / ".c2llmignore").write_text("mine/\n")
    assert reasons(tmp_path) == {"build": "build output", ".ssh": "secret", ".history": "tool directory"}


def test_what_editors_and_merges_leave_behind_is_left_out_unless_named(tmp_path: Path) -> None:
    leftovers = {
        "a.py~",
        "#a.py#",
        ".#a.py",
        "a.py.orig",
        "a.py.rej",
        "A.BAK",
        ".a.py.swp",
        "a.py.tmp",
        "a.py.save",
        "a.c.mine",
        "a.c.r12",
    }
    leftovers |= {"a_BASE_4711.py", "4913", "a.py___jb_tmp___", ".a.py.kate-swp", ".~lock.a.odt#", ".nfs000a"}
    code = {"a.py", "#notes", "#", "bak", "orig.py", "a~b.py", "game.save", "data_base_2.py.txt", "a.r", "mine.r2d"}
    lay_out(tmp_path, *leftovers, *code)
    assert scanned_paths(tmp_path) == code
    assert set(reasons(tmp_path).values()) == {"editor leftover"}
    (tmp_path / ".c2llmignore").write_text("!*.orig\n")
    assert "a.py.orig" in scanned_paths(tmp_path)


def test_folders_of_tools_that_deploy_hold_secrets_in_a_home_only(tmp_path: Path) -> None:
    secret = {
        ".docker/config.json", ".docker/contexts/meta/a.json", ".aws/config", ".aws/credentials", ".aws/sso/cache/a.json",
        ".kube/config", "home/.kube/cache/a.json", ".azure/azureProfile.json", ".aws/config.bak", ".kube/config~",
    }  # fmt: skip
    code = {
        ".docker/php/Dockerfile", ".docker/entry.sh", ".azure/pipelines/build.yml", ".aws/task.json", ".kube/deploy.yaml",
        ".env.example", ".aws/configure.sh",
    }  # fmt: skip
    lay_out(tmp_path, *secret, *code)
    assert scanned_paths(tmp_path) == code
    assert {skip.reason for skip in Scanner(tmp_path).scan().skipped} == {"secret"}


def test_translations_and_measurements_are_left_out_and_told(tmp_path: Path) -> None:
    translations = {
        "po/de.po", "a.pot", "a.xlf", "lib/l10n/app_de.arb", "Localizable.strings", "locales/de.json", "i18n/pt-BR.json",
        "config/locales/models.fr.yml", "res/values-de/strings.xml", "_locales/de/messages.properties.po", "lang/fr/auth.de.json",
    }  # fmt: skip
    data = {"a.stl", "b.vcf", "c.fasta", "d.vtt"}
    code = {
        "locales/en.json",
        "i18n/index.json",
        "res/values/strings.xml",
        "config/locales/en.yml",
        "lang/parser.py",
        "world.map",
    }
    lay_out(tmp_path, *translations, *data, *code)
    assert scanned_paths(tmp_path) == code
    assert {skip.path: skip.reason for skip in Scanner(tmp_path).scan().skipped} == {
        **dict.fromkeys(translations, "translations"), **dict.fromkeys(data, "data"),
    }  # fmt: skip
    (tmp_path / ".c2llmignore").write_text("!*.po\n")
    assert "po/de.po" in scanned_paths(tmp_path)


def test_ordinary_names_are_not_build_output(tmp_path: Path) -> None:
    paths = {
        "lib/a.js", "src/build/b.py", "dist/c.py", "build/d.sh", "target/e.rs", "out/f.c", "vendor/g.rb", "bin/run.py",
        "coverage/h.py", "env/i.py", "packages/x/lib/j.ts", "generated/k.py", "min/l.js", "deps/m.c",
    }  # fmt: skip
    lay_out(tmp_path, *paths)
    assert scanned_paths(tmp_path) == paths


@pytest.mark.parametrize(
    ("folder", "manifest"),
    [
        ("target", "Cargo.toml"),
        ("build", "setup.py"),
        ("dist", "package.json"),
        ("obj", "App.csproj"),
        ("vendor", "go.mod"),
    ],
)
def test_output_folders_are_left_out_beside_their_manifest_only(folder: str, manifest: str, tmp_path: Path) -> None:
    lay_out(tmp_path, f"a/{folder}/x.py", f"a/{manifest}", f"b/{folder}/x.py")
    assert scanned_paths(tmp_path) == {f"a/{manifest}", f"b/{folder}/x.py"}


def test_virtual_environments_and_caches_are_recognized_by_their_markers(tmp_path: Path) -> None:
    lay_out(tmp_path, "my-python/pyvenv.cfg", "my-python/lib/x.py", "c/CACHEDIR.TAG", "c/x.py", "a.py")
    assert scanned_paths(tmp_path) == {"a.py"}
    assert not Scanner(tmp_path).ignores("a.py")
    assert Scanner(tmp_path).ignores("my-python/lib/x.py")


SECRETS = (
    ".env", ".env.production", "prod.env", "server.pem", "tls.key", "id_rsa", "id_ed25519", ".netrc",
    ".npmrc", ".pypirc", "credentials.json", "store.p12", ".git-credentials", "terraform.tfstate", ".aws/config",
    ".ssh/known_hosts", "Secrets.YML", "deploy/ID_RSA", "shadow", "shadow-", "gshadow", "gshadow-", "opasswd",
)  # fmt: skip


@pytest.mark.parametrize("secret", SECRETS)
def test_secrets_stay_out_whatever_the_ignore_files_say(secret: str, tmp_path: Path) -> None:
    lay_out(tmp_path, secret, "a.py", **{".c2llmignore": "!*\n!**/*\n!.aws/\n", ".gitignore": f"!{secret}\n"})
    assert not scanned_paths(tmp_path) & {secret}
    assert Scanner(tmp_path).ignores(secret)


def test_c2llmignore_overrides_all_other_ignore_files(tmp_path: Path) -> None:
    lay_out(
        tmp_path,
        "a.py", "made.py", "package-lock.json", "node_modules/mine/x.js", "sub/b.py",
        **{".gitignore": "made.py\n", ".c2llmignore": "!made.py\na.py\n!package-lock.json\n!node_modules/\n",
           "sub/.c2llmignore": "b.py\n"},
    )  # fmt: skip
    kept = scanned_paths(tmp_path)
    assert {"made.py", "package-lock.json", "node_modules/mine/x.js"} <= kept
    assert not kept & {"a.py", "sub/b.py"}


def test_a_negation_in_gitignore_does_not_override_the_default_excludes(tmp_path: Path) -> None:
    lay_out(tmp_path, "node_modules/m/x.js", "a/b.py", **{".gitignore": "/*\n!*/\n!/a\n"})
    assert scanned_paths(tmp_path) == {"a/b.py"}


def test_a_negation_brings_back_what_is_too_large(tmp_path: Path) -> None:
    lay_out(tmp_path, "a.py", "big/b.py", "c.py", **{".c2llmignore": "!big/*.py\n"})
    for name in ("big/b.py", "c.py"):
        os.truncate(tmp_path / name, 2_000_000)
    assert scanned_paths(tmp_path) - {".c2llmignore"} == {"a.py", "big/b.py"}
    assert reasons(tmp_path)["c.py"] == "too large"


def test_extra_excludes_of_the_settings_win(tmp_path: Path) -> None:
    lay_out(tmp_path, "a.py", "docs/b.md", **{".c2llmignore": "!docs/\n"})
    assert scanned_paths(tmp_path, extra_excludes=["docs/", ".c2llmignore"]) == {"a.py"}


def test_links_are_never_followed(tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    lay_out(root, "a.py", "d/b.py")
    lay_out(outside, "secret.py")
    (root / "loop").symlink_to(root, target_is_directory=True)
    (root / "d" / "up").symlink_to("..", target_is_directory=True)
    (root / "out").symlink_to(outside, target_is_directory=True)
    (root / "out.py").symlink_to(outside / "secret.py")
    (root / "same.py").symlink_to("a.py")
    (root / "dangling.py").symlink_to("nowhere")
    assert scanned_paths(root) == {"a.py", "d/b.py"}
    assert set(reasons(root)) == {"loop", "d/up", "out", "out.py", "same.py", "dangling.py"}


def test_a_root_that_is_a_link_is_scanned(tmp_path: Path) -> None:
    lay_out(tmp_path / "real", "a.py")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert scanned_paths(tmp_path / "link") == {"a.py"}


def test_large_sparse_and_special_files_are_skipped_without_reading(tmp_path: Path) -> None:
    lay_out(tmp_path, "a.py")
    with (tmp_path / "huge.py").open("wb") as file:
        file.truncate(2 << 30)
    os.mkfifo(tmp_path / "pipe.py")
    assert scanned_paths(tmp_path) == {"a.py"}
    assert reasons(tmp_path) == {"huge.py": "too large", "pipe.py": "not a regular file"}


def test_names_that_are_not_utf8_are_skipped_and_counted(tmp_path: Path) -> None:
    lay_out(tmp_path, "a.py", "é🙂.py")
    (tmp_path / os.fsdecode(b"\xff\xfe.py")).touch()
    assert scanned_paths(tmp_path) == {"a.py", "é🙂.py"}
    assert list(reasons(tmp_path).values()) == ["name is not UTF-8"]


def test_very_deep_trees_are_cut_off(tmp_path: Path) -> None:
    lay_out(tmp_path, "a.py")
    deep = "/".join("d" for _ in range(230))
    (tmp_path / deep).mkdir(parents=True)
    assert scanned_paths(tmp_path) == {"a.py"}
    assert list(reasons(tmp_path).values()) == ["too deep"]


def test_a_directory_that_cannot_be_listed_is_skipped_and_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lay_out(tmp_path, "a.py", "locked/b.py")
    listing = os.scandir

    def refuse(path: str) -> object:
        if str(path).rstrip("/").endswith("locked"):
            raise PermissionError(13, "Permission denied")
        return listing(path)

    monkeypatch.setattr(os, "scandir", refuse)
    scan = Scanner(tmp_path).scan()
    assert set(scan.stamps) == {"a.py"}
    assert [(skip.path, skip.reason) for skip in scan.skipped] == [("locked", "unreadable: Permission denied")]


def test_a_missing_root_is_a_plain_error(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match="not a directory"):
        Scanner(tmp_path / "nowhere")


def test_an_unchanged_tree_has_no_changes(tmp_path: Path) -> None:
    lay_out(tmp_path, "a.py", "d/b.py")
    age_files(tmp_path)
    scanner = Scanner(tmp_path)
    first = scanner.scan({})
    assert first.changed == ("a.py", "d/b.py")
    again = scanner.scan(first.stamps)
    assert (again.changed, again.removed, again.stamps) == ((), (), first.stamps)


def test_edits_additions_and_removals_are_reported(tmp_path: Path) -> None:
    lay_out(tmp_path, "a.py", "b.py", "c.py")
    age_files(tmp_path)
    scanner = Scanner(tmp_path)
    stamps = scanner.scan().stamps
    lay_out(tmp_path, "d.py", **{"a.py": "x = 2\n"})
    (tmp_path / "b.py").unlink()
    scan = scanner.scan(stamps)
    assert (scan.changed, scan.removed) == (("a.py", "d.py"), ("b.py",))


def test_a_file_replaced_with_the_same_size_and_time_is_reported(tmp_path: Path) -> None:
    lay_out(tmp_path, "a.py")
    age_files(tmp_path)
    stamps = Scanner(tmp_path).scan().stamps
    (tmp_path / "new").write_text("x = 2\n")
    (tmp_path / "new").rename(tmp_path / "a.py")
    age_files(tmp_path)
    assert Scanner(tmp_path).scan(stamps).changed == ("a.py",)


def test_a_file_written_in_the_same_tick_as_the_scan_is_read_again(tmp_path: Path) -> None:
    lay_out(tmp_path, "a.py")
    now = time.time_ns()
    os.utime(tmp_path / "a.py", ns=(now + 10**9 + 1, now + 10**9 + 1))  # as if the clock had not moved on
    scan = Scanner(tmp_path).scan()
    assert scan.stamps["a.py"].mtime_ns == UNSETTLED
    assert Scanner(tmp_path).scan(scan.stamps).changed == ("a.py",)


def test_whole_second_times_are_trusted_later(tmp_path: Path) -> None:
    """File systems without fractions of seconds could hide a change for a whole tick of theirs."""
    lay_out(tmp_path, "a.py")
    os.utime(tmp_path / "a.py", (LONG_AGO, LONG_AGO))
    status = (tmp_path / "a.py").stat()
    assert FileStamp.of(status, (LONG_AGO + 1) * 10**9).mtime_ns == UNSETTLED
    assert FileStamp.of(status, (LONG_AGO + 3) * 10**9).mtime_ns == LONG_AGO * 10**9


def test_a_scanner_notices_a_changed_ignore_file(tmp_path: Path) -> None:
    lay_out(tmp_path, "a.py", "b.py", **{".gitignore": "a.py\n"})
    scanner = Scanner(tmp_path)
    assert set(scanner.scan().stamps) == {".gitignore", "b.py"}
    lay_out(tmp_path, **{".gitignore": "b.py # longer\nb.py\n"})
    assert set(scanner.scan().stamps) == {".gitignore", "a.py"}


def test_missing_paths_are_filtered_by_their_names(tmp_path: Path) -> None:
    lay_out(tmp_path, **{".gitignore": "*.log\n"})
    scanner = Scanner(tmp_path)
    assert not scanner.ignores("gone/away.py")
    assert scanner.ignores("gone/away.log")
    assert scanner.ignores("gone/node_modules/x.js")


def test_a_rescan_lists_each_folder_once_and_finds_nothing_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in range(100):
        lay_out(tmp_path, *(f"pkg{folder}/module{number}.py" for number in range(5)))
    age_files(tmp_path)
    scanner = Scanner(tmp_path)
    stamps = scanner.scan().stamps
    listed: list[str] = []
    real = os.scandir
    monkeypatch.setattr(os, "scandir", lambda path: (listed.append(path), real(path))[1])
    scan = scanner.scan(stamps)
    assert len(listed) == len(set(listed)) == 101
    assert (len(scan.stamps), scan.changed, scan.removed) == (500, (), ())
