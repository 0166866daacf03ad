"""Text as data: documents as tokens, the shipped names, and text that is brought."""

from __future__ import annotations

import hashlib
import tracemalloc
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_backprop.cli.brought import data_of
from tui_backprop.data import own, text_file
from tui_backprop.data.catalogue import DATASETS, TEXTS, check, info, title
from tui_backprop.data.samples import batches, cut, load, load_text
from tui_backprop.data.text import documents_of, shipped, text_of
from tui_backprop.data.text_file import read_documents
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.engine.frontends.gpt.spec import GptSpec
from tui_backprop.engine.network.spec_base import SpecBase
from tui_backprop.files.decoder import DecodeError
from tui_backprop.session.brought_files import fetch_files
from tui_backprop.support.errors import FileError, InputError
from tui_backprop.support.memory import Available

FEW = ("ab", "abca", "c")  # characters abc: tokens 0, 1, 2, and the boundary, 3


@dataclass(frozen=True)
class Reader(SpecBase):
    """What data ask of a model that takes text."""

    context: int = 16
    vocabulary: int = 27
    dtype: str = "float64"
    seed: int = 0
    title: str = "a reader"
    holds_numbers: bool = False


@dataclass(frozen=True)
class Base:
    """What the command line asks of a preset."""

    network: Reader
    data: str = "names"


def written(folder, content, name="poems.txt"):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def refused(call, *arguments, **more):
    with pytest.raises((FileError, InputError, DecodeError)) as caught:
        call(*arguments, **more)
    return str(caught.value)


def test_documents_are_the_lines_that_are_not_blank():
    assert documents_of("emma\r\n\n  anna maria \t\n   \nli\rjo") == ("emma", "anna maria", "li", "jo")


def test_characters_are_sorted_and_a_boundary_marks_both_ends():
    text = text_of(FEW)
    assert text.characters == "abc"
    assert (text.boundary, text.samples) == (3, 3)
    assert text.tokens.tolist() == [3, 0, 1, 3, 0, 1, 2, 0, 3, 2, 3]
    assert text.encode("cab").tolist() == [3, 2, 0, 1, 3]


def test_a_sample_predicts_the_next_token_until_the_end_of_its_document():
    x, t = text_of(FEW).windows(np.array([0, 1, 2]), 4)
    assert x.tolist() == [[3, 0, 1, 3], [3, 0, 1, 2], [3, 2, 3, 3]]
    assert t.tolist() == [[0, 1, 3, -1], [0, 1, 2, 0], [2, 3, -1, -1]]


@given(st.lists(st.text(max_size=12), min_size=1, max_size=9).map("\n".join), st.integers(1, 15))
def test_windows_are_those_of_each_document_alone(content, context):
    documents = documents_of(content)
    if not documents:
        assert "no text" in refused(text_of, documents)
        return
    text = text_of(documents)
    assert text.characters == "".join(sorted(set("".join(documents))))
    x, t = text.windows(np.arange(len(documents)), context)
    assert x.shape == t.shape == (len(documents), context)
    for row, document in enumerate(documents):
        tokens = text.encode(document)
        assert text.decode(tokens) == document
        wanted = list(pairwise(tokens.tolist()))[:context]
        padding = [(text.boundary, -1)] * (context - len(wanted))
        assert list(zip(x[row], t[row], strict=True)) == wanted + padding


def test_a_character_that_the_data_does_not_have_is_refused():
    assert 'no character "é"' in refused(text_of(FEW).encode, "bé")


def test_blanks_and_control_characters_have_names_that_can_be_seen(tmp_path):
    data = read_documents(str(written(tmp_path, "a b\tc\x1b[31m\n")))
    assert info(data).token_names == ("\\t", "\\x1b", "space", "1", "3", "[", "a", "b", "c", "m", "BOS")
    assert info(data).token_labels == (*info(data).token_names[:-1], "•")
    assert info("digits").token_names == ()


# --- the shipped names --------------------------------------------------------------------------------------


def test_the_shipped_names_are_what_the_catalogue_says():
    text, about = shipped("names"), TEXTS["names"]
    assert (text.samples, text.characters) == (about.samples, about.characters)
    assert len(about.token_names) == 27
    tokens, _ = text.windows(np.array([about.first]), 16)
    assert text.decode(tokens[0]) == "anita"


def test_the_shipped_names_are_in_the_order_that_the_notice_says_and_fit_the_context():
    text = shipped("names")
    names = [text.decode(row) for row in text.windows(np.arange(text.samples), 16)[0]]
    assert names == sorted(set(names), key=lambda name: hashlib.sha256(name.encode()).digest())
    assert all(name.isascii() and name.islower() for name in names)
    assert max(map(len, names)) < 16


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_batch_has_tokens_in_the_precision_of_the_network_and_goes_round_at_the_end(dtype):
    spec, last = Reader(dtype=dtype, context=5), info("names").samples - 1
    batch = cut(spec, "names", last, 2)
    assert (batch.x.shape, batch.x.dtype, batch.t.shape, batch.t.dtype) == ((2, 5), dtype, (2, 5), np.int64)
    assert batch.target is batch.t
    np.testing.assert_array_equal(batch.x[1], cut(spec, "names", 0, 1).x[0])
    one = batches(spec, "names")(last, 2)
    np.testing.assert_array_equal(one.x, batch.x)
    np.testing.assert_array_equal(one.t, batch.t)


