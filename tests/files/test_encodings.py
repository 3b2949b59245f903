"""The encodings of source files: read as they were written, and called uncertain where that is a guess."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import chardet
import pytest

from retrieval.files import SourceFile, read_file
from retrieval.files.encodings import MOST_GUESSED_BYTES, decode, decode_source

COMMENTS = {
    "gb18030": "计算订单的总金额并检查库存是否足够",
    "gbk": "如果用户没有登录则跳转到登录页面",
    "big5": "計算訂單的總金額並檢查庫存是否足夠",
    "shift_jis": "注文の合計金額を計算し、在庫を確認する",
    "euc_jp": "ユーザーがログインしていない場合はログインページへ移動する",
    "euc_kr": "주문의 총액을 계산하고 재고를 확인한다",
    "cp1251": "Вычисляет сумму заказа и проверяет наличие товара",
    "koi8_r": "Если пользователь не вошёл, переходим на страницу входа",
    "cp1252": "Berechnet die Summe für alle Aufträge und prüft den Lagerbestand der Größe nach",
    "cp1250": "Jeśli użytkownik nie jest zalogowany, przejdź na stronę główną",
    "cp1253": "Υπολογίζει το σύνολο της παραγγελίας",
    "cp1254": "Siparişin toplamını hesaplar ve stoğu kontrol eder",
    "cp1255": "מחשב את סכום ההזמנה ובודק את המלאי",
    "cp1256": "يحسب مجموع الطلب ويتحقق من المخزون",
}
CODE = "def total(order, items):\n    # {}\n    return sum(item.price * item.count for item in items)\n"
WIDE = ("utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be")


@pytest.mark.parametrize("encoding", COMMENTS)
def test_one_comment_is_enough_to_read_a_file(encoding: str) -> None:
    text = CODE.format(COMMENTS[encoding])
    assert decode(text.encode(encoding)) == text
    much = "x = 1\n" * 50_000 + text
    assert decode(much.encode(encoding)) == much


@pytest.mark.parametrize("encoding", WIDE)
@pytest.mark.parametrize(
    "text", ["int main() {\r\n  return 0;\r\n}\r\n", CODE.format(COMMENTS["gbk"]), CODE.format("é")]
)
def test_wide_characters_need_no_byte_order_mark(encoding: str, text: str) -> None:
    assert decode(text.encode(encoding)) == text
    assert decode(("\ufeff" + text).encode(encoding)) == text


def test_what_a_file_declares_is_believed_where_it_fits() -> None:
    for declaration in (
        "# -*- coding: cp866 -*-\n",
        '<?xml version="1.0" encoding="cp866"?>\n',
        "# vim: set fileencoding=cp866 :\n",
    ):
        text = declaration + "# да\n"
        decoded = decode_source(text.encode("cp866"))
        assert decoded is not None and (decoded.text, decoded.encoding, decoded.is_certain) == (text, "cp866", True)
    for codec in ("bz2", "idna", "undefined", "utf-7", "no-such", "unicode_escape"):
        assert decode(f"# coding: {codec}\n# für\n".encode("latin-1")) == f"# coding: {codec}\n# für\n"


@pytest.mark.parametrize(
    "text", ["x = 'für'\n", "caf\u00e9", "// déjà vu\n", "// \u00a9 2020\n", "# \u201cquoted\u201d\n"]
)
def test_too_little_to_tell_is_taken_for_western_text_and_called_uncertain(text: str) -> None:
    decoded = decode_source(text.encode("cp1252"))
    assert decoded is not None and decoded.text == text and not decoded.is_certain
    assert decode(b"\x81\xe9 a\n") is not None


def test_utf8_with_a_few_damaged_bytes_stays_utf8() -> None:
    decoded = decode_source("# größer als früher\n".encode() + b"x = '\xff'\n")
    assert decoded is not None and decoded.text == "# größer als früher\nx = '\ufffd'\n" and not decoded.is_certain


def test_bytes_without_meaning_are_binary() -> None:
    chance = random.Random(1)
    assert decode(bytes(chance.randrange(1, 256) for _ in range(4_000))) is None
    assert decode(bytes(chance.randrange(256) for _ in range(4_000))) is None
    for width in (2, 4):
        assert decode(b"".join(chance.randrange(200).to_bytes(width, "little") for _ in range(1_000))) is None
    assert decode(b"a\0b") is None and decode(b"\xff\xfe\0") is None


def test_a_guess_is_told_with_the_file(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_bytes("x = 'für'\n".encode("cp1252"))
    (tmp_path / "b.py").write_bytes(CODE.format(COMMENTS["cp1251"]).encode("cp1251"))
    guess, known = read_file(tmp_path, "a.py"), read_file(tmp_path, "b.py")
    assert isinstance(guess, SourceFile) and guess.note == "encoding uncertain: read as cp1252"
    assert isinstance(known, SourceFile) and (known.note, known.encoding) == ("", "cp1251")


def test_files_in_utf8_never_load_the_library() -> None:
    code = "import sys; from retrieval.files import decode; decode('ä'.encode()); decode(b'a\\0'); print('chardet' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


HOSTILE_BYTES = (
    b"\xff", b"\xa4\xa4", b"\x81\x30\x81", b"~{\xe4", b"a\xe4", b"\xe4\n", b"\xe4\r", b" \xe4", b"<\xe4 ", b"+AAA-\xe4",
    b"\xe2\x82", b" " * 3_000 + b"\xe4\n", b"x" * 100 + b"\n\xe4", bytes(range(128, 256)) + b"\n",
)  # fmt: skip


@pytest.mark.parametrize("pattern", HOSTILE_BYTES, ids=repr)
def test_a_guess_reads_so_many_bytes_and_no_more(monkeypatch: pytest.MonkeyPatch, pattern: bytes) -> None:
    read: list[int] = []
    guess = chardet.detect

    def counted(sample: bytes, **options: Any) -> Any:
        read.append(len(sample))
        return guess(sample, **options)

    monkeypatch.setattr(chardet, "detect", counted)
    decode(pattern * (300_000 // len(pattern)))
    assert len(read) <= 1
    assert sum(read) <= MOST_GUESSED_BYTES
