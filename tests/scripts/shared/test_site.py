"""The site of docs/: its links, its list of modules, what it may fetch; tox -e docs runs this."""
from types import SimpleNamespace

import pytest

pytest.importorskip("mkdocs", reason="mkdocs is not installed: tox -e docs")
from mkdocs.exceptions import PluginError  # noqa: E402

from scripts.shared.site import ROOT, listed, on_post_build, outside, relinked, rooms  # noqa: E402


@pytest.mark.parametrize("page, written, leads", [
    ("fit.md", "a [b](numerics.md#weights) c", "a [b](numerics.md#weights) c"),
    ("fit.md", "[b](../README.md), [c](../tests/test_docs.py#x)",
     "[b](checkout/README.md), [c](checkout/tests/test_docs.py#x)"),
    ("fit.md", "![b](blocks/fifo.svg) [c](#d)", "![b](blocks/fifo.svg) [c](#d)"),
    ("fit.md", "[b](https://host.example/y.md)", "[b](https://host.example/y.md)"),
    ("checkout/README.md", "[b](docs/fit.md) ![c](docs/chain.svg)",
     "[b](../fit.md) ![c](../chain.svg)"),
    ("checkout/README.md", "[b](CONTRIBUTING.md#rules)", "[b](CONTRIBUTING.md#rules)"),
])
def test_links_lead_to_the_same_file(page, written, leads):
    assert relinked(written, page) == leads


def test_what_lies_outside_is_found():
    found = outside()
    assert {"README.md", "CONTRIBUTING.md", "CHANGES.md", "LICENSE"} <= set(found)
    assert all((ROOT / name).is_file() and not name.startswith("docs/") for name in found)


def test_rooms_have_their_modules():
    found = rooms()
    assert "hdl.blocks.fifo" in found["hdl.blocks"] and "hdl.sim.backends.ghdl" in found["hdl.sim"]
    assert "hdl.layers" in found["hdl"] and "golden.fixed" in found["golden"]


def test_meanings_become_a_list():
    text = "Do it.\n\nframe -- of\n         a photo\nseed  -- or None\nReturns 1.\n"
    assert listed(text).splitlines() == [
        "Do it.", "", "- `frame`: of", "         a photo", "- `seed`: or None", "", "Returns 1."]
    assert listed("Do it -- at once.\nNow") == "Do it -- at once.\nNow"


@pytest.mark.parametrize("fetched", [
    '<script src="https://host.example/a.js">', "<link href=//host.example/a.css rel=stylesheet>",
    '<img alt="" src="http://host.example/a.png">',
    "<style>@import url(https://host.example/a.css)</style>"])
def test_what_is_fetched_from_another_host_is_refused(tmp_path, fetched):
    page = tmp_path / "a" / "page.html"
    page.parent.mkdir()
    page.write_text('<a href="https://host.example">x</a><script src="b.js"></script>')
    config = SimpleNamespace(site_dir=str(tmp_path))
    on_post_build(config)
    page.write_text(f"<p>{fetched}</p>")
    with pytest.raises(PluginError, match="page.html fetches from another host: "):
        on_post_build(config)
