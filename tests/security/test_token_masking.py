"""Access tokens of known forms are in nothing that is stored or shown; the lines and offsets around them stay."""

from __future__ import annotations

import random
import string
from pathlib import Path

import pytest

from c2llm_lsp.server.folders.folder import Folder
from retrieval.engine import Workspace
from retrieval.files import mask_tokens
from retrieval.files.token_masking import FORMS
from retrieval.types import SearchRequest
from tests.engine.indexed import CountingEncoder

WORD = string.ascii_letters + string.digits
UPPER, HEX = string.ascii_uppercase + string.digits, "0123456789abcdef"


def made(count: int, alphabet: str = WORD) -> str:
    """Random characters, the same in each run."""
    dice = random.Random(count)
    return "".join(dice.choice(alphabet) for _ in range(count))


# Put together here: a whole one in a file would stop whoever publishes the repository.
TOKENS = {
    "Amazon Web Services, key id": "AKIA" + made(16, UPPER),
    "Google, API key": "AIza" + made(35),
    "Google, client secret": "GOCSPX-" + made(28),
    "Google, access token": "ya29." + made(120),
    "GitHub": "ghp_" + made(36),
    "GitHub, fine-grained": "github_pat_" + made(82),
    "GitLab": "glpat-" + made(20),
    "Slack": f"xoxb-{made(12, string.digits)}-{made(12, string.digits)}-{made(24)}",
    "Slack, app": f"xapp-1-{made(11, UPPER)}-{made(64, HEX)}",
    "Slack, webhook": f"hooks.slack.com/services/T{made(8, UPPER)}/B{made(8, UPPER)}/{made(24)}",
    "Stripe": "sk_live_" + made(24),
    "Stripe, webhook": "whsec_" + made(32),
    "npm": "npm_" + made(36),
    "PyPI": "pypi-AgEIcHlwaS5vcmc" + made(150),
    "JSON Web Token": f"eyJ{made(33)}.eyJ{made(300)}.{made(43)}",
    "OpenAI": f"sk-{made(20)}T3BlbkFJ{made(20)}",
    "OpenAI, Anthropic, OpenRouter": "sk-ant-" + made(90),
    "Hugging Face": "hf_" + made(34, string.ascii_letters),
    "SendGrid": f"SG.{made(22)}.{made(43)}",
    "DigitalOcean": "dop_v1_" + made(64, HEX),
    "Databricks": "dapi" + made(32, HEX),
    "Docker": "dckr_pat_" + made(27),
    "Vault": "hvs." + made(90),
    "Shopify": "shpat_" + made(32, HEX),
    "Grafana": "glsa_" + made(41),
    "Linear": "lin_api_" + made(40),
    "RubyGems": "rubygems_" + made(48, HEX),
    "Postman": f"PMAK-{made(24, HEX)}-{made(34, HEX)}",
    "Telegram": f"{made(9, '123456789')}:AA{made(33)}",
}
AROUND = [
    'token = "{}"\n',
    "curl -H 'Authorization: Bearer {}' https://example.org/größe\n",
    "https://user:{}@example.org/path",
    "# ключ {}\r\nnext = 1\r\n",
    "{}",
    'a_long_name_with_ABC_in_it.of_a_module.function("{}")',
]


def test_each_form_has_an_example() -> None:
    assert TOKENS.keys() == FORMS.keys()


@pytest.mark.parametrize("token", TOKENS.values(), ids=TOKENS.keys())
def test_a_token_is_masked_and_everything_around_it_stays(token: str) -> None:
    for around in AROUND:
        text = around.format(token)
        masked = mask_tokens(text)
        assert token[4:] not in masked, text
        assert masked == around.format(token[:4] + "*" * (len(token) - 4))
        assert len(masked.encode()) == len(text.encode())
        assert mask_tokens(masked) == masked


