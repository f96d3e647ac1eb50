"""Distributions made on the fly: real metadata in a folder on the path, found as installed ones are."""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from loguru import logger
from typer.testing import CliRunner

from bloor.cli.main import app


class Shelf:
    """A folder of distributions. ``on_path`` puts it on this process's path, ``bloor`` runs the command with it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def add(
        self,
        distribution: str,
        points: Mapping[str, str],
        files: Mapping[str, str],
        *,
        manifest: Mapping[str, str] | None = None,
        version: str = "1.0",
        folder: str = "",
    ) -> Path:
        """Writes modules and the metadata of one distribution; gives the path of its dist-info."""
        home = self.folder / folder if folder else self.folder
        info = home / f"{distribution.replace('-', '_')}-{version}.dist-info"
        info.mkdir(parents=True)
        rows = []
        for name, text in files.items():
            (home / name).write_text(text, encoding="utf-8")
            digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
            rows.append(f"{name},sha256={digest},{len(text)}")
        groups = {"bloor": points, "bloor.manifest": manifest or {}}
        lines = [line for group, named in groups.items() for line in (f"[{group}]", *map(" = ".join, named.items()))]
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n")
        (info / "entry_points.txt").write_text("\n".join(lines) + "\n")
        (info / "RECORD").write_text("\n".join([*rows, f"{info.name}/RECORD,,"]) + "\n")
        return info

    def bloor(self, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
        """Runs the command in a process of its own, in this folder."""
        clean = {key: value for key, value in os.environ.items() if not key.startswith("BLOOR_")}
        return subprocess.run(
            [sys.executable, "-m", "bloor", *arguments],
            env={**clean, "PYTHONPATH": str(self.folder), "COLUMNS": "120", **environ},
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    """Distributions for a process of their own."""
    return Shelf(tmp_path)


@pytest.fixture
def invoked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Any]]:
    """Runs the command in this process, in an empty folder: what it refuses takes no process of its own."""
    for name in [name for name in os.environ if name.startswith("BLOOR_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("BLOOR_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)
    yield lambda *arguments: CliRunner().invoke(app, arguments)
    logger.remove()


@pytest.fixture
def on_path(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shelf]:
    """Distributions that this process finds, as if they were installed; what they import is forgotten afterwards."""
    monkeypatch.syspath_prepend(shelf.folder)
    before = set(sys.modules)
    yield shelf
    for name in set(sys.modules) - before:
        if str(shelf.folder) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


TWINS = {"twin": "twinvenue:twin", "letters": "twinvenue:letters"}


@pytest.fixture
def twins(on_path: Shelf) -> Shelf:
    """The venues ``twin`` and ``letters`` of the module ``twinvenue.py`` beside this file, installed."""
    text = Path(__file__).with_name("twinvenue.py").read_text(encoding="utf-8")
    manifest = dict.fromkeys(TWINS, "venue:api1")
    on_path.add("bloor-twins", TWINS, {"twinvenue.py": text}, manifest=manifest)
    return on_path


@pytest.fixture(scope="session")
def list_venue() -> Any:
    """A venue whose frames are JSON lists: the module ``listvenue.py`` beside this file."""
    path = Path(__file__).with_name("listvenue.py")
    spec = importlib.util.spec_from_file_location("listvenue", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
