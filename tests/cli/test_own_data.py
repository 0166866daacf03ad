"""Data that is brought: typed or in files of every kind, it makes the same session, and a wrong one is refused."""

from __future__ import annotations

import bz2
import gzip
import lzma
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner

from tui_backprop.cli.main import main
from tui_backprop.data import own, text_table
from tui_backprop.data.catalogue import info
from tui_backprop.data.samples import cut, load
from tui_backprop.session import autosave
from tui_backprop.session.replay import Replay
from tui_backprop.session.share_token import decode, encode
from tui_backprop.session.transitions import after_training
from tui_backprop.support.memory import Available

ROWS = "1.5,-2,0.25\n3,4e0,0.5\n5,6,0.75\n"
X, Y = [[1.5, -2], [3, 4], [5, 6]], [[0.25], [0.5], [0.75]]
NETWORK = ("--preset", "sine", "--layers", "2,3,1")
FLOWERS = "length,width,kind\n1,2,setosa\n3,4,virginica\n5,6,setosa\n"


def run(*arguments, code=0, stdin=None):
    result = CliRunner().invoke(main, arguments, input=stdin)
    assert result.exit_code == code, result.output
    return result


def session_of(path, *more, network=NETWORK):
    return decode(run("token", *network, "--data", str(path), *more).stdout)


def refused(*arguments):
    said = run("token", *arguments, code=2).stderr
    assert said.count("\n") == 1, said
    return said


def written(path, content):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def idx(array):
    sizes = b"".join(n.to_bytes(4, "big") for n in array.shape)
    return bytes([0, 0, 8, array.ndim]) + sizes + array.astype(np.uint8).tobytes()


def samples(session):
    found = load(session.data, 0)
    return found.x.tolist(), found.target.tolist()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("d.csv", ROWS),
        ("d.csv", "a,b,y\n" + ROWS),
        ("d.csv", "\ufeffa;b;y\r\n" + ROWS.replace(",", ";").replace("\n", "\r\n")),
        ("d.tsv", ROWS.replace(",", "\t")),
        ("d.txt", ROWS.replace(",", "  ").rstrip()),
        ("d.csv", ROWS.replace("0.25", '"+.25"').replace("5,6", " 5. , 6 ") + "\n\n"),
        ("d.csv.gz", gzip.compress(ROWS.encode())),
        ("d.csv.bz2", bz2.compress(ROWS.encode())),
        ("d.csv.xz", lzma.compress(ROWS.encode())),
    ],
    ids=["plain", "named", "Windows", "tabs", "blanks", "written otherwise", "gz", "bz2", "xz"],
)  # fmt: skip
def test_text_of_every_kind_is_the_same_data(tmp_path, name, content):
    session = session_of(written(tmp_path / name, content))
    assert samples(session) == (X, Y)


def test_arrays_of_every_kind_are_the_same_data(tmp_path):
    np.savez(tmp_path / "d.npz", x=X, y=np.ravel(Y))
    np.save(tmp_path / "d.npy", np.hstack([X, Y]))
    for name in ("d.npz", "d.npy"):
        assert samples(session_of(tmp_path / name)) == (X, Y)


def test_typed_data_are_those_of_a_file_and_all_of_them_are_one_batch():
    session = decode(run("token", *NETWORK, "--x", str(X), "--y", str(Y)).stdout)
    assert samples(session) == (X, Y)
    assert session.batch == 3
    assert decode(encode(session)) == session


def test_stdin_is_read(monkeypatch, tmp_path):
    monkeypatch.setattr("tui_backprop.data.table_file.STDIN_PATH", written(tmp_path / "pipe", ROWS))
    assert samples(session_of("-")) == (X, Y)


def test_classes_have_their_names(tmp_path):
    session = session_of(written(tmp_path / "f.csv", FLOWERS), network=("--preset", "xor"))
    assert samples(session) == ([[1, 2], [3, 4], [5, 6]], [0, 1, 0])
    assert own.table_of(session.data).classes == ("setosa", "virginica")


def test_the_number_of_each_class_is_said_unless_it_is_its_name(tmp_path):
    named = written(tmp_path / "f.csv", FLOWERS)
    said = run("trace", "--preset", "xor", "--data", str(named)).stderr
    assert "target: classes 0 = setosa, 1 = virginica" in said
    numbered = written(tmp_path / "n.csv", "a,b,y\n1,2,0\n3,4,1\n")
    assert "target: classes 0, 1" in run("trace", "--preset", "xor", "--data", str(numbered)).stderr


