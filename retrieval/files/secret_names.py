"""Which names, and which contents, are those of secrets: keys, passwords, tokens, states and histories that hold them.

A copy of a secret is one too, whoever made it: an editor (`.env~`, `#.env#`, `.env.swp`), a person (`.npmrc.bak`,
`credentials (1).json`), a tool (`terraform.tfstate.1700000000.backup`). Samples (`.env.example`) are documentation.
"""

from __future__ import annotations

import re

SECRET_NAMES = frozenset(
    """
    .env .envrc .netrc _netrc .npmrc .yarnrc .yarnrc.yml .pypirc .pgpass pgpass.conf .my.cnf .mylogin.cnf .git-credentials
    .htpasswd .htdigest .dockercfg .dockerconfigjson .s3cfg .boto .passwd-s3fs .terraformrc terraform.rc .curlrc .sentryclirc
    .vault-token .vault_token .vault_pass .vault-pass .vault_password .vault-password vault_pass vault_password vault-password
    credentials credentials.json credentials.yml credentials.yaml credentials.toml credentials.xml credentials.ini
    credentials.csv credentials.properties credentials.tfrc.json credentials.db access_tokens.db adc.json rootkey.csv
    accesskeys.csv new_user_credentials.csv client_secret.json client_secrets.json client-secret.json service-account.json
    service_account.json serviceaccount.json serviceaccountkey.json gcp-key.json google-credentials.json
    application_default_credentials.json azureauth.json accesstokens.json msal_token_cache.json msal_token_cache.bin
    secrets.json secrets.yml secrets.yaml secrets.toml secrets.ini secrets.env secrets.properties secrets.xml master.key
    kubeconfig kubeconfig.yml kubeconfig.yaml .kubeconfig shadow shadow- gshadow gshadow- opasswd
    .bash_history .zsh_history .sh_history .ksh_history .history fish_history .histfile .python_history .node_repl_history
    .irb_history .pry_history .psql_history .mysql_history .mariadb_history .sqlite_history .rediscli_history .dbshell
    .scala_history consolehost_history.txt .lesshst .msmtprc .fetchmailrc .smbcredentials .pg_service.conf rclone.conf
    sitemanager.xml recentservers.xml .databrickscfg .scwrc key3.db key4.db logins.json login.keychain wallet.dat
    """.split()
)
SECRET_BEGINNINGS = (".env.", ".env-", ".env_", ".envrc.")
SECRET_ENDINGS = (
    ".pem", ".key", ".p12", ".pfx", ".p8", ".pkcs12", ".jks", ".jceks", ".bcfks", ".keystore", ".truststore", ".ppk",
    ".kdbx", ".kdb", ".psafe3", ".agilekeychain", ".1pif", ".keychain", ".keychain-db", ".keytab", ".gpg", ".pgp",
    ".age", ".ovpn", ".tfvars", ".tfvars.json", ".tfstate", ".tfstate.backup", ".tfplan", ".env", ".mobileprovision",
    ".publishsettings", ".rdp", ".kubeconfig", ".secret", ".secrets", ".htpasswd",
)  # fmt: skip
# Beginning and ending of names with a part that differs, as cloud consoles give them to downloads.
_DOWNLOADS = (
    ("client_secret", ".json"), ("client-secret", ".json"), ("service-account", ".json"), ("service_account", ".json"),
    ("ssh_host_", "_key"), ("", "_accesskeys.csv"), ("", "-accesskeys.csv"), ("", "_credentials.csv"),
    ("", "firebase-adminsdk.json"), ("", "-credentials.json"), ("", "_credentials.json"),
)  # fmt: skip
_SSH_KEYS = ("id_rsa", "id_dsa", "id_ecdsa", "id_ed25519", "id_xmss")
SECRET_DIRECTORIES = frozenset({".ssh", ".gnupg", ".gcloud", ".password-store", ".oci", ".aliyun", ".bluemix"})
# Folders that hold secrets in a home, and in a repository what builds and deploys it: only what a home has is left out.
_HOME_FOLDERS = {
    ".aws": ("cli/", "sso/", "config", "credentials", "amazonq/"),
    ".azure": ("azureprofile.json", "service_principal_entries.json", "service_principal_entries.bin", "config", "clouds.config",
               "cliextensions/", "commands/", "logs/", "telemetry/"),
    ".docker": ("config.json", "contexts/", "trust/", "machine/", ".token_seed", "daemon.json", "cloud/", "scout/"),
    ".kube": ("config", "cache/", "http-cache/"),
}  # fmt: skip
# Files whose name says nothing without their folder.
SECRET_PATHS = frozenset(
    """
    gh/hosts.yml glab-cli/config.yml doctl/config.yaml containers/auth.json .composer/auth.json composer/auth.json
    .cargo/credentials .gem/credentials .m2/settings.xml .m2/settings-security.xml .databricks/token-cache.json
    registry/config.json .config/hub
    """.split()
)
_SAMPLES = (".example", ".sample", ".template", ".dist", ".tmpl", ".tpl", ".defaults")

