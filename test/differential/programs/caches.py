#% a cached function runs once
calls = []


@fused.cache
def slow(a, b=2):
    calls.append([a, b])
    return [a, b]


answer = [slow(1), slow(1), slow(2), calls]

#% cached with options
calls = []


@fused.cache(cache_max_age="1h", cache_verbose=False)
def slow_two(a):
    calls.append(a)
    return {"a": a}


answer = [slow_two(1), slow_two(1), calls]

#% keywords are other entries
#! differs: a call is one entry however it is written: its arguments are bound to the parameters first
#! ours: value[:6] == [2] * 6 and value[6] == 1
calls = []


@fused.cache(cache_verbose=False)
def slow_three(a, b=1):
    calls.append([a, b])
    return a + b


answer = [slow_three(1), slow_three(a=1), slow_three(1, 1), slow_three(1, b=1), slow_three(b=1, a=1), slow_three(a=1, b=1), len(calls)]

#% None is cached, exceptions are not
calls = []


@fused.cache(cache_verbose=False)
def give(what):
    calls.append(what)
    if what == "raise":
        raise ValueError(what)
    return None


answer = [give("x"), give("x"), str(attempt(give, "raise")), str(attempt(give, "raise")), calls]

#% the age 0 runs each time
calls = []


@fused.cache(cache_max_age=0, cache_verbose=False)
def fresh(a):
    calls.append(a)
    return a


answer = [fresh(1), fresh(1), len(calls)]

#% excluded names are not in the key
calls = []


@fused.cache(cache_key_exclude=["b"], cache_verbose=False)
def excluding(a, b=0):
    calls.append([a, b])
    return a


answer = [excluding(1, b=1), excluding(1, b=2), excluding(2, b=1), len(calls)]

#% an excluded name that is bytes
#! differs: it is refused where it is written, not at the first call
#! ours: error[0] == "ValueError" and "cache_key_exclude" in error[1]
@fused.cache(cache_key_exclude=b"x")
def refused(a):
    return a

#% an asynchronous cached function
import asyncio

calls = []


@fused.cache(cache_verbose=False)
async def later(a):
    calls.append(a)
    return a


async def both():
    return [await later(1), await later(1), len(calls)]


answer = asyncio.run(both())

#% closures and globals are in the key
#! differs: in the client they are not, and a changed constant gives the old result
#! ours: value == [2, 3, 2]
calls = []
FACTOR = 2


@fused.cache(cache_verbose=False)
def scaled(a):
    calls.append(a)
    return a * FACTOR


first = scaled(1)
FACTOR = 3
answer = [first, scaled(1), len(calls)]

#% frames are in the key by what they hold
#! needs pandas
import pandas as pd

calls = []


@fused.cache(cache_verbose=False)
def total(frame):
    calls.append(len(frame))
    return int(frame.a.sum())


answer = [total(pd.DataFrame({"a": [1, 2]})), total(pd.DataFrame({"a": [1, 2]})), total(pd.DataFrame({"a": [1, 3]})), len(calls)]

#% 1 and 1.0 are other entries
calls = []


@fused.cache(cache_verbose=False)
def typed(a):
    calls.append(a)
    return a


answer = [typed(1), typed(1.0), len(calls)]

#% 1 and its text are other entries
#! differs: the client's key has the texts of values, so that 1 and "1" are one entry, and a result of another value comes back
#! ours: value == [1, "1", 2]
calls = []


@fused.cache(cache_verbose=False)
def texts(a):
    calls.append(a)
    return a


answer = [texts(1), texts("1"), len(calls)]

#% cached in a UDF
code = '''
import fused
@fused.cache(cache_verbose=False)
def slow(a):
    print("slow", a)
    return a * 2
@fused.udf
def udf(a: int = 1):
    return [slow(a), slow(a)]
'''
answer = fused.run(fused.load(code), a=4, engine="local", verbose=True)

#% a frame comes out of the cache as it went in
#! needs pandas
import pandas as pd


@fused.cache(cache_verbose=False)
def frame(a):
    return pd.DataFrame({"a": [a, None], "t": pd.to_datetime(["2024-01-01", None], utc=True)}, index=["x", "y"])


answer = [frame(1), frame(1)]

#% a storage that is none
#! differs: the same class; our messages say what was given and what to do
#! ours: error[0] == "ValueError" and "'nowhere'" in error[1]
@fused.cache(cache_storage="nowhere")
def stored(a):
    return a


answer = stored(1)

#% a cached function keeps its name and docstring
@fused.cache
def named(a):
    """What it does."""
    return a


answer = [named.__name__, named.__doc__]

#% a hit says so
@fused.cache
def told(a):
    return a


answer = [told(1), told(1)]

#% the same function written twice is one entry
@fused.cache(cache_verbose=False)
def same(a):
    with open("ran", "a") as file:
        file.write("x")
    return a


first = same


@fused.cache(cache_verbose=False)
def same(a):
    with open("ran", "a") as file:
        file.write("x")
    return a


answer = [first(1), same(1), open("ran").read()]

#% a local run is kept
#! differs: a run inside of a run is kept only where the call, or the UDF, says an age
#! ours: value == [1, 1, "xx"] and stdout == "ran\nran\n"
import os


@fused.udf
def udf(a: int, folder: str):
    with open(folder + "/ran", "a") as file:
        file.write("x")
    print("ran")
    return a


fused.options.local_engine_cache = True
answer = [fused.run(udf, a=1, folder=os.getcwd(), engine="local", verbose=True) for _ in range(2)] + [open("ran").read()]