def test_the_target_is_a_column_by_its_name(tmp_path):
    file = written(
        tmp_path / "d.csv", "y,a,b\n" + "".join(f"{y},{a},{b}\n" for (a, b), (y,) in zip(X, Y, strict=True))
    )
    assert samples(session_of(file, "--target", "y")) == (X, Y)


def test_inputs_are_scaled_on_request(tmp_path):
    file = written(tmp_path / "d.csv", ROWS)
    standard, minmax = (
        np.array(samples(session_of(file, "--scale", each))[0]) for each in ("standard", "minmax")
    )
    assert np.allclose([standard.mean(0), standard.std(0)], [[0, 0], [1, 1]])
    assert [minmax.min(0).tolist(), minmax.max(0).tolist()] == [[0, 0], [1, 1]]


def test_idx_pictures_are_divided_by_255_and_drawn_as_pictures(tmp_path):
    images = np.arange(3 * 4 * 5).reshape(3, 4, 5)
    file = written(tmp_path / "images-idx3-ubyte.gz", gzip.compress(idx(images)))
    written(tmp_path / "labels-idx1-ubyte", idx(np.array([0, 1, 0])))
    session = session_of(file, "--target", "labels-idx1-ubyte", network=())
    assert info(session.data).image == (4, 5)
    assert np.array_equal(load(session.data, 0).x, images.reshape(3, -1) / 255)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("a,b,y\n1,2,3\n4,,6\n", "line 3, column 2 (b): a value is missing"),
        ("1,2,3\n4,?,6\n", "line 2, column 2: a value is missing"),
        ("a,b,y\n1,2,3\n4,5\n", "line 3 has 2 columns instead of 3"),
        ("1,2,3\n4,5,6,7\n8,9\n", "line 2 has 4 columns instead of 3"),
        ("a,b,y\n1,2,3\n4,two,6\n", 'line 3, column 2 (b): "two" is not a number'),
        ("kind,a,b\nrose,2,3\n", 'column 1 (kind): "rose" is not a number; if it is a class, give --target kind'),
        ("a;b;y\n1;2;3\n4,5;5;6\n", 'line 3, column 1 (a): "4,5" is not a number; write 4.5'),
        ("a,b,y\n1,2,3\n4,5,six\n", 'line 3, column 3 (y): "six" is not a number'),
        ("a,b,y\n1,inf,3\n", "line 2, column 2 (b): "),
        ("a,b,y\n1,2,cat\n3,4,\n", "line 3, column 3 (y): a value is missing"),
        ("a,b,y\n", "it has no samples"),
        ("hello\n", "its first line has no separator"),
        ("", "its first line has no separator"),
        (b"a,b\n1,2\n3,\x00\n", "line 3, column 2 (b)"),
        ("1,2,3\n" + "9" * 200_000 + ",2,3\n", "is no line of a table: field larger"),
        (b"\x80\x04pickle", "its first line has no separator"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_refused_with_line_and_column(tmp_path, content, why):
    assert why in refused(*NETWORK, "--data", str(written(tmp_path / "d.csv", content)))


def test_an_error_far_down_is_found_at_its_line(tmp_path, monkeypatch):
    monkeypatch.setattr(text_table, "BLOCK", 100)
    lines = ["1,2,3"] * 300
    lines[250] = "1,2,x"
    assert 'line 251, column 3: "x" is not a number' in refused(
        *NETWORK, "--data", str(written(tmp_path / "d.csv", "\n".join(lines)))
    )


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (("--data", "nowhere.csv"), '"nowhere.csv" cannot be read: No such file'),
        (("--data", "nowhere"), 'invalid value "nowhere"; choose from digits'),
        (("--target", "y"), "requires --data with the name of a file"),
        (("--data", "xor", "--scale", "minmax"), "requires --data with the name of a file"),
        (("--x", "[[1,2]]"), "--x requires it"),
        (("--x", "[[1,2],[3]]", "--y", "[[1],[2]]"), "the rows of x have different lengths"),
        (("--x", "[[1,2],[3,4]]", "--y", "[[1]]"), "write 2 rows of values, or 2 class labels"),
        (("--x", "[[1,2],[3,4]]", "--y", "[0.5, 1]"), "class labels are whole numbers from 0"),
    ],
)
def test_options_that_do_not_fit_are_refused_in_one_line(options, why):
    assert why in refused(*NETWORK, *options)


