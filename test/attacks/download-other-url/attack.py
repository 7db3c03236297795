import fused

EXPECTED = {"server": "hello", "other": "other"}


@fused.udf
def udf(who: str, server: str, other: str):
    url = f"http://{server if who == 'server' else other}/python"
    text = fused.download(url, "same/path").read_text()
    return [] if text == EXPECTED[who] else [f"{text} instead of {EXPECTED[who]}"]
