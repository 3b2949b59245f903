from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.extras import need

torch = pytest.importorskip("torch")
need("transformers", "tokenizers")

from retrieval.encoders.token_overlap import OverlapEncoder  # noqa: E402
from retrieval.store.analyzer import PART  # noqa: E402
from retrieval.training import synonym_augmentation as english_module  # noqa: E402
from retrieval.training.archives import ArchiveError  # noqa: E402
from retrieval.training.batches import Batches, Variation  # noqa: E402
from retrieval.training.dataset import Ragged, TokenizedPairs  # noqa: E402
from retrieval.training.loss import InfoNce  # noqa: E402
from retrieval.training.mining import read_pairs  # noqa: E402
from retrieval.training.recipe import Recipe, prepare, prepare_english, train_stages  # noqa: E402
from retrieval.training.synonym_augmentation import SynonymData, TeacherCache, Vectors, embed_texts, synonym_table  # noqa: E402
from retrieval.training.tasks import DataError  # noqa: E402
from retrieval.training.tokenizer import blank_tokenizer  # noqa: E402
from tests.training.test_dataset import write_pairs  # noqa: E402
from tests.training.test_mining import deb  # noqa: E402
from tests.training.test_recipe import SMALL, STAGES  # noqa: E402

LICENCE = "  1 This software and database is being provided to you, the LICENSEE\n"
SYNSETS = LICENCE + (
    "00001740 03 n 01 entity 0 003 ~ 00001930 n 0000 | that which is perceived to have its own existence\n"
    '03931044 06 n 03 picture 0 image 0 picture_frame 1 000 | a visual representation; "pictures of the wedding"\n'
    "03931045 06 n 02 image 0 likeness 0 000 | what it looks like\n"
    "03931046 06 n 02 image 0 persona 0 000 | a role\n"
)
LEMMAS = LICENCE + (
    "entity n 1 1 ~ 1 1 00001740  \nimage n 3 1 ~ 3 2 03931044 03931045 03931046  \npicture n 1 1 ~ 1 1 03931044  \n"
)
ADJECTIVES = "00001740 00 a 02 small(a) 0 little 0 000 | limited in size\n"
WORDS = ("picture", "image", "likeness", "persona", "small", "little", "pictures", "images", "entity")


def package(folder: Path, **others: str) -> Path:
    """A Debian package with WordNet's files."""
    none = {f"{kind}.{part}": LICENCE for kind in ("data", "index") for part in ("noun", "verb", "adj", "adv")}
    files = none | {"data.noun": SYNSETS, "index.noun": LEMMAS, "data.adj": ADJECTIVES}
    files |= {"index.adj": "small a 1 0 1 1 00001740\n"} | others
    return deb(folder, "wordnet-base", {f"./usr/share/wordnet/{name}": text for name, text in files.items()})


def test_synonyms_are_words_of_the_first_senses_that_are_tokens(tmp_path: Path) -> None:
    tokenizer = blank_tokenizer()
    tokenizer.add_tokens(list(WORDS))
    found = synonym_table(package(tmp_path), tokenizer)
    assert len(found) == tokenizer.get_vocab_size()
    words = {
        word: {tokenizer.id_to_token(int(i)) for i in found[number]} for word, number in tokenizer.get_vocab().items()
    }
    assert words["picture"] == {"image"}
    assert words["image"] == {"picture", "likeness"}  # the third sense is left out
    assert words["pictures"] == {"images"}
    assert words["small"] == {"little"}
    assert words["entity"] == words["[PAD]"] == set()


def test_a_package_that_does_not_unpack_is_told(tmp_path: Path) -> None:
    broken = tmp_path / "wordnet-base.deb"
    broken.write_bytes(b"nothing")
    with pytest.raises(ArchiveError, match="download it again"):
        synonym_table(broken, blank_tokenizer())


def english(rows: list[int], vectors: list[list[float]]) -> SynonymData:
    """Token 2 may stand for token 1, and 3 or 4 for 2."""
    synonyms = Ragged(np.array([2, 3, 4], dtype=np.uint16), np.array([0, 0, 1, 3, 3, 3]))
    return SynonymData(np.array(rows), np.array(vectors, dtype=np.float16), synonyms)


def test_similarities_are_known_between_docs_that_were_read() -> None:
    found = english([3, 7, 9], [[0, 1], [1, 0], [0.6, 0.8]]).similarities(np.array([3, 4, 9, 7]))
    expected = np.full((4, 4), np.nan)
    expected[0, 2] = expected[2, 0] = 0.8
    expected[0, 3] = expected[3, 0] = 0.0
    expected[2, 3] = expected[3, 2] = 0.6
    assert np.allclose(found, expected, atol=1e-3, equal_nan=True)


