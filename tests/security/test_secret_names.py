"""Secrets stay out by name, by folder and by content, copies of them too; ordinary code does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from retrieval.files import Scanner, read_file
from retrieval.files.secret_names import SECRET_NAMES, is_secret_path
from retrieval.types import Skip

SECRETS = """
terraform.tfstate.1700000000.backup|terraform.tfstate.backup|prod.tfvars.json|x.auto.tfvars|.env-production|.env_local|.env~
.env.bak|.env.old|.env.swp|..env.swp|.env.local.swp|#.env#|.#.env|.env.1|.env.local~|.npmrc.bak|.netrc.orig|.credentials.json.swp
credentials (1).json|credentials copy.json|credentials - Copy.json|Copy of credentials.json|credentials-old.json
credentials.json.~1~|a.pem~
client_secret_123-abc.apps.googleusercontent.com.json|application_default_credentials.json|service-account-prod.json
.vault_pass|.vault_pass.txt|.bash_history|.zsh_history|.psql_history|.mysql_history|.python_history|ConsoleHost_history.txt
gh/hosts.yml|home/.config/gh/hosts.yml|containers/auth.json|.composer/auth.json|.cargo/credentials.toml|.m2/settings.xml
rootkey.csv|jane_accessKeys.csv|new_user_credentials.csv|.yarnrc.yml|.mylogin.cnf|.dockerconfigjson|msal_token_cache.json
id_rsa.bak|id_rsa_github|id_ed25519-work|id_rsa.old~|ssh_host_ed25519_key|server.pem.bak|server.key.old|app.keystore~|x.keytab
key4.db|logins.json|my.kubeconfig|kubeconfig.yaml|.htpasswd.bak|vault.kdbx.old|.password-store/a|secrets.yml.bak|shadow.bak
"""  # fmt: skip
ORDINARY = """
.env.example|.env.sample|.env.template|.env.local.example|env.py|environment.ts|credentials.py|credentials_test.go|id_rsa.pub
id_rsa_parser.py|secrets.py|secret_manager.java|history.py|copy.py|old.c|backup.sh|notes.txt|notes (1).txt|a.bak|hosts.yml|auth.json
locales/auth.json|tokens.ts|keys.rs|settings.xml|config.json|key.py|shadow.css|client_secret.ts|terraform.tf|README~|x.1|vault.go
"""  # fmt: skip


def names(table: str) -> list[str]:
    return [name for line in table.strip().splitlines() for name in line.split("|")]


@pytest.mark.parametrize("name", names(SECRETS))
def test_secrets_and_their_copies_stay_out(tmp_path: Path, name: str) -> None:
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_text("x\n")
    (tmp_path / ".c2llmignore").write_text("!*\n")
    assert set(Scanner(tmp_path).scan().stamps) == {".c2llmignore"}
    assert Scanner(tmp_path).ignores(name)


@pytest.mark.parametrize("name", names(ORDINARY))
def test_ordinary_names_are_not_secrets(name: str) -> None:
    assert not is_secret_path(name)


@pytest.mark.parametrize("ending", ["~", ".bak", ".old", ".1", ".orig~", ".bak.2"])
def test_every_copy_of_every_secret_name_stays_out(ending: str) -> None:
    assert [name for name in sorted(SECRET_NAMES) if not is_secret_path(f"a/{name}{ending}")] == []


BASE64 = "MIIEowIBAAKCAQEAxzYuc22QSst"
PEM = f"-----BEGIN RSA PRIVATE KEY-----\n{BASE64}\n-----END RSA PRIVATE KEY-----\n"
KEYS = {
    "UTF-16": ("\ufeff" + PEM).encode("utf-16-le"),
    "UTF-16 big-endian": ("\ufeff" + PEM).encode("utf-16-be"),
    "# comment": "".join(f"# {line}\n" for line in PEM.splitlines()).encode(),
    "// comment": "".join(f"    // {line}\n" for line in PEM.splitlines()).encode(),
    "block comment": "".join(f" * {line}\n" for line in PEM.splitlines()).encode(),
    "-- comment": "".join(f"-- {line}\n" for line in PEM.splitlines()).encode(),
    "quoted mail": "".join(f"> {line}\n" for line in PEM.splitlines()).encode(),
    "PuTTY": f"PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\nPrivate-Lines: 1\n{BASE64}\n".encode(),
    "age": b"# created: 2024\nAGE-SECRET-KEY-1" + b"QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7LQPZRY9X8GF2TVDW0S3JN54KHCE\n",
    "kubeconfig": f"users:\n- user:\n    client-key-data: {BASE64}==\n".encode(),
    "kubeconfig as JSON": f'{{"client-key-data": "{BASE64}"}}'.encode(),
}


@pytest.mark.parametrize("kind", KEYS)
def test_a_private_key_keeps_its_file_out(tmp_path: Path, kind: str) -> None:
    (tmp_path / "a.txt").write_bytes(KEYS[kind])
    assert read_file(tmp_path, "a.txt") == Skip("a.txt", "secret")


@pytest.mark.parametrize(
    "text",
    [
        'if "-----BEGIN RSA PRIVATE KEY-----" in text:  # a mention\n    pass\n',
        'write("Private-Lines: %d", lines)\n',
        'PREFIX = "AGE-SECRET-KEY-1"\n',
        'client-key-data: ""\nkey = user["client-key-data"]\n',
    ],
)
def test_code_that_mentions_keys_is_indexed(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.py").write_text(text)
    assert not isinstance(read_file(tmp_path, "a.py"), Skip)
