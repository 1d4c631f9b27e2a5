"""A folder of shards: what is in it, how it goes on, and what is refused."""

import gzip
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import spacy
import torch
from spacy.language import Language

from spacy_tokclf import entity_score
from spacy_tokclf.annotation.shards.corpus import find_corpus
from spacy_tokclf.annotation.shards.cut import Shard
from spacy_tokclf.annotation.shards.manifest import MANIFEST, open_manifest
from spacy_tokclf.annotation.shards.rows import Columns
from spacy_tokclf.annotation.shards.run import annotate_corpus
from spacy_tokclf.annotation.shards.work import Annotator, Setting
from spacy_tokclf.cli._shards import annotate_shards
from spacy_tokclf.corpus.convert import read_any
from spacy_tokclf.corpus.options import ReadOptions
from spacy_tokclf.runtime.device import naming_device

ContentsT = Callable[[Path], dict[str, bytes]]
WriteT = Callable[..., Path]


def rows_of(folder: Path) -> list[dict[str, Any]]:
    lines = [line for path in sorted(folder.glob("shard-*.jsonl")) for line in path.read_text().splitlines()]
    return [json.loads(line) for line in lines]


def test_a_row_for_each_row_in_order_with_what_plain_pipe_finds(
    here: Any, model: str, corpus: str, finder: Language, tmp_path: Path
) -> None:
    found = annotate_corpus(model, corpus, tmp_path / "out", shard_rows=7)
    rows = rows_of(tmp_path / "out")
    assert (found.shards, found.made, found.rows, found.failed) == (7, 7, 46, 6)
    assert here["shards"] == list(range(7))
    given = [row for row in rows if row.get("id") not in (3, 7) and "id" in row]
    assert [row["id"] for row in given] == [f"{n}{i}" for n in "ab" for i in range(23) if i not in (5, 9, 11)]
    for row, doc in zip(given, finder.pipe([row["text"] for row in given]), strict=True):
        names = [(ent.start_char, ent.end_char, ent.label_, entity_score(ent)) for ent in doc.ents]
        assert [tuple(each.values()) for each in row["entities"]] == names
        assert len(names) == 2
    assert sum(len(row["entities"]) for row in given) == found.entities
    failed = [row for row in rows if "error" in row]
    assert all(row["entities"] is None for row in failed)
    assert [row["error"][1:6] for row in failed] == ["TC160", "TC160", "TC510"] * 2


def test_texts_that_fail_are_put_together(here: Any, model: str, corpus: str, tmp_path: Path) -> None:
    annotate_corpus(model, corpus, tmp_path / "out", shard_rows=7)
    found = [json.loads(line) for line in (tmp_path / "out" / "quarantine.jsonl").read_text().splitlines()]
    rows = rows_of(tmp_path / "out")
    assert [each["row"] for each in found] == [number for number, row in enumerate(rows) if "error" in row]
    assert [each["message"] for each in found] == [row["error"] for row in rows if "error" in row]
    assert found[0]["code"] == "TC160" and "a.jsonl:6" in found[0]["message"]
    assert found[2]["code"] == "TC510" and "a bad One" in found[2]["message"]
    assert not list((tmp_path / "out").glob("quarantine-*"))


@pytest.mark.parametrize("stop", [0, 4])
def test_what_was_ended_goes_on_and_leaves_what_is_done_alone(
    here: Any, model: str, corpus: str, tmp_path: Path, contents: ContentsT, stop: int
) -> None:
    annotate_corpus(model, corpus, tmp_path / "whole", shard_rows=7, resume=True)
    here["stop"] = stop
    out = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        annotate_corpus(model, corpus, out, shard_rows=7)
    with (out / MANIFEST).open("ab") as file:
        file.write(b'{"shard": 6, "name": "sh')  # what a kill leaves
    before = {path.name: path.stat().st_mtime_ns for path in out.glob("shard-*")}
    assert len(before) == stop
    (out / f"quarantine-{stop:06}.jsonl").write_text("of a shard that is not done")
    here["stop"] = None
    found = annotate_corpus(model, corpus, out, shard_rows=7, resume=True)
    assert here["shards"] == list(range(stop, 7)) and (found.made, found.shards) == (7 - stop, 7)
    assert contents(out) == contents(tmp_path / "whole")
    assert {path.name: path.stat().st_mtime_ns for path in out.glob("shard-*") if path.name in before} == before
    again = annotate_corpus(model, corpus, out, shard_rows=7, resume=True)
    assert (again.made, again.rows, again.failed) == (0, 46, 6) and contents(out) == contents(tmp_path / "whole")


