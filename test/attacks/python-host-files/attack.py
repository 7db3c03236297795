import glob
import os
import pathlib
import tempfile

import fused


@fused.udf
def udf(canary: str, folder: str, port: int, pid: int):
    reached = []
    paths = {
        "canary": canary,
        "relative": "../../../../../../../.." + canary,
        "passwd": "/etc/passwd",
        "environ": "/proc/self/environ",
        "host environ": f"/proc/{pid}/environ",
        "descriptor": "/proc/self/fd/3",
        "memory": "/proc/self/mem",
    }
    for name, path in paths.items():
        try:
            with open(path, "rb") as file:
                file.read(1)
            reached.append(name)
        except OSError:
            pass
    if os.path.exists(canary) or glob.glob(os.path.join(folder, "*")):
        reached.append("listing")
    try:
        link = pathlib.Path(tempfile.mkdtemp()) / "link"
        link.symlink_to(canary)
        link.read_text()
        reached.append("link")
    except OSError:
        pass
    for descriptor in range(3, 32):
        try:
            os.write(descriptor, b"\xff" * 64)
            reached.append(f"descriptor {descriptor}")
            break
        except OSError:
            pass
    return reached
