"""`fused.download` and `fused.file_path` outside of an isolate: files below the folder of the option `data_directory`."""

import hashlib
import os
import sys
from pathlib import Path

import pytest
from wire_fixtures import wire  # noqa: F401

import fused

pytestmark = pytest.mark.skipif(sys.platform == "emscripten", reason="there are no servers")


@pytest.fixture
def data(tmp_path: Path):
    (tmp_path / "data").mkdir()
    fused.options.data_directory = tmp_path / "data"
    yield tmp_path / "data"
    del fused.options.data_directory


@pytest.fixture
def url(wire):  # noqa: F811
    """The address of a file, which is another one each time."""
    count = 0

    def content(request):
        nonlocal count
        count += 1
        return 200, f"content {count}".encode()

    wire.route("GET", "/file", content)
    return f"{wire.base_url}/file"


def test_download_returns_a_path_keyed_by_file_path_alone(wire, data, url):  # noqa: F811
    """download returns a pathlib.Path: DATA_DIR/file_path, leading slash stripped; keyed by file_path alone: another URL gives the old
    file."""
    path = fused.download(url, "/folder/a.txt")
    assert (type(path), path, path.read_text()) == (type(data), data / "folder" / "a.txt", "content 1")
    assert fused.download(f"{url}?another", "folder/a.txt").read_text() == "content 1"
    assert fused.download(url, "b.txt").read_text() == "content 2"
    # Who we are is told to nobody.
    assert {request["authorization"] for request in wire.requests} == {None}


def test_a_download_leaves_nothing_beside_it_and_is_tried_again(wire, data, url):  # noqa: F811
    """Beside it the client puts FILE.in_progress and FILE.done, and after a failure FILE.error, which makes the next call fail, too. Ours
    gives a file its name once it is whole: there is nothing to leave behind, and the next call tries again."""
    wire.route("GET", "/broken", {"detail": "no"}, 500)
    for _ in range(2):
        with pytest.raises(OSError, match="no"):
            fused.download(f"{wire.base_url}/broken", "a.txt")
    assert [*data.iterdir()] == []
    fused.download(url, "a.txt")
    assert [path.name for path in data.iterdir()] == ["a.txt"]


def test_a_data_file_that_was_deleted_is_fetched_again(data, url):
    """If only the data file is deleted, the client's download still returns its path. That path leads nowhere: ours fetches it again."""
    fused.download(url, "a.txt").unlink()
    assert fused.download(url, "a.txt").read_text() == "content 2"


def test_a_checksum_is_that_of_the_file(data, url):
    right = f"sha256:{hashlib.sha256(b'content 2').hexdigest()}"
    with pytest.raises(RuntimeError, match="its checksum is sha256:"):
        fused.download(url, "a.txt", checksum=right)
    assert not (data / "a.txt").exists()
    assert fused.download(url, "a.txt", checksum=right).read_text() == "content 2"
    with pytest.raises(RuntimeError):
        fused.download(url, "a.txt", checksum=f"sha256:{'0' * 64}")


def test_file_path_returns_a_text_and_makes_folders(data):
    """file_path returns str; a path with a suffix makes the parent, else the path itself. Neither function guards against '..' or absolute
    paths in the client: ours do."""
    assert fused.file_path("x/a.csv") == str(data / "x" / "a.csv")
    assert [path.name for path in data.iterdir()] == ["x"]
    assert [*(data / "x").iterdir()] == []
    assert Path(fused.file_path("y/z")).is_dir()
    assert not Path(fused.file_path("never/b.csv", mkdir=False)).parent.exists()
    assert fused.file_path("a", storage="local", mkdir=False) == os.path.join(fused.options.temp_directory, "a")
    with pytest.raises(ValueError, match="storage must be"):
        fused.file_path("a", storage="object")


@pytest.mark.parametrize("path", ["../a", "a/../../b", "a\\..\\b", "", "nul\0"])
def test_paths_that_leave_the_folder_are_refused(data, url, path):
    with pytest.raises(ValueError, match="file_path must"):
        fused.file_path(path)
    with pytest.raises(ValueError, match="file_path must"):
        fused.download(url, path)
    with pytest.raises(ValueError, match="must be relative"):
        fused.file_path("/etc/passwd")


def test_files_of_the_storage_come_through_the_server(wire, data):  # noqa: F811
    assert fused.download("s3://bucket/a.txt", "a.txt").read_bytes() == b"\x00content"
    assert wire.requests[-1]["query"] == {"path": "s3://bucket/a.txt", "client_id": "client-2"}
    with pytest.raises(ValueError, match="is invalid"):
        fused.download("ftp://example.org/a", "b.txt")
