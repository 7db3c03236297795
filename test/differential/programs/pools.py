#% submit: VALUE
#! needs pandas
#: [1, 2, 3] ; range(3) ; [{"a": 1, "b": 2}, {"a": 3}] ; (5,) ; ["1", 2.0]
@fused.udf
def udf(a: int, b: int = 0):
    return a + b


answer = fused.submit(udf, VALUE, engine="local", max_workers=2)

#% submit of frames, VALUE
#! needs pandas
#: flatten=True ; flatten=False ; drop_index=True
@fused.udf
def udf(a: int):
    import pandas as pd

    return pd.DataFrame({"v": [a, a * 10]})


answer = fused.submit(udf, [1, 2], engine="local", VALUE)

#% submit of a failing run
#! needs pandas
@fused.udf
def udf(a: int):
    if a == 2:
        raise ValueError("boom")
    return a


answer = fused.submit(udf, [1, 2, 3], engine="local", max_retry=0)

#% submit ignores exceptions
#! needs pandas
@fused.udf
def udf(a: int):
    if a == 2:
        raise ValueError("boom")
    return a


answer = fused.submit(udf, [1, 2, 3], engine="local", max_retry=0, ignore_exceptions=True)

#% submit of what is wrong: VALUE
#! differs: the same class; our messages say what was given and what to do
#! ours: error[0] in ("ValueError", "TypeError") and error[1].startswith("Cannot submit")
#! needs pandas
#: udf, [] ; nothing, [1] ; lambda a: a, [1] ; udf, [1], execution_type="x"
@fused.udf
def udf(a: int):
    return a


@fused.udf
def nothing():
    return 1


answer = fused.submit(VALUE, engine="local")

#% submit in debug mode
#! needs pandas
@fused.udf
def udf(a: int):
    return {"a": a}


answer = fused.submit(udf, [7, 8], engine="local", debug_mode=True)

#% a pool
#! needs pandas
@fused.udf
def udf(a: int, b: int = 0):
    return a * 2 + b


pool = fused.submit(udf, [1, 2, 3], engine="local", collect=False, b=1)
pool.wait()
answer = [len(pool), pool.results(), pool.done(), pool.all_succeeded(), pool.any_failed(), pool.status(), pool.arg_df(), pool.df()]

#% a pool with a failure
#! needs pandas
@fused.udf
def udf(a: int):
    print("run", a)
    return 6 // a


pool = fused.submit(udf, [1, 0, 3], engine="local", collect=False, max_retry=0)
pool.wait()
answer = [repr(pool), pool.results(return_exceptions=True), pool.errors(), pool.first_error(), pool.any_failed(), pool.any_succeeded()]

#% submit by keywords
#! needs pandas
@fused.udf
def udf(a: int):
    return a


answer = fused.submit(udf=udf, arg_list=[1, 2], engine="local")

#% submit of the same again
#! needs pandas
@fused.udf
def udf(a: int):
    import uuid

    return str(uuid.uuid4())


first, again = (fused.submit(udf, [1, 2], engine="local") for _ in range(2))
answer = first.equals(again)

#% submit of the same in another order
#! needs pandas
#! differs: runs of the local engine are not kept, so only the same list costs no new runs
#! ours: value is False
@fused.udf
def udf(a: int):
    import uuid

    return str(uuid.uuid4())


first, again = (fused.submit(udf, given, engine="local") for given in ([1, 2], [2, 1]))
answer = sorted(first.result) == sorted(again.result)