def test_a_column_that_is_not_there_is_refused_with_those_that_are(tmp_path):
    said = refused("--data", str(written(tmp_path / "f.csv", FLOWERS)), "--target", "color")
    assert 'there is no column "color"; choose from length, width, kind' in said


@pytest.fixture
def large(tmp_path):
    """A session on more numbers than a token holds, and their file."""
    rng = np.random.default_rng(0)
    file = tmp_path / "large.csv"
    np.savetxt(file, rng.normal(size=(2000, 3)), delimiter=",")
    return session_of(file), file


def forget(monkeypatch):
    monkeypatch.setattr(own, "_held", {})
    own.info.cache_clear()


def test_many_samples_are_found_again_by_their_content(large, monkeypatch):
    session, _ = large
    trained = after_training(replace(session, batch=50), 60)
    expected = Replay(0).state(trained).parameters
    autosave.save(trained)
    assert len(encode(trained)) < 400
    forget(monkeypatch)
    assert autosave.load() == trained
    assert np.array_equal(Replay(0).state(trained).parameters, expected)


def test_a_token_made_elsewhere_says_which_file_it_needs_and_takes_it(large, monkeypatch, tmp_path):
    session, file = large
    made, moved = encode(session), file.rename(tmp_path / "moved.csv")
    forget(monkeypatch)
    said = run("blame", "--open", made, code=2).stderr
    assert 'this session needs the file "large.csv" (SHA-256' in said
    assert "give it with --data" in said
    run("blame", "--open", made, "--data", str(moved))


def test_another_file_of_the_name_is_not_taken_for_it(large, monkeypatch):
    session, file = large
    made = encode(session)
    file.write_text(ROWS)
    forget(monkeypatch)
    assert "needs the file" in run("blame", "--open", made, code=2).stderr


@pytest.mark.parametrize(
    "data",
    ['{"name":"d"}', '{"name":"d","x":[[1.0]],"y":[[1.0],[2.0]]}',
     '{"name":"d","x":[[1.0],[1.0,2.0]],"y":[[1.0],[2.0]]}',
     '{"name":"d","x":[[]],"y":[[]]}', '{"name":"d","x":[[1]],"y":[[2.0]]}', "{", '{"x":[]}',
     '{"name":"d","x":[[1.0]],"labels":[3],"classes":["a","b"]}', '{"name":"d","x":[[1e999]],"y":[[1.0]]}'],
)  # fmt: skip
def test_texts_of_data_that_were_not_written_here_are_refused(data):
    with pytest.raises(ValueError, match="samples"):
        own.parsed(data)


def test_batches_go_round_at_the_end(tmp_path):
    session = session_of(written(tmp_path / "d.csv", ROWS))
    assert cut(session.network, session.data, 2, 2).x.tolist() == [X[2], X[0]]


@pytest.fixture
def little_memory(monkeypatch):
    for module in ("data.table_file", "files.arrays"):
        monkeypatch.setattr(f"tui_backprop.{module}.available", lambda: Available(100_000))


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "packed"])
def test_a_file_that_does_not_fit_into_memory_is_refused(tmp_path, little_memory, pack):
    file = written(tmp_path / "d.csv", pack(b"1,2,3\n" * 10_000))
    said = refused(*NETWORK, "--data", str(file))
    assert "15 kB" in said
    assert "larger than" in said or "expands to more than" in said


def test_weights_that_do_not_fit_into_memory_are_refused(tmp_path, little_memory):
    np.savez_compressed(tmp_path / "w.npz", W1=np.zeros(10**6))
    assert "its arrays take more than 25 kB" in refused("--weights", str(tmp_path / "w.npz"))


@pytest.mark.parametrize(
    ("x", "why"),
    [
        ("0.05 0.1", "--x: column 6: a comma is missing here; write an array like [[0.05, 0.1], [1, 2]]"),
        ("[.05 .1]", "--x: column 2: the array cannot be read here; write it like [[0.05, 0.1], [1, 2]]"),
    ],
)
def test_an_array_that_cannot_be_read_is_told_as_an_array(x, why):
    assert why in run("trace", "--x", x, "--y", "[[1]]", code=2).stderr
