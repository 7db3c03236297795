import fused


@fused.cache(cache_key_exclude="who")
def kept(who):
    return who


@fused.udf
def udf(who: str):
    found = kept(who)
    return [] if found == who else [f"the result of {found}"]
