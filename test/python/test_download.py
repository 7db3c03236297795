"""`fused.download` and `fused.file_path` against a host that has the files in memory."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fused import _download, _host, _storage, download, file_path
from fused._decode import decode
from fused._encode import encode

BODY = bytes(range(256)) * 40_000


class FakeHost:
    """Answers `download.get` and `files.read`; notes what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Any]] = []
        self.shown: dict[str, tuple[int, int]] = {}
        self.error: dict[str, Any] | None = None

    def call(self, name: str, text: str, buffers: Any) -> Any:
        args = decode(text, buffers)
        self.asked.append((name, args))
        if self.error:
            import json

            return [json.dumps({"ok": False, "error": self.error}), []]
        if name == "download.get":
            value: Any = {"file": 7, "size": len(BODY)}
        elif name == "files.close":
            assert args == [7]
            value = None
        else:
            file, position, length = args
            assert file == 7
            value = BODY[position : position + length]
        answer, parts = encode(value)
        return [f'{{"ok":true,"value":{answer}}}', [Bytes(part) for part in parts]]

    def add_file(self, path: str, file: int, size: int) -> None:
        self.shown[path] = (file, size)


class Bytes:
    """A buffer as Pyodide hands it over."""

    def __init__(self, buffer: Any) -> None:
        self.buffer = buffer

    def to_bytes(self) -> bytes:
        return bytes(self.buffer)


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHost]:
    fake = FakeHost()
    monkeypatch.setattr(_download, "_FOLDER", str(tmp_path))
    _host.connect(fake.call, None, "a test", fake.add_file)
    yield fake
    _host.connect(None, None, "this interpreter is in no isolate")


def test_a_download_is_shown_at_its_path(host: FakeHost, tmp_path: Path) -> None:
    path = download("https://example.org/a.bin", "data/a.bin")
    assert path == tmp_path / "data/a.bin"
    assert host.shown == {str(path): (7, len(BODY))}
    assert host.asked == [
        ("download.get", [{"url": "https://example.org/a.bin", "path": "data/a.bin", "storage": "auto", "sha256": None, "timeoutMs": None}])
    ]


def test_where_files_cannot_be_read_on_demand_they_are_loaded(host: FakeHost) -> None:
    _host.connect(host.call, None, "a page", None)
    assert download("https://example.org/a.bin", "deep/folder/a.bin").read_bytes() == BODY
    assert [args[1:] for name, args in host.asked if name == "files.read"] == [
        [0, 4194304],
        [4194304, 4194304],
        [8388608, len(BODY) - 8388608],
    ]


def test_what_is_too_large_to_load_is_refused(host: FakeHost, monkeypatch: pytest.MonkeyPatch) -> None:
    _host.connect(host.call, None, "a page", None)
    monkeypatch.setattr(_storage, "MOST_WHOLE", 1000)
    with pytest.raises(OSError, match="it has 10240000 bytes"):
        download("https://example.org/a.bin", "a.bin")


def test_a_checksum_is_handed_over(host: FakeHost) -> None:
    download("https://example.org/a.bin", "a.bin", checksum="sha256:" + "0" * 64)
    assert host.asked[0][1][0]["sha256"] == "0" * 64
    with pytest.raises(ValueError, match="checksum must be"):
        download("https://example.org/a.bin", "a.bin", checksum="md5:00")


@pytest.mark.parametrize("path", ["https://example.org/a.bin", "/https:/example.org/./a.bin", "https:/example.org//a.bin"])
def test_an_address_is_a_path_as_well(host, path):
    assert download("https://example.org/a.bin", path) == Path(file_path("https:/example.org/a.bin", mkdir=False))
    assert host.asked[0][1][0]["path"] == "https:/example.org/a.bin"


def test_an_absolute_path_of_a_file_is_refused():
    with pytest.raises(ValueError, match="file_path must be relative"):
        file_path("/a")


@pytest.mark.parametrize("path", ["", "/", ".", "../a", "a/../b", "/..", "a\\b", "a\0b"])
def test_paths_that_leave_their_folder_are_refused(host: FakeHost, path: str) -> None:
    for function in (lambda: download("https://example.org", path), lambda: file_path(path)):
        with pytest.raises(ValueError, match="file_path must"):
            function()
    assert host.asked == []


def test_failures_of_the_host(host: FakeHost) -> None:
    host.error = {"type": "DownloadError", "message": "the server answered with status 404", "subject": "status"}
    with pytest.raises(RuntimeError, match="status 404"):
        download("https://example.org/a.bin", "a.bin")
    host.error = {"type": "DownloadError", "message": "the URL must be", "subject": "request"}
    with pytest.raises(ValueError, match="the URL must be"):
        download("ftp://example.org/a.bin", "a.bin")
    host.error = {"type": "StorageError", "message": "it is not there", "subject": "not found"}
    with pytest.raises(FileNotFoundError, match="it is not there"):
        download("fd://a.bin", "a.bin")
    host.error = {"type": "PermissionDeniedError", "message": "Requires net", "subject": "net", "value": "example.org:443"}
    with pytest.raises(Exception, match="Requires net") as raised:
        download("https://example.org/a.bin", "a.bin")
    assert type(raised.value).__name__ == "PermissionDeniedError"
    assert host.shown == {}


def test_file_path_makes_folders(host: FakeHost, tmp_path: Path) -> None:
    assert file_path("one/two") == str(tmp_path / "one/two")
    assert os.path.isdir(tmp_path / "one/two")
    assert file_path("three/four.csv") == str(tmp_path / "three/four.csv")
    assert os.listdir(tmp_path / "three") == []
    assert file_path("five/six", mkdir=False) == str(tmp_path / "five/six")
    assert not os.path.exists(tmp_path / "five")
    with pytest.raises(ValueError, match="storage must be"):
        file_path("a", storage="object")
    with pytest.raises(TypeError, match="must be a text"):
        file_path(Path("a"))  # type: ignore[arg-type]
