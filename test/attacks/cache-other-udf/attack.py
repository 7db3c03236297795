import fused


class Parcel:
    """A pickle of somebody else runs what its writer wanted."""

    def __init__(self, who):
        self.who = who

    def __reduce__(self):
        return (Parcel, (self.who,))


@fused.cache(cache_key_exclude="who")
def kept(who):
    return Parcel(who)


@fused.udf
def udf(who: str):
    found = kept(who).who
    return [] if found == who else [f"the result of {found}"]