@pytest.mark.parametrize(
    "name",
    [
        "aws_secret_access_key = ",
        'AWS_SECRET_ACCESS_KEY="',
        "secretAccessKey: '",
        '"SecretAccessKey": "',
        "AccountKey=",
    ],
)
def test_a_secret_without_a_prefix_is_told_by_its_name(name: str) -> None:
    secret = made(40, WORD + "/+")
    assert mask_tokens(f"{name}{secret}\n") == f"{name}{'*' * 40}\n"


@pytest.mark.parametrize(
    "text",
    [
        "sk-folding-cube-animation { color: #FFAA00AA }",
        "def test_npm_packages_are_installed_from_a_lock_file_ABC(): pass",
        "commit = 'da39a3ee5e6b4b0d3255bfef95601890afd80709'",
        "id = '123e4567-e89b-12d3-a456-426614174000'",
        "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk",
        "ASIAN_LANGUAGES_WITH_LONG_NAMES = 'ghp_short'",
        "GITHUB_TOKEN = os.environ['GITHUB_TOKEN_OF_THE_RELEASE_2']",
    ],
)
def test_what_is_no_token_stays(text: str) -> None:
    assert mask_tokens(text) is text


def test_text_that_is_full_of_runs_is_masked_too() -> None:
    """So many that they are not looked at one by one."""
    line = f"{made(24)} {made(30)}\n"
    text = line * 200 + TOKENS["GitHub"] + "\n" + line * 200
    assert mask_tokens(text) == text.replace(TOKENS["GitHub"], "ghp_" + "*" * 36)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    root.mkdir()
    (root / "client.py").write_text(f'def connect_billing():\n    return login("{TOKENS["Stripe"]}")\n')
    return root


def stored(cache: Path) -> bytes:
    return b"".join(path.read_bytes() for path in cache.rglob("*") if path.is_file())


def test_no_token_reaches_the_index_an_answer_or_the_encoder(root: Path, tmp_path: Path) -> None:
    encoder, secret = CountingEncoder(), TOKENS["Stripe"][8:]
    with Workspace.open(root, encoder=encoder, cache_dir=tmp_path / "cache") as workspace:
        workspace.refresh()
        [hit, *_] = workspace.search(SearchRequest("connect billing", highlight=True)).hits
        assert "sk_l" in hit.chunk.text
        assert secret not in repr(hit)
        workspace.set_buffer("client.py", f'def connect_again():\n    return login("{TOKENS["GitHub"]}")\n')
        [hit, *_] = workspace.search("connect again").hits
        assert "ghp_***" in hit.chunk.text
        assert not [text for text in encoder.passages if secret in text or TOKENS["GitHub"] in text]
    assert secret.encode() not in stored(tmp_path / "cache")


def test_an_index_from_before_masking_is_masked(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (root / "other.py").write_text("def nothing_secret():\n    return 1\n")
    with monkeypatch.context() as before:
        before.setattr("retrieval.files.file_reader.mask_tokens", lambda text: text)
        before.setattr("retrieval.indexing.pipeline.TEXT_VERSION", 2)
        before.setattr("retrieval.engine.index_writer.TEXT_VERSION", 2)
        with Workspace.open(root, encoder=CountingEncoder(), cache_dir=tmp_path / "cache") as workspace:
            workspace.refresh()
            assert TOKENS["Stripe"] in workspace.search("connect billing").hits[0].chunk.text
    encoder = CountingEncoder()
    with Workspace.open(root, encoder=encoder, cache_dir=tmp_path / "cache") as workspace:
        workspace.refresh()
        assert TOKENS["Stripe"] not in workspace.search("connect billing").hits[0].chunk.text
        assert len(encoder.passages) == 1  # of the file with the token


def test_a_saved_buffer_with_a_token_is_known_to_be_saved(root: Path, tmp_path: Path) -> None:
    """Else it would be shown in place of its file for ever."""
    folder = Folder(root.as_uri(), "root", services=None)  # type: ignore[arg-type]
    with Workspace.open(root, encoder=CountingEncoder(), cache_dir=tmp_path / "cache") as workspace:
        workspace.refresh()
        folder.workspace = workspace
        digest = folder.saved_digest("client.py", (root / "client.py").read_text())
        assert digest == folder.indexed_digest("client.py")
