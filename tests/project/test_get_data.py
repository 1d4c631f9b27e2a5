import hashlib
import json
import os
import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import get_data
import pytest
from get_data import get_wnut17

POSTS = {"train": "Ada\tB-person\n\t\nok\tO\n\n", "dev": "in\tO\nZyx\tB-location\n\n", "test": "hm\tO\n\n"}
NAMES = {"train": "a.conll", "dev": "b.conll", "test": "c.annotated"}
FILES = {s: (NAMES[s], hashlib.md5(POSTS[s].encode()).hexdigest()) for s in POSTS}
NOWHERE = "http://127.0.0.1:9/"


def fill(folder, *, wrong=(), missing=()):
    folder.mkdir(parents=True, exist_ok=True)
    for split, text in POSTS.items():
        if split not in missing:
            (folder / NAMES[split]).write_text("half a fi" if split in wrong else text)
    return folder


@pytest.fixture
def server(tmp_path):
    """Serves a folder, and notes what was asked for."""
    asked = []

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *args):
            asked.append(self.path.lstrip("/"))

    handler = partial(Handler, directory=str(tmp_path / "served"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as http:
        threading.Thread(target=http.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{http.server_port}/", asked
        http.shutdown()


def get(here, folder=None, *, url=NOWHERE):
    return get_wnut17(here, folder, url=url, files=FILES)


def content(folder):
    return {path.name: path.read_text() for path in folder.iterdir()} if folder.exists() else {}


ALL = {NAMES[split]: text for split, text in POSTS.items()}


def test_files_that_are_there_come_first(tmp_path, server):
    url, asked = server
    fill(tmp_path / "served")
    here, folder = fill(tmp_path / "here"), fill(tmp_path / "folder", wrong=POSTS)
    assert get(here, folder, url=url)
    assert content(here) == ALL and not asked


def test_the_folder_comes_before_the_download(tmp_path, server):
    url, asked = server
    fill(tmp_path / "served")
    here = tmp_path / "here"
    assert get(here, fill(tmp_path / "folder", missing=["dev"]), url=url)
    assert content(here) == ALL and asked == ["b.conll"]


def test_the_download_comes_last(tmp_path, server):
    url, asked = server
    fill(tmp_path / "served")
    assert get(tmp_path / "here", url=url)
    assert content(tmp_path / "here") == ALL and asked == list(ALL)


def test_a_wrong_md5_is_said_and_the_next_place_is_tried(tmp_path, server, capsys):
    url, asked = server
    fill(tmp_path / "served")
    here = fill(tmp_path / "here", wrong=["train"])
    assert get(here, fill(tmp_path / "folder", wrong=["train"]), url=url)
    assert content(here) == ALL and asked == ["a.conll"]
    said = " ".join(capsys.readouterr().out.split())
    got = hashlib.md5(b"half a fi").hexdigest()
    for place in ("here", "folder"):
        assert f"{place}/a.conll: expected {FILES['train'][1]}, got {got}" in said


def test_wrong_everywhere_is_no_data_and_leaves_no_file(tmp_path, server, capsys):
    url, _ = server
    fill(tmp_path / "served", wrong=["train"])
    assert not get(tmp_path / "here", fill(tmp_path / "folder", wrong=["train"]), url=url)
    assert content(tmp_path / "here") == {}
    assert capsys.readouterr().out.count("Wrong md5") == 2


def test_no_network_is_said(tmp_path, capsys):
    assert not get(tmp_path / "here", tmp_path / "nothing")
    said = " ".join(capsys.readouterr().out.split())
    assert "nothing/a.conll is not there" in said and "cannot be downloaded" in said


def run_main(tmp_path, monkeypatch, folder=""):
    """Run the script with made-up files and without network, and return its stamp."""
    monkeypatch.setattr(get_data, "get_wnut17", lambda here, folder: get(here, folder))
    monkeypatch.setattr(get_data, "WNUT17_FILES", FILES)
    monkeypatch.setattr(
        sys,
        "argv",
        f"get_data --folder={folder} --assets {tmp_path / 'assets'} --sample {tmp_path / 'sample'}".split(),
    )
    get_data.main()
    return json.loads((tmp_path / "assets" / "data.json").read_text())


def test_the_sample_is_the_last_resort_until_the_data_is_there(tmp_path, monkeypatch, capsys):
    sample = tmp_path / "sample"
    sample.mkdir()
    for split in POSTS:
        (sample / f"{split}.conll").write_text("own\tB-product\nwords\tI-product\n\n")
    stamp = run_main(tmp_path, monkeypatch)
    said = " ".join(capsys.readouterr().out.split())
    assert stamp["source"] == "sample" and "SAMPLE" in said and "WNUT17_DIR" in said
    assert stamp["splits"]["test"]["entities_per_type"] == {"product": 1}

    stamp = run_main(tmp_path, monkeypatch, folder=fill(tmp_path / "folder"))
    assert stamp["source"] == "wnut17"
    assert stamp["splits"]["train"]["md5"] == FILES["train"][1]
    assert (stamp["splits"]["train"]["posts"], stamp["splits"]["train"]["tokens"]) == (2, 2)
    assert (tmp_path / "assets" / "data" / "test.conll").read_text() == POSTS["test"]

    again = run_main(tmp_path, monkeypatch)
    assert again == stamp


def test_neither_data_nor_sample_stops(tmp_path, monkeypatch):
    with pytest.raises(SystemExit) as stop:
        run_main(tmp_path, monkeypatch)
    assert stop.value.code == 1
    assert not (tmp_path / "assets" / "data.json").exists()


def test_the_real_files(tmp_path, root, capsys):
    """Wherever the three files can be had, they are the official ones."""
    folder = os.environ.get("WNUT17_DIR", "")
    if not folder:
        pytest.skip("WNUT17_DIR is not set")
    here = tmp_path / "here"
    assert get_wnut17(here, root / folder, url=NOWHERE)
    paths = {split: here / name for split, (name, _) in get_data.WNUT17_FILES.items()}
    get_data.use("wnut17", paths, out=tmp_path / "data", stamp=tmp_path / "data.json")
    splits = json.loads((tmp_path / "data.json").read_text())["splits"]
    assert [splits[s]["posts"] for s in splits] == [3394, 1009, 1287]
    assert [splits[s]["entities"] for s in splits] == [1975, 836, 1079]
