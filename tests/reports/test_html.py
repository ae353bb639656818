"""The page as a document: one file, no script, headings in order, tables with headers."""

import base64
import hashlib
import re
from itertools import pairwise

import pytest

import reports
from tests.reports import examples
from tests.reports.pages import TAGS, Page


def rendered(name: str) -> bytes:
    return reports.RENDERERS["html"].render(reports.compose(examples.ALL[name]()))


@pytest.mark.parametrize("name", examples.ALL)
def test_structure(name: str) -> None:
    page = Page(rendered(name))
    assert set(page.tags) <= TAGS
    assert page.tags.count("h1") == 1
    levels = [int(tag[1]) for tag in page.tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert page.tags.count("caption") == page.tags.count("table")
    assert page.values("scope").count("col") + page.values("scope").count("row") == page.tags.count(
        "th"
    )
    identifiers = page.values("id")
    assert len(identifiers) == len(set(identifiers))
    targets = [value for _, key, value in page.attributes if key in ("href", "aria-labelledby")]
    assert {part.removeprefix("#") for value in targets for part in value.split()} <= set(
        identifiers
    )
    assert ("html", "lang", "en-GB") in page.attributes
    assert page.values("role").count("img") == page.tags.count("desc")


def test_page_stands_alone_and_its_policy_admits_only_its_own_style() -> None:
    html = rendered("degraded").decode()
    page = Page(html.encode())
    assert all(value.startswith("#") for value in page.values("href"))
    assert not page.values("src")
    assert not page.values("style")
    policy = next(value for value in page.values("content") if "default-src" in value)
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    style = re.search(r"<style>(.*?)</style>", html, re.DOTALL)
    assert style
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert f"'sha256-{digest}'" in policy
    assert "url(" not in style[1]
    assert "@import" not in style[1]


def test_a_demonstration_carries_its_banner_and_a_real_run_none() -> None:
    assert b"Demonstration on a simulated network" in rendered("demonstration")
    assert b'class="banner"' not in rendered("degraded")


def test_like_findings_are_a_list_with_their_evidence() -> None:
    words = " ".join(" ".join(Page(rendered("many-alike")).words).split())
    assert "Device not answering: 25 at South Cambridgeshire Hall" in words
    assert "phone-20 is down: none of 20 packets returned. packet loss 100 % of 20" in words
    assert "phone-21 is down" not in words
    assert "and 5 more in the record" in words
    assert words.count("Check the power and the network port of the host, on the spot.") == 1


def test_method_and_limits_are_stated() -> None:
    words = " ".join("".join(Page(rendered("degraded")).words).split())
    for text in (
        "At most 1,000 packets and 50 new checks a second to one site",
        "chrony, synchronised, error at most 2.10 ms",
        "event loop late by (p99) 1.20 ms",
        "hq-laptop, at Pathfinder House",
        "20 echo requests to each host",
        "0.05 % of a day",
        "Loss 1.0 %; one-way delay 150 ms",
        "taking one way as half the round trip",
        "no check was planned there in this run",
        "blackout at waterbeach",
    ):
        assert text in words
