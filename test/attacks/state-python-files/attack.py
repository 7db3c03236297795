import importlib
import os
import pathlib
import sys
import sysconfig
import tempfile

import fused

PLACES = {
    "temporary": pathlib.Path(tempfile.gettempdir(), "left"),
    "home": pathlib.Path("~/left").expanduser(),
    "root": pathlib.Path("/left"),
}
SITE = pathlib.Path(sysconfig.get_path("purelib"))
STANDARD = pathlib.Path(sysconfig.get_path("stdlib"), "left_standard.py")


def imports(name):
    importlib.invalidate_caches()
    try:
        __import__(name)
        return True
    except ImportError:
        return False


def open_descriptors():
    found = 0
    for descriptor in range(3, 64):
        try:
            found += os.pread(descriptor, 4, 0) == b"left"
        except OSError:
            pass
    return found


@fused.udf
def udf():
    traces = {name: path.exists() for name, path in PLACES.items()}
    traces |= {
        "shadow": imports("left_shadow"),
        "standard library": imports("left_standard"),
        "environment": "LEFT" in os.environ or os.getenv("LEFT") is not None,
        "folder": os.getcwd().endswith("left_folder"),
        "descriptor": open_descriptors() > 0,
        "path": any("left" in entry for entry in sys.path),
        "umask": os.umask(0o22) == 0o77,
        "link": os.path.islink("/tmp/left_link"),
    }
    reached = [name for name, found in traces.items() if found]

    for path in PLACES.values():
        try:
            path.write_text("left")
        except OSError:
            pass
    for path in (SITE / "left_shadow.py", STANDARD):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("value = 1\n")
        except OSError:
            pass
    sys.path.append(str(SITE))
    os.environ["LEFT"] = "1"
    os.putenv("LEFT", "1")
    os.makedirs("/tmp/left_folder", exist_ok=True)
    os.chdir("/tmp/left_folder")
    descriptor = os.open("/tmp/left_open", os.O_RDWR | os.O_CREAT)
    os.write(descriptor, b"left")
    sys.path.insert(0, "/tmp/left_path")
    os.umask(0o77)
    if not os.path.islink("/tmp/left_link"):
        os.symlink("/etc", "/tmp/left_link")
    return reached
