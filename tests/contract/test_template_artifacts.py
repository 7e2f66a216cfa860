"""What `sam build` puts into an artifact, made by the same makefile."""

import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from tests.fixtures.template import ROOT, functions


def build(name: str, folder: Path) -> set[str]:
    """The files of one function's artifact."""
    page = folder / "page"
    page.mkdir()
    (page / "index.html").write_text("<!doctype html>")
    artifact = folder / "artifact"
    command = ["make", "--no-print-directory", f"build-{name}", f"ARTIFACTS_DIR={artifact}"]
    environment = os.environ | {"LISA_PAGE": str(page)}
    done = subprocess.run(command, cwd=ROOT / "functions", env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return {path.relative_to(artifact).as_posix() for path in artifact.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", sorted(functions().keys() - {"PublishSiteFunction", "RequestImageFunction"}))
def test_an_artifact_holds_its_own_concern_and_nothing_else(name: str, tmp_path: Path) -> None:
    concern = functions()[name]["Handler"].split(".")[1]
    sources = (ROOT / "functions" / concern).glob("*.py")
    assert build(name, tmp_path) == {path.relative_to(ROOT).as_posix() for path in sources}


def test_the_page_lies_beside_the_code_that_publishes_it(tmp_path: Path) -> None:
    assert {"functions/site/publish_site.py", "site/index.html"} <= build("PublishSiteFunction", tmp_path)


def test_the_sources_of_the_image_are_what_its_dockerfile_copies(tmp_path: Path) -> None:
    found = build("RequestImageFunction", tmp_path)
    dockerfile = (ROOT / "serve" / "Dockerfile").read_text()
    for source in re.findall(r"^COPY (?!--from)(\S+) ", dockerfile, re.MULTILINE):
        assert any(path == f"sources/{source}" or path.startswith(f"sources/{source}/") for path in found), source
    assert "sources/serve/Dockerfile" in found
    assert not any("__pycache__" in path or "/tests/" in path for path in found)


def test_a_function_that_the_template_does_not_have_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="Error"):
        build("NobodysFunction", tmp_path)


def test_sam_builds_in_the_source_tree_and_never_from_a_cache() -> None:
    """The makefiles look beside their folder, and a cache does not know LISA_TARGET_PYTHON."""
    settings = tomllib.loads((ROOT / "samconfig.toml").read_text())["default"]["build"]["parameters"]
    assert (settings["build_in_source"], settings["cached"]) == (True, False)


@pytest.mark.parametrize("layer", ["core", "parsing"])
def test_a_layer_takes_only_what_its_lock_file_names(layer: str) -> None:
    locked = (ROOT / "layers" / layer / "requirements.txt").read_text()
    pinned = re.findall(r"^[A-Za-z0-9_.\[\]-]+==\S+", locked, re.MULTILINE)
    assert pinned
    assert locked.count("--hash=sha256:") >= len(pinned)
    assert "://" not in locked
    installer = (ROOT / "layers" / "install.sh").read_text()
    assert installer.count("--require-hashes --only-binary :all:") == 2