_COPY_ENDINGS = (
    "~", "#", ".bak", ".backup", ".old", ".orig", ".save", ".saved", ".copy", ".swp", ".swo", ".swn", ".tmp", ".temp",
    ".new", ".prev", ".disabled", ".dpkg-old", ".dpkg-dist", ".dpkg-new", ".rpmsave", ".rpmnew", ".rej", ".enc", ".txt",
)  # fmt: skip
_COPY_TAILS = (" - copy", " copy", "-copy", "_copy", "-old", "_old", "-bak", "_bak", "-backup", "_backup")
_COPY_BEGINNINGS = ("copy of ", ".#", "#")
_DIGITS = tuple("0123456789")
_COPIES = 4  # marks of copies that are taken off a name

# An actual key, not a mention of one: the opening line followed by base64, in its own file, in a comment, in a string or
# in JSON. A header line that holds another opening line would be read once for each.
PRIVATE_KEY = re.compile(
    rb"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----"
    rb"(?:[\s\"'+,#;*%>|/-]|\\[nr]|\\\n|[A-Za-z][A-Za-z-]*: (?:[^\n-]|-(?!----BEGIN ))*\n)*[A-Za-z0-9+/=]{24}"
)
# Keys of PuTTY, of age, and of a kubeconfig.
OTHER_KEYS = re.compile(
    rb"Private-Lines: [0-9]{1,4}[\s#;*/]{1,8}[A-Za-z0-9+/=]{24}"
    rb"|AGE-SECRET-KEY-(?:PQ-)?1[A-Z0-9]{48}"
    rb"|client-key-data[\"']?:[^\S\n]{0,8}[\"']?[A-Za-z0-9+/=]{24}"
)
_OTHER_MARKS = (b"Private-Lines: ", b"AGE-SECRET-KEY-", b"client-key-data")


def is_secret_path(path: str) -> bool:
    """Whether a file at this path (relative, "/" between parts) is left out for its name, or for what it is a copy of."""
    folders, _, name = path.lower().rpartition("/")
    if "." in folders and _is_in_home_folder(path.lower()):
        return True
    if folders and f"{folders.rpartition('/')[2]}/{name}" in SECRET_PATHS:
        return True
    if _is_secret(name):
        return True
    for _ in range(_COPIES):
        original = _original(name)
        if original == name:
            return False
        name = original
        if _is_secret(name) or _is_secret(name.removeprefix(".")):  # Vim's swap file of x is .x.swp
            return True
    return False


def _is_in_home_folder(path: str) -> bool:
    parts = path.split("/")
    for at, part in enumerate(parts[:-1]):
        if part in _HOME_FOLDERS:
            inside, names = "/".join(parts[at + 1 :]), _HOME_FOLDERS[part]
            if inside.startswith(tuple(name for name in names if name.endswith("/"))):
                return True
            for _ in range(_COPIES):
                if inside in names:
                    return True
                inside = _original(inside)
            return False
    return False


def holds_key(data: bytes) -> bool:
    """Whether a text, as UTF-8, holds a private key."""
    if b"PRIVATE KEY" in data and PRIVATE_KEY.search(data):
        return True
    return any(mark in data for mark in _OTHER_MARKS) and OTHER_KEYS.search(data) is not None


def _is_secret(name: str) -> bool:
    if name in SECRET_NAMES or name.endswith(SECRET_ENDINGS):
        return True
    if name.startswith(SECRET_BEGINNINGS):
        return not name.endswith(_SAMPLES)
    if name.startswith(_SSH_KEYS):
        return "." not in name
    if name.endswith((".json", ".csv", "_key")):
        return any(name.startswith(beginning) and name.endswith(ending) for beginning, ending in _DOWNLOADS)
    return False


def _original(name: str) -> str:
    """The name without one mark of a copy."""
    for beginning in _COPY_BEGINNINGS:
        if name.startswith(beginning):
            return name.removeprefix(beginning)
    if name.endswith(_COPY_ENDINGS):
        return next(name.removesuffix(ending) for ending in _COPY_ENDINGS if name.endswith(ending))
    stem, dot, ending = name.rpartition(".")
    if stem and ending.endswith(_DIGITS) and ending.lstrip("~").isdigit():
        return stem
    if not stem:  # no ending, or nothing but one
        stem, dot, ending = name, "", ""
    for whole, rest in ((name, ""), (stem, dot + ending)):
        if whole.endswith(_COPY_TAILS):
            return next(whole.removesuffix(tail) for tail in _COPY_TAILS if whole.endswith(tail)) + rest
        before, _, number = whole.rpartition("(")
        if before and whole.endswith(")") and number[:-1].isdigit():
            return before.rstrip() + rest
    return name
