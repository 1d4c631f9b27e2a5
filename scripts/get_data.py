"""Find the data, in this order, and put it where the next steps look for it: assets/data/.

1. the WNUT-17 files that are in assets/wnut17/ already;
2. the folder given with --folder (project.yml passes the environment variable WNUT17_DIR);
3. a download from the public repository;
4. the project's sample corpus, with a warning: its scores are not WNUT-17 scores.

A file counts only if its md5 is the published one. assets/data.json says which data it is, and every later step goes by
that file.

Usage: python scripts/get_data.py [--folder DIR]
"""

import argparse
import hashlib
import http.client
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path

from project_files import fail, write_json, write_whole
from wasabi import msg

from spacy_tokclf.corpus import WNUT17_FILES, conll_facts

URL = "https://raw.githubusercontent.com/leondz/emerging_entities_17/master/"
SECONDS = 20


def get_wnut17(
    here: Path, folder: Path | None, *, url: str = URL, files: Mapping[str, tuple[str, str]] = WNUT17_FILES
) -> bool:
    """Bring every file into a folder, each from the first place that has it with the expected md5.

    here (Path): Where the files should be; those with the expected md5 are kept.
    folder (Path | None): A folder to copy from.
    url (str): What stands before a file's name to download it.
    files (Mapping[str, tuple[str, str]]): File name and md5 of each split.
    RETURNS (bool): Whether all are there. What could not be used, and why, has been printed.
    """
    for name, expected in files.values():
        for place, data in _places(name, here, folder, url):
            got = _md5(data)
            if got == expected:
                if place != str(here / name):
                    write_whole(here / name, data)
                msg.good(f"{name}: {place}")
                break
            msg.warn(f"Wrong md5 of {place}: expected {expected}, got {got}. It is not used.")
        else:
            return False
    return True


def use(source: str, paths: Mapping[str, Path], *, out: Path, stamp: Path) -> None:
    """Copy the splits to where the next steps look for them, and write down what they are.

    source (str): "wnut17" or "sample".
    paths (Mapping[str, Path]): The file of each split.
    out (Path): The folder that gets SPLIT.conll for each split.
    stamp (Path): The JSON file that says which data it is.
    """
    for split, path in paths.items():
        write_whole(out / f"{split}.conll", path.read_bytes())
    splits = {split: {"file": path.name, **conll_facts(path)} for split, path in paths.items()}
    write_json(stamp, {"source": source, "splits": splits})
    for split, found in splits.items():
        msg.text(f"{split}: {found['posts']} posts, {found['entities']} entities")


def _md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def _places(name: str, here: Path, folder: Path | None, url: str) -> Iterator[tuple[str, bytes]]:
    """Go through the places that may have a file, downloading only when the others did not do."""
    for path in (here / name, folder / name if folder is not None else None):
        if path is not None and path.is_file():
            yield str(path), path.read_bytes()
        elif path is not None and path.parent != here:
            msg.warn(f"{path} is not there")
    try:
        with urllib.request.urlopen(url + name, timeout=SECONDS) as response:
            data = response.read()
    except (OSError, http.client.HTTPException) as error:
        msg.warn(f"{url}{name} cannot be downloaded: {error}")
        return
    yield url + name, data


def main() -> None:
    """Find the data and write assets/data/ and assets/data.json."""
    parser = argparse.ArgumentParser(description="Find WNUT-17, or fall back on the sample corpus.")
    parser.add_argument("--folder", default="", help="a folder that holds the WNUT-17 files (may be empty)")
    parser.add_argument("--assets", type=Path, default=Path("assets"), help="the folder to fill")
    parser.add_argument("--sample", type=Path, default=Path("sample"), help="the sample corpus")
    args = parser.parse_args()
    here = args.assets / "wnut17"
    if get_wnut17(here, Path(args.folder) if args.folder else None):
        source, paths = "wnut17", {split: here / name for split, (name, _) in WNUT17_FILES.items()}
        msg.good("The data is WNUT-17")
    else:
        source, paths = "sample", {split: args.sample / f"{split}.conll" for split in WNUT17_FILES}
        missing = [str(path) for path in paths.values() if not path.is_file()]
        if missing:
            fail("No data: neither WNUT-17 nor the sample corpus", f"Missing: {', '.join(missing)}")
        msg.warn(
            "WNUT-17 cannot be had: the data is the project's own SAMPLE corpus",
            "Its scores go to metrics/sample/ and say nothing about WNUT-17. For the real data, set "
            "WNUT17_DIR to a folder that holds its three files, or try the download again with: "
            "python -m spacy project run data --force",
        )
    use(source, paths, out=args.assets / "data", stamp=args.assets / "data.json")


if __name__ == "__main__":
    main()
