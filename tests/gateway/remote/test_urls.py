"""Which URLs are visited, and how they are told to others."""

import pytest

from gateway.remote.errors import RefusedUrlError
from gateway.remote.urls import read_url, show


@pytest.mark.parametrize(
    "text",
    [
        "",
        "abc",
        "http://",
        "//host/path",
        "ftp://host/",
        "file:///etc/passwd",
        "gopher://host/",
        "javascript:alert(1)",
        "http://user:password@host/",
        "http://user@host/",
        "http://host:0/",
        "http://host:99999/",
        "http://host:port/",
        "http://ho\x00st/",
        "http://host\r\nX: y/",
        "http://[::1/",
        "http://host/" + "a" * 2048,
    ],
)
def test_what_is_no_web_address_is_refused(text: str) -> None:
    with pytest.raises(RefusedUrlError):
        read_url(text)


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("http://Example.COM", "http://example.com/"),
        (" https://example.com:443/A?b=c#d ", "https://example.com/A?b=c"),
        ("http://example.com:80/a/", "http://example.com/a/"),
        ("http://example.com:8080", "http://example.com:8080/"),
    ],
)
def test_a_url_has_one_normal_form(text: str, normal: str) -> None:
    assert str(read_url(text)) == normal


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("http://h/mcp?token=s3cret&x#y", "http://h/mcp"),
        ("http://user:s3cret@h:81/mcp", "http://h:81/mcp"),
        ("http://[::1", "a URL that is none"),
    ],
)
def test_what_may_be_a_secret_of_a_url_is_not_shown(text: str, shown: str) -> None:
    assert show(text) == shown