def test_words_are_replaced_by_their_synonyms_alone() -> None:
    known = english([0], [[1]])
    ids = np.array([0, 1, 2, 4], dtype=np.uint16)
    random = np.random.default_rng(0)
    assert np.array_equal(known.replace_with_synonyms(ids, 0.0, random), ids)
    drawn = {tuple(known.replace_with_synonyms(ids, 1.0, random).tolist()) for _ in range(50)}
    assert drawn == {(0, 2, 3, 4), (0, 2, 4, 4)}
    assert ids.tolist() == [0, 1, 2, 4]


def test_it_is_read_as_it_was_written(tmp_path: Path) -> None:
    known = english([3, 7], [[0, 1], [1, 0]])
    known.save(tmp_path / "english.npz")
    loaded = SynonymData.load(tmp_path / "english.npz")
    for name in ("rows", "vectors"):
        assert np.array_equal(getattr(loaded, name), getattr(known, name))
    assert loaded.synonyms[2].tolist() == [3, 4]


def test_what_the_teacher_does_not_know_counts_for_nothing() -> None:
    queries, passages = torch.eye(3), torch.eye(3)
    unknown = torch.full((3, 3), torch.nan)
    assert InfoNce().distilled(queries, passages, unknown).item() == 0
    teacher = unknown.clone()
    teacher[0, 1:] = torch.tensor([0.9, 0.1])
    queries.requires_grad_()
    loss = InfoNce().distilled(queries, passages, teacher)
    (gradient,) = torch.autograd.grad(loss, queries)
    assert loss.item() > 0.1
    assert gradient.isfinite().all() and gradient[0, 1] < 0 < gradient[0, 2] and gradient[0, 0] == 0
    assert not gradient[1:].any()


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A prepared folder, with a teacher that knows texts by their words."""
    for name in ("train", "valid"):
        write_pairs(tmp_path / f"{name}.jsonl")
    prepare(tmp_path, tmp_path / "run", Recipe(SMALL, batch=16, steps=STAGES))
    prepare_english(tmp_path, package(tmp_path), tmp_path / "run", OverlapEncoder().encode_passages)
    return tmp_path / "run"


def test_the_teacher_s_vectors_are_of_the_pairs_own_docs(run: Path) -> None:
    found = SynonymData.load(run / "english.npz")
    pairs = list(read_pairs(run.parent / "train.jsonl"))
    assert found.rows.tolist() == list(range(len(pairs)))
    texts = [f"{' '.join(PART.findall(pair.qualified))}: {pair.doc}" for pair in pairs]  # short docs, with their names
    assert np.allclose(found.vectors, OverlapEncoder().encode_passages(texts), atol=1e-3)
    assert not (run / "reading").exists()


def test_a_teacher_that_is_stopped_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(english_module, "TEACHER_BATCH", 2)
    texts, asked, patience = ["one", "two", "three", "four five"], list[str](), [1]

    def teacher(some: Sequence[str]) -> Vectors:
        if not patience:
            raise KeyboardInterrupt
        patience.pop()
        asked.extend(some)
        return OverlapEncoder().encode_passages(some)

    with pytest.raises(KeyboardInterrupt):
        embed_texts(texts, TeacherCache(teacher, tmp_path / "reading"))
    patience += [1, 1]
    found = embed_texts(texts, TeacherCache(teacher, tmp_path / "reading"))
    assert sorted(asked) == sorted(texts)
    assert np.allclose(found, OverlapEncoder().encode_passages(texts), atol=1e-3)


def test_batches_carry_what_is_known_and_are_the_same_again(run: Path) -> None:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(run / "tokenizer.json"))
    pairs, known = TokenizedPairs.load(run / "train.npz"), SynonymData.load(run / "english.npz")
    batches = [
        Batches(pairs, tokenizer, SMALL, size=16, seed=1, variation=Variation(english=known)).batch(3) for _ in range(2)
    ]
    assert all(batch.teacher is not None and batch.ignored is not None for batch in batches)
    assert np.array_equal(batches[0].teacher, batches[1].teacher, equal_nan=True)
    assert np.array_equal(batches[0].query_ids, batches[1].query_ids)
    teacher, ignored = batches[0].teacher, batches[0].ignored
    assert np.isnan(teacher[ignored]).all() and np.isnan(np.diag(teacher)).all() and np.isfinite(teacher).any()
    plain = Batches(pairs, tokenizer, SMALL, size=16, seed=1, variation=Variation(reworded=0)).batch(3)
    assert plain.teacher is None


def test_a_stage_that_needs_it_says_how_to_get_it(run: Path) -> None:
    steps = tuple(replace(step, english=True) for step in STAGES[:1])
    assert (train_stages(run, Recipe(SMALL, batch=16, steps=steps, averaged=()), None) / "model.safetensors").exists()
    for path in run.glob("stage0/*.*"):
        path.unlink()
    (run / "english.npz").unlink()
    with pytest.raises(DataError, match="run `english` first"):
        train_stages(run, Recipe(SMALL, batch=16, steps=steps, averaged=()), None)
