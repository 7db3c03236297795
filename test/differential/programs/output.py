#% what a UDF prints is dropped
@fused.udf
def udf():
    print("quiet")
    return 1


answer = fused.run(udf, engine="local")

#% verbose shows what it prints
@fused.udf
def udf():
    import sys

    print("loud")
    print("also", file=sys.stderr)
    return 1


answer = fused.run(udf, engine="local", verbose=True)

#% the option verbose_udf_runs shows what it prints
@fused.udf
def udf():
    print("loud", 2)


fused.options.verbose_udf_runs = True
try:
    answer = fused.run(udf, engine="local")
finally:
    fused.options.verbose_udf_runs = False

#% a UDF's own parameter verbose
@fused.udf
def udf(verbose: bool = False):
    print("x")
    return verbose


answer = fused.run(udf, engine="local", verbose=True)

#% what it printed is shown after a failure
@fused.udf
def udf():
    import sys

    print("first")
    print("second", file=sys.stderr)
    sys.stdout.write("no line end")
    raise KeyError("x")


answer = fused.run(udf, engine="local")

#% output of nested runs
@fused.udf
def udf():
    import fused

    @fused.udf
    def inner():
        print("inner")
        return 1

    print("outer")
    return fused.run(inner, engine="local")


answer = fused.run(udf, engine="local", verbose=True)

#% output of run_local
@fused.udf
def udf():
    print("printed")
    return 1


answer = udf.run_local()

#% output of a failing nested run
@fused.udf
def udf():
    import fused

    @fused.udf
    def inner():
        print("inner")
        raise ValueError("deep")

    print("outer")
    return fused.run(inner, engine="local")


answer = fused.run(udf, engine="local")

#% warnings of a UDF go to stderr
@fused.udf
def udf():
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.warn("beware")


answer = fused.run(udf, engine="local")

#% unicode and long lines
@fused.udf
def udf():
    print("ü" * 5000, "\u0000", "\U0001f600")
    return "\U0001f600\ud800"


answer = fused.run(udf, engine="local", verbose=True)
