"""The trained pipeline in the forms that the peers and the other runtimes open, made once for each pipeline."""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

from wasabi import msg

from .system import ROOT, Setting


def fingerprint(model: Path) -> str:
    """RETURNS (str): A short name for a pipeline, from its weights."""
    digest = hashlib.sha256()
    for path in sorted(model.rglob("*.safetensors")) + sorted(model.rglob("model")):
        if path.is_file():
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def hugging_face(setting: Setting) -> Path:
    """Export the trained pipeline for the peers: the same weights as a checkpoint of Hugging Face.

    setting (Setting): The setting.
    RETURNS (Path): The folder.
    """
    folder = setting.work / "exports" / f"{fingerprint(setting.model)}-hf"
    if not folder.is_dir():
        _run_tokclf("export-hf", str(setting.model), str(folder))
    return folder


def optimized(setting: Setting, precision: str) -> Path | None:
    """Make the form of our pipeline that runs in ONNX Runtime.

    setting (Setting): The setting.
    precision (str): "fp32" or "int8".
    RETURNS (Path | None): The folder; None if it cannot be made here, which is said.
    """
    folder = setting.work / "exports" / f"{fingerprint(setting.model)}-onnx-{precision}"
    if not folder.is_dir():
        try:
            _run_tokclf("optimize", str(setting.model), str(folder), "--precision", precision)
        except RuntimeError as error:
            shutil.rmtree(folder, ignore_errors=True)
            msg.warn(f"Skipped: our pipeline in ONNX Runtime, {precision}", str(error))
            return None
    return folder


def _run_tokclf(*arguments: str) -> None:
    command = [sys.executable, "-m", "spacy", "tokclf", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"spacy tokclf {arguments[0]} failed:\n{(done.stdout + done.stderr)[-600:]}")