def test_shards_that_are_gone_or_cut_off_are_made_again(
    here: Any, model: str, corpus: str, tmp_path: Path, contents: ContentsT
) -> None:
    out = tmp_path / "out"
    annotate_corpus(model, corpus, out, shard_rows=7)
    whole = contents(out)
    (out / "shard-000002.jsonl").unlink()
    (out / "shard-000005.jsonl").write_bytes(whole["shard-000005.jsonl"][:-1])
    (out / "shard-000003.jsonl").write_bytes(whole["shard-000003.jsonl"].replace(b"Ada", b"Eva"))
    annotate_corpus(model, corpus, out, shard_rows=7, resume=True)
    assert {2, 3, 5} <= set(here["shards"]) and 6 not in here["shards"]
    assert contents(out) == whole
    (out / "quarantine.jsonl").unlink()
    annotate_corpus(model, corpus, out, shard_rows=7, resume=True)
    assert contents(out) == whole


def test_a_folder_with_something_in_it_is_refused(here: Any, model: str, corpus: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "mine.txt").write_text("mine")
    with pytest.raises(ValueError, match=r"TC500.*mine\.txt"):
        annotate_corpus(model, corpus, out)
    with pytest.raises(ValueError, match="TC501"):
        annotate_corpus(model, corpus, out, resume=True)
    assert sorted(path.name for path in out.iterdir()) == ["manifest.lock", "mine.txt"]


@pytest.mark.parametrize(
    "change, said",
    [
        (lambda model, corpus: (corpus / "c.jsonl").write_text('{"text": "x"}'), "input c.jsonl: none before"),
        (lambda model, corpus: (corpus / "b.jsonl").write_text('{"text": "x"}'), "input b.jsonl: "),
        (lambda model, corpus: os.truncate(corpus / "a.jsonl", 700), r"input a.jsonl: \["),
        (lambda model, corpus: (model / "vocab" / "more").write_text("x"), "model sha256: "),
        (None, "options shard_rows: 7 before, 8 now"),
    ],
)
def test_what_has_changed_is_said(
    here: Any, model: str, corpus: str, tmp_path: Path, change: Callable[..., Any] | None, said: str
) -> None:
    model = shutil.copytree(model, tmp_path / "model")
    annotate_corpus(str(model), corpus, tmp_path / "out", shard_rows=7)
    if change:
        change(Path(model), Path(corpus))
    with pytest.raises(ValueError, match=f"TC517.*{said}"):
        annotate_corpus(str(model), corpus, tmp_path / "out", shard_rows=7 if change else 8, resume=True)


def test_the_same_size_and_another_middle_is_another_file(tmp_path: Path) -> None:
    big = b"a" * (1 << 22)
    (tmp_path / "x.txt").write_bytes(big)
    before = find_corpus(str(tmp_path / "x.txt"))
    (tmp_path / "x.txt").write_bytes(big[: 1 << 21] + b"b" * (1 << 19) + big[(1 << 21) + (1 << 19) :])
    after = find_corpus(str(tmp_path / "x.txt"))
    assert before.parts[0].size == after.parts[0].size and before != after


