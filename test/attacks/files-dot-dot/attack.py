import fused


@fused.udf
def udf(granted: str, canary: str):
    from fused import _host

    up = "../" * 12
    rest = canary[1:]
    spellings = {
        "dots": f"file://{granted}/{up}{rest}",
        "dots of fd": f"fd://{up}{rest}",
        "encoded": f"file://{granted}/{up.replace('.', '%2e')}{rest}",
        "encoded twice": f"fd://{up.replace('.', '%2e')}{rest}",
        "backslash": "fd://" + up.replace("/", "\\") + rest,
        "doubled": f"file://{granted}//..//..//..//..//..//..//{rest}",
        "full-width dots": f"file://{granted}/\uff0e\uff0e/\uff0e\uff0e/\uff0e\uff0e/{rest}",
        "surrogates": f"file://{granted}/..\udc80/../../../..{canary}",
        "absolute": canary,
        "absolute of fd": f"fd:///{rest}",
    }
    reached = []
    for name, url in spellings.items():
        for method in ("get", "open", "details"):
            try:
                _host.call(f"storage.{method}", url)
                if name not in reached:
                    reached.append(name)
            except Exception:
                pass
    return reached
