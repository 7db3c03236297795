import fused

LEFT = []


@fused.cache(cache_key_exclude="who")
def kept(who):
    return who


@fused.udf
def copied(who: str):
    found = [kept(who), *LEFT]
    LEFT.append(who)
    return found


@fused.udf
def udf(who: str):
    from fused import _host
    from fused._source import known

    # The first one's text: another UDF has one line more.
    text = known["<udf attack>"].text.removesuffix("# another UDF\n")
    part = {"name": "attack", "code": text, "file": "attack.py", "entrypoint": "copied", "headers": []}
    _host.call("udfs.start", _host.call("udfs.define", part), [{"who": who}] * 3, None)
    found = []
    while len(found) < 3:
        found += [run["value"] for run in _host.call("udfs.take", 60000)]
    return sorted({f"the result of {item}" for items in found for item in items if item != who})