def test_a_damaged_manifest_is_refused(here: Any, model: str, corpus: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    annotate_corpus(model, corpus, out, shard_rows=7)
    lines = (out / MANIFEST).read_bytes().split(b"\n")
    (out / MANIFEST).write_bytes(b"\n".join([lines[0], lines[1][:20], *lines[2:]]))
    with pytest.raises(ValueError, match=r"TC519.*line 2"):
        annotate_corpus(model, corpus, out, shard_rows=7, resume=True)
    (out / MANIFEST).write_bytes(b"")
    with pytest.raises(ValueError, match="TC519"):
        annotate_corpus(model, corpus, out, shard_rows=7, resume=True)


@pytest.mark.parametrize("old, new", [(b'"rows": 7', b'"rows": 8'), (b'"end": [0, ', b'"end": [1, '), (b"{", b"5 #")])
def test_one_character_of_the_manifest_is_noticed(
    here: Any, model: str, corpus: str, tmp_path: Path, old: bytes, new: bytes
) -> None:
    out = tmp_path / "out"
    annotate_corpus(model, corpus, out, shard_rows=7)
    lines = (out / MANIFEST).read_bytes().splitlines(keepends=True)
    (out / MANIFEST).write_bytes(b"".join([lines[0], lines[1].replace(old, new, 1), *lines[2:]]))
    with pytest.raises(ValueError, match=r"TC519.*line 2"):
        annotate_corpus(model, corpus, out, shard_rows=7, resume=True)


def test_what_was_begun_with_a_mistake_is_begun_anew(here: Any, model: str, corpus: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="TC255"):
        annotate_corpus(model, corpus, tmp_path / "out", component="none")
    assert annotate_corpus(model, corpus, tmp_path / "out").rows == 46


def test_files_that_change_meanwhile_are_named(
    here: Any, model: str, corpus: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    end = Annotator.annotate

    def annotate(self: Annotator, shard: Shard) -> dict[str, Any]:
        (Path(corpus) / "a.jsonl").open("a").write('{"text": "late"}')
        return end(self, shard)

    monkeypatch.setattr(Annotator, "annotate", annotate)
    with pytest.raises(ValueError, match=r"TC529.*a\.jsonl"):
        annotate_corpus(model, corpus, tmp_path / "out")
    assert not (tmp_path / "out" / "quarantine.jsonl").exists()


def test_numbers_stay_as_they_are_written(here: Any, model: str, write: WriteT, tmp_path: Path) -> None:
    kept = '"x": 0.1000000000000000055511151231257827, "y":1e400,"z":123456789012345678901234567890'
    write("in.jsonl", f' {{"text": "low", {kept} }} \n{{}}\n{{"text": "low", {kept}, "error": 1}}'.encode())
    annotate_corpus(model, str(tmp_path / "in.jsonl"), tmp_path / "out")
    lines = (tmp_path / "out" / "shard-000000.jsonl").read_text().splitlines()
    assert lines[0] == f'{{"text": "low", {kept}, "entities": []}}'
    assert list(json.loads(lines[1])) == ["entities", "error"] and json.loads(lines[2])["entities"] == []


@pytest.mark.parametrize(
    "data",
    [gzip.compress(b"Ada\n" * 9999)[:-9], b"Ada\n", gzip.compress(b"Ada")[:-8] + b"12345678"],
    ids=["cut off", "not packed", "another checksum"],  # bytes that were packed have the time in them
)
def test_what_cannot_be_unpacked_is_named(here: Any, model: str, write: WriteT, tmp_path: Path, data: bytes) -> None:
    write("in/x.txt.gz", data)
    with pytest.raises(ValueError, match=r"TC526.*x\.txt\.gz"):
        annotate_corpus(model, str(tmp_path / "in"), tmp_path / "out")


def test_names_of_files(here: Any, model: str, write: WriteT, tmp_path: Path) -> None:
    names = [" a.txt", "a::b.txt", "[x].txt", "*.txt", "a#b?.txt", "ä%20.txt"]
    for name in (*names, ".hidden.txt", "_x.txt"):
        write(f"in/{name}", f"{name}\n")
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/in/\xff.txt")).write_bytes(b"\xff\n")
    for number, source in enumerate(("in", "in/*", "in/**")):
        found = annotate_corpus(model, str(tmp_path / source), tmp_path / f"{number}")
        texts = [row["text"] for row in rows_of(tmp_path / f"{number}")]
        assert texts == [*sorted(names), "\ufffd"] and found.failed == 1
    annotate_corpus(model, str(tmp_path / "in" / ".*"), tmp_path / "dot")
    annotate_corpus(model, str(tmp_path / "in" / "[x].txt"), tmp_path / "one")
    assert rows_of(tmp_path / "dot")[0]["text"] == ".hidden.txt" and rows_of(tmp_path / "one")[0]["text"] == "[x].txt"
    os.mkfifo(tmp_path / "in" / "pipe.txt")
    with pytest.raises(ValueError, match=r"TC503.*pipe\.txt"):
        annotate_corpus(model, str(tmp_path / "in"), tmp_path / "out")


def test_two_at_once_are_kept_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("spacy_tokclf.annotation.shards.manifest.PATIENCE", 0.0)
    out = tmp_path / "out"
    with (
        open_manifest(out, {}, resume=False),
        pytest.raises(ValueError, match="TC518"),
        open_manifest(out, {}, resume=True),
    ):
        pass
    with open_manifest(tmp_path / "out", {}, resume=True):
        pass


def test_lines_files_in_order_and_packed_ones(here: Any, model: str, write: WriteT, tmp_path: Path) -> None:
    write("in/b.txt", "\ufeffZoë met Ann\r\n\r\nlast")
    write("in/a/x.txt.gz", gzip.compress("\n".join(f"Éa {i}" for i in range(50)).encode()))
    write("in/c.txt", b"gr\xfc\xdfe\nOk")
    write("in/d.txt", "")
    found = annotate_corpus(model, str(tmp_path / "in"), tmp_path / "out", shard_rows=9)
    texts = [f"Éa {i}" for i in range(50)] + ["Zoë met Ann", "", "last", "gr\ufffd\ufffde", "Ok"]
    rows = rows_of(tmp_path / "out")
    assert [row["text"] for row in rows] == texts and found.failed == 1
    assert "TC111" in rows[53]["error"] and "c.txt:1" in rows[53]["error"]
    with pytest.raises(ValueError, match="TC525"):
        annotate_corpus(model, str(tmp_path / "in"), tmp_path / "in" / "out")
    options = ReadOptions(encoding="latin-1")
    annotate_corpus(model, str(tmp_path / "in" / "c*"), tmp_path / "latin", options=options)
    assert [row["text"] for row in rows_of(tmp_path / "latin")] == ["grüße", "Ok"]


def test_addresses_are_opened_by_fsspec(here: Any, model: str, tmp_path: Path) -> None:
    import fsspec

    files = fsspec.filesystem("memory")
    files.pipe({"/c/one.jsonl": b'{"text": "Ada"}\n"Bob"\n', "/c/two.jsonl": b'{"body": "Cy"}'})
    try:
        found = annotate_corpus(model, "memory://c", tmp_path / "out", shard_rows=2)
        assert (found.rows, found.entities, found.shards) == (3, 3, 2)
        assert rows_of(tmp_path / "out")[2]["body"] == "Cy"
        annotate_corpus(model, "memory://c/o*.jsonl", tmp_path / "one")
        assert len(rows_of(tmp_path / "one")) == 2
    finally:
        files.rm("/c", recursive=True)


@pytest.mark.parametrize(
    "given, code",
    [
        ({"source": "none"}, "TC528"),
        ({"source": "in/*.none"}, "TC528"),
        ({"source": "nonsense://x"}, "TC503"),
        ({"source": "x.csv"}, "TC504"),
        ({"source": "x.json"}, "TC504"),
        ({"source": "mixed"}, "TC504"),
        ({"source": "*", "out": "../out"}, "TC504"),
        ({"text_column": "entities"}, "TC523"),
        ({"source": "empty"}, "TC372"),
        ({"source": "empty.txt"}, "TC372"),
        ({"source": "wide.txt"}, "TC505"),
        ({"source": "mac.txt"}, "TC505"),
        ({"source": "long.txt"}, "TC506"),
        ({"source": "x.txt", "text_column": "body"}, "TC507"),
        ({"text_column": 1}, "TC507"),
        ({"options": ReadOptions(keep_tokens=True)}, "TC507"),
        ({"options": ReadOptions(encoding="utf-16")}, "TC507"),
        ({"options": ReadOptions(encoding="nonsense")}, "TC125"),
        ({"options": ReadOptions(format="doccano")}, "TC522"),
        ({"engine": "spark"}, "TC522"),
        ({"address": "auto"}, "TC523"),
        ({"workers": 0}, "TC119"),
        ({"shard_rows": 0}, "TC119"),
        ({"out": "x.jsonl"}, "TC524"),
        ({"out": "s3://b/out"}, "TC524"),
        ({"out": "in/out"}, "TC525"),
        ({"model": "none"}, "TC292"),
        ({"component": "none"}, "TC255"),
    ],
)
def test_mistakes_are_refused_before_anything_is_written(
    here: Any,
    model: str,
    corpus: str,
    write: WriteT,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    given: dict[str, Any],
    code: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("spacy_tokclf.annotation.shards.cut.MAX_LINE", 1000)
    (tmp_path / "empty").mkdir()
    for name, content in (("x.csv", "a"), ("x.json", "{}"), ("x.txt", "Ada"), ("mixed/a.txt", "a"), ("empty.txt", "")):
        write(name, content)
    write("mixed/a.jsonl", "{}")
    write("wide.txt", "Ada".encode("utf-16"))
    write("mac.txt", "Ada\rBob")
    write("long.txt", "A" * 2000)
    asked = {"model": model, "source": "in", "out": "out"} | given
    with pytest.raises(ValueError, match=code):
        annotate_corpus(asked.pop("model"), asked.pop("source"), asked.pop("out"), **asked)
    assert not list(tmp_path.rglob("shard-*"))


def test_a_pipeline_that_does_not_work_is_refused(here: Any, corpus: str, tmp_path: Path) -> None:
    spacy.blank("en").to_disk(tmp_path / "blank")
    with pytest.raises(ValueError, match="TC241"):
        annotate_corpus(str(tmp_path / "blank"), corpus, tmp_path / "out")


def test_shards_are_read_as_annotated_data(here: Any, model: str, write: WriteT, tmp_path: Path) -> None:
    write("in.jsonl", '{"text": "Ada met Bob.", "entities": [[0, 3, "OLD"]]}\n{"text": "bad"}')
    found = annotate_corpus(model, str(tmp_path / "in.jsonl"), tmp_path / "out")
    assert found.replaced == {"entities"}
    docs = list(read_any(tmp_path / "out" / "shard-000000.jsonl", spacy.blank("en")))
    assert [(ent.text, ent.label_) for ent in docs[0].ents] == [("Ada", "creative-work"), ("Bob", "creative-work")]


def test_a_corpus_that_changes_meanwhile_is_noticed(
    here: Any, model: str, corpus: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from spacy_tokclf.annotation.shards import run

    cut = run.cut_shards

    def cut_then_shorten(*args: Any) -> Any:
        shards = list(cut(*args))
        os.truncate(Path(corpus) / "a.jsonl", 100)
        return iter(shards)

    monkeypatch.setattr(run, "cut_shards", cut_then_shorten)
    with pytest.raises(ValueError, match=r"TC509.*a\.jsonl"):
        annotate_corpus(model, corpus, tmp_path / "out", shard_rows=7)
    assert not list((tmp_path / "out").glob("shard-*"))


def test_a_run_in_which_every_text_fails_is_an_error(
    here: dict[str, Any], model: str, write: Callable[..., Path], tmp_path: Path
) -> None:
    source = write("bad.jsonl", json.dumps({"text": "a bad One"}) + "\n")
    with pytest.raises(ValueError, match=r"TC537.*None of the 1 rows"):
        annotate_shards(model, str(source), str(tmp_path / "out"), 1, {"engine": "local"})
    (row,) = [json.loads(line) for line in (tmp_path / "out" / "shard-000000.jsonl").read_text().splitlines()]
    assert row["entities"] is None and row["error"]


@pytest.mark.parametrize(
    ("gpu", "device", "kind", "expected"),
    [
        (-1, None, "cpu", [(-1, None)] * 3),
        (-1, "cpu", "cpu", [(-1, "cpu")] * 3),
        (-1, "mps", "mps", [(-1, "mps")] * 3),
        (1, None, "gpu", [(1, None), (0, None), (1, None)]),
        (-1, "cuda", "gpu", [(-1, "cuda:0"), (-1, "cuda:1"), (-1, "cuda:0")]),
        (-1, "cuda:1", "gpu", [(-1, "cuda:1"), (-1, "cuda:0"), (-1, "cuda:1")]),
        (1, "cuda", "gpu", [(1, "cuda:1"), (0, "cuda:0"), (1, "cuda:1")]),
        (1, "cpu", "gpu", [(1, "cpu"), (0, "cpu"), (1, "cpu")]),
    ],
)
def test_each_process_has_its_gpu(
    corpus: str, gpu: int, device: str | None, kind: str, expected: list[tuple[int, str | None]]
) -> None:
    found = find_corpus(corpus)
    setting = Setting("model", found, Columns("text"), "out", "jsonl", gpu=gpu, device=device)
    assert setting.kind == kind
    each = [setting.of_process(number, 2) for number in range(3)]
    assert [(one.gpu, one.device) for one in each] == expected


def test_processes_know_the_device_that_a_command_names(
    here: Any, model: str, corpus: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPACY_TOKCLF_DEVICE", "cpu")
    annotate_corpus(model, corpus, tmp_path / "out", shard_rows=7)
    assert here["setting"].device == "cpu"
    monkeypatch.setattr(torch.backends.cuda, "is_built", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 3)
    monkeypatch.setattr(torch.cuda, "set_device", lambda device: None)
    with naming_device("cuda:1"):
        annotate_corpus(model, corpus, tmp_path / "other", shard_rows=7)
    assert (here["setting"].device, here["workers"]) == ("cuda:1", 3)
    with pytest.raises(ValueError, match=r"TC517.*device"):  # numbers of a GPU are others
        annotate_corpus(model, corpus, tmp_path / "other", shard_rows=7, resume=True)
