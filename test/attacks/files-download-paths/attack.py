import os

import fused


@fused.udf
def udf(server: str, canary: str):
    from fused import _host

    planted = canary[1:].replace("canary", "planted")
    paths = {
        "dots": "../" * 12 + planted,
        "dots inside": "a/../" + "../" * 12 + planted,
        "absolute dots": "/" + "../" * 12 + planted,
        "absolute": canary,
        "backslashes": "..\\..\\..\\planted",
        "NUL": "a\0b",
        "empty": "",
    }
    reached = []

    def leave(path):
        # A slash at the start means the folder itself.
        if os.path.normpath(path).startswith("/mnt/cache/"):
            raise ValueError("it stayed in its folder")

    for name, path in paths.items():
        for way in (
            lambda: leave(fused.download(f"http://{server}/hello", path)),
            lambda: _host.call("download.get", {"url": f"http://{server}/hello", "path": path}),
            lambda: os.stat(fused.file_path(path)),
        ):
            try:
                way()
                if name not in reached:
                    reached.append(name)
            except Exception:
                pass
    return reached