def test_networks_and_data_that_do_not_fit_are_refused():
    check(Reader(), "names", 0, 1)
    assert "sample: 5163 is out of range" in refused(check, Reader(), "names", 5163, 1)
    assert "names is text" in refused(check, NetworkSpec(), "names", 0, 1)
    assert "digits has numbers; choose names" in refused(check, Reader(), "digits", 0, 1)
    assert "names has 27 tokens" in refused(check, Reader(vocabulary=30), "names", 0, 1)
    assert "choose from digits" in refused(load, "names", 0)
    assert "choose from names" in refused(load_text, "digits")


# --- text that is brought -----------------------------------------------------------------------------------


def test_few_characters_are_part_of_the_session_and_a_larger_file_is_found_by_its_content(
    tmp_path, monkeypatch
):
    few = read_documents(str(written(tmp_path, "anna\nbob\n")))
    assert own.parsed(few).lines == ("anna", "bob")
    path = written(tmp_path, "anna\nbob\n" * 1000, "many.txt")
    many = read_documents(str(path))
    assert not own.parsed(many).lines
    assert (info(many).samples, info(many).characters) == (2000, "abno")
    for data in (few, many):
        assert load_text(data).windows(np.array([1]), 4)[1].tolist() == [[1, 3, 1, 4]]
        assert cut(Reader(vocabulary=5), data, 1, 1).t[0, :5].tolist() == [1, 3, 1, 4, -1]
    own._held_texts.clear()
    own.info.cache_clear()
    assert 'this session needs the file "many.txt"' in refused(load_text, many)
    fetch_files({"data": many}, lambda done, of: None)
    assert load_text(many).samples == 2000


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "no text"),
        (b" \n\r\n\t\n", "no text"),
        (b"anna\nb\xf6b\n", "line 2 is not UTF-8 (byte 0xf6); save the file as UTF-8"),
        ("".join(map(chr, range(0x4E00, 0x4F01))), "257 different characters; at most 256"),
        (b"a" * 10_000_001, "larger than 10 MB"),
    ],
    ids=["empty", "blank", "Latin-1", "too many characters", "too large"],
)
def test_what_is_no_text_is_refused_in_one_line(tmp_path, content, why):
    said = refused(read_documents, str(written(tmp_path, content)))
    assert why in said
    assert "\n" not in said


def test_a_file_that_does_not_fit_into_memory_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(text_file, "available", lambda: Available(400_000))
    assert read_documents(str(written(tmp_path, "a" * 10_000)))
    assert "larger than 10 kB" in refused(read_documents, str(written(tmp_path, "a" * 10_001)))


def test_reading_a_file_takes_no_more_memory_than_is_counted(tmp_path):
    size = 2 * 10**6
    for line in ("a", "the quick brown fox"):
        path = str(written(tmp_path, (f"{line}\n" * size)[:size]))
        tracemalloc.start()
        try:
            read_documents(path)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert 5 * size < peak < size * text_file.MEMORY


def test_as_many_characters_as_are_allowed_are_taken(tmp_path):
    data = read_documents(str(written(tmp_path, "".join(map(chr, range(0x4E00, 0x4F00))))))
    assert len(info(data).token_names) == 257
    check(GptSpec(vocabulary=257), data, 0, 1)


@pytest.mark.parametrize(
    "data",
    [
        own.Own("a", documents=True),
        own.Own("a", documents=True, lines=("anna", "")),
        own.Own("a", documents=True, lines=("an\nna",)),
        own.Own("a", documents=True, lines=("".join(map(chr, range(0x4E00, 0x4F01))),)),
        own.Own("a", lines=("anna",)),
        own.Own("a", sha256="0" * 32, documents=True, lines=("anna",)),
        own.Own("a", ((1.0,),), ((1.0,),), documents=True, lines=("anna",)),
        own.Own("a", ((1.0,),), ((1.0,),), lines=("anna",)),
    ],
)
def test_text_of_a_token_that_was_not_written_here_is_refused(data):
    assert "no samples" in refused(own.parsed, data.text)


def test_numbers_and_text_are_not_taken_for_each_other(tmp_path):
    text = read_documents(str(written(tmp_path, "1 2\n3 4\n")))
    numbers = own.Own("a", ((1.0,),), ((1.0,),)).text
    assert "poems.txt is text" in refused(own.table_of, text)
    assert "a has numbers" in refused(own.documents, numbers)


def test_the_command_line_reads_a_file_as_text_for_a_network_that_takes_text(tmp_path, capsys):
    base, path = Base(Reader()), written(tmp_path, "anna\nbob\n")
    data = data_of({"data": str(path)}, base)
    assert title(data) == "poems.txt"
    assert '"poems.txt": 2 documents, 4 different characters' in capsys.readouterr().err
    assert data_of({}, base) == "names"
    assert "choose from names" in refused(data_of, {"data": "digits"}, base)
    assert "names" not in DATASETS
    for option in ("x", "target", "scale"):
        assert "takes text" in refused(data_of, {option: "1"}, base)
    numbers = replace(base, network=replace(base.network, context=0))
    assert "no separator" in refused(data_of, {"data": str(path)}, numbers)


def test_a_window_of_one_document_is_that_of_its_row():
    text = text_of(FEW)
    for row, document in enumerate(FEW):
        tokens = text.encode(document)[1:-1]
        for context in (2, 4, 5, 9):
            x, t = text.windows(np.array([row]), context)
            one = text.window(tokens, context)
            assert [part.tolist() for part in one] == [x[0].tolist(), t[0].tolist()]
