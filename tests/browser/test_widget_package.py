"""The widget as a package and as a file: light, typed, hashed, and what the README says of it."""

import gzip
import json
import re
from pathlib import Path

import pytest

from service.web import embed
from tests.browser import node
from tests.support import ROOT

MAX_COMPRESSED_BYTES = 10_000
README = (ROOT / "README.md").read_text()
PACKAGE = embed.PACKAGE
MANIFEST = json.loads((PACKAGE / "package.json").read_text())


def test_weight() -> None:
    compressed = gzip.compress(embed.SCRIPT, 9)
    print(f"{len(embed.SCRIPT)} bytes, {len(compressed)} gzipped")  # noqa: T201
    assert len(compressed) <= MAX_COMPRESSED_BYTES


@pytest.mark.parametrize("readme", [ROOT / "README.md", PACKAGE / "README.md"], ids=["top", "npm"])
def test_readme_has_the_address_and_its_hash(readme: Path) -> None:
    text = readme.read_text()
    assert set(re.findall(r"sha384-[A-Za-z0-9+/=]+", text)) == {embed.INTEGRITY}
    assert set(re.findall(r"/widget/[\d.]+/related-papers.js", text)) == {embed.ADDRESS}


def test_readme_has_every_attribute_property_and_part() -> None:
    script, text = embed.SCRIPT.decode(), (PACKAGE / "README.md").read_text()
    lists = re.findall(r"const (?:ASKS|SHOWS|REPORTS) = \[(.*?)\];", script)
    attributes = re.findall(r'"([a-z-]+)"', " ".join(lists))
    assert re.findall(r"^\| `([a-z-]+)` \|", text, re.MULTILINE) == attributes
    properties = set(re.findall(r"var\((--related-papers-[a-z-]+)", script))
    assert set(re.findall(r"--related-papers-[a-z-]+", text)) == properties
    events = set(re.findall(r'#tell\("([a-z]+)"', script))
    assert set(re.findall(r"`related-papers-([a-z]+)`", text)) == events


def test_version_and_license_are_the_project_s() -> None:
    pyproject = (ROOT / "pyproject.toml").read_text()
    assert f'version = "{MANIFEST["version"]}"' in pyproject
    assert (PACKAGE / "LICENSE").read_text() == (ROOT / "LICENSE").read_text()


def test_lock_of_the_tests_names_no_address() -> None:
    assert "://" not in (node.SOURCE / "package-lock.json").read_text()


@pytest.mark.network
@pytest.mark.slow
def test_npm_package(tmp_path_factory: pytest.TempPathFactory) -> None:
    project = node.installed(tmp_path_factory, "use.ts")
    [packed] = json.loads(node.run(project, "npm", "pack", "--json", PACKAGE))
    files = [each["path"] for each in packed["files"]]
    assert sorted(files) == sorted(
        ["LICENSE", "README.md", "index.d.ts", "package.json", "related-papers.js"]
    )
    tarball = project / packed["filename"]
    node.npm("install", "--no-save", "--ignore-scripts", "--offline", tarball, cwd=project)
    node.run(project, "tsc")
    # Where there is no DOM, as on a server that renders, importing it does nothing.
    node.run(project, "node", "--input-type=module", "--eval", 'import "related-papers-widget"')
    bundle = ("esbuild", "--bundle", "--minify", "--format=esm", "--log-level=warning", "use.ts")
    assert "customElements.define" in node.run(project, *bundle), "its side effect is kept"
