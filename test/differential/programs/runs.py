#% an asynchronous UDF
@fused.udf
async def udf():
    return 1


answer = fused.run(udf, engine="local")
answer.close()

#% sync=False gives a coroutine
import inspect


@fused.udf
def udf(a: int = 1):
    return a


made = fused.run(udf, engine="local", sync=False)
answer = inspect.iscoroutine(made)
made.close()

#% a nested run of a UDF object
@fused.udf
def udf(a: int = 1):
    import fused

    @fused.udf
    def inner(b: int):
        return b + 1

    return fused.run(inner, b=str(a), engine="local")


answer = fused.run(udf, a=4, engine="local")

#% a nested run of a UDF beside it
code = '''
import fused
@fused.udf
def udf(a: int = 1):
    return fused.run(double, a=a, engine="local")
@fused.udf
def double(a: int):
    return a * 2
'''
answer = fused.run(fused.load(code), a=4, engine="local")

#% a run of itself
code = '''
import fused
@fused.udf
def udf(n: int = 3):
    if n == 0:
        return []
    return [n] + fused.run(udf, n=n - 1, engine="local")
'''
answer = fused.run(fused.load(code), engine="local")

#% a failure of a nested run can be caught
@fused.udf
def udf():
    import fused

    @fused.udf
    def inner():
        raise KeyError("inside")

    try:
        fused.run(inner, engine="local")
    except fused.types.UdfRuntimeError as error:
        return [str(error), error.child_exception_class]


answer = fused.run(udf, engine="local")

#% a UDF inside sees nothing of the module
code = '''
import fused
SHARED = 5
@fused.udf
def udf():
    @fused.udf
    def inner():
        return SHARED
    return fused.run(inner, engine="local")
'''
answer = fused.run(fused.load(code), engine="local")

#% default parameters of the decorator
@fused.udf(default_parameters={"a": 5, "b": "7"})
def udf(a: int = 1, b: int = 2, c: int = 3):
    return [a, b, c]


answer = [udf.parameters, fused.run(udf, engine="local"), fused.run(udf, a=9, engine="local")]

#% set_parameters copies and merges
@fused.udf(default_parameters={"a": 5})
def udf(a: int = 1, b: int = 2):
    return [a, b]


other = udf.set_parameters({"b": 8})
third = other.set_parameters({"a": 1}, replace_parameters=True)
answer = [udf.parameters, other.parameters, third.parameters, [fused.run(one, engine="local") for one in (udf, other, third)]]

#% set_parameters in place
@fused.udf(default_parameters={"a": 5})
def udf(a: int = 1, b: int = 2):
    return [a, b]


same = udf.set_parameters({"b": 8}, inplace=True)
answer = [udf.parameters, same is udf]

#% a header is a module of the run
with open("tools.py", "w") as file:
    file.write("def twice(x):\n    return 2 * x\n")


@fused.udf(headers=["tools.py"])
def udf(a: int = 4):
    import tools

    return tools.twice(a)


answer = [fused.run(udf, engine="local"), [[header.module_name, header.source_code] for header in udf.headers]]

#% a header object
from fused.models import Header


@fused.udf(headers=[Header(module_name="words", source_code="HELLO = 'hi'\n")])
def udf():
    from words import HELLO

    return HELLO


answer = fused.run(udf, engine="local")

#% a header that is not there
@fused.udf(headers=["missing.py"])
def udf():
    return 1

#% a header is gone after the run
from fused.models import Header


@fused.udf(headers=[Header(module_name="short_lived", source_code="A = 1\n")])
def udf():
    import short_lived

    return short_lived.A


fused.run(udf, engine="local")
answer = attempt(__import__, "short_lived")

#% the module around keeps its own state between runs
code = '''
import fused
calls = []
@fused.udf
def udf(a: int = 1):
    calls.append(a)
    return calls
'''
loaded = fused.load(code)
answer = [fused.run(loaded, engine="local"), fused.run(loaded, a=2, engine="local")]

#% the context of a local run
@fused.udf
def udf():
    import fused

    here = fused.context
    return [here.get_headers(), here.get_header("x"), here.get_recursion_factor(), here.in_realtime(), here.in_batch(), here.get_global_context() is None]


answer = fused.run(udf, engine="local")

#% pickles and dataclasses of a UDF
@fused.udf
def udf():
    import pickle
    from dataclasses import asdict, dataclass

    @dataclass
    class Point:
        x: int

    return [asdict(Point(1)), pickle.loads(pickle.dumps({"a": 1}))]


answer = fused.run(udf, engine="local")

#% a UDF names itself
@fused.udf
def udf(n: int = 2):
    import fused

    return [n] if n == 0 else [n, *fused.run(udf, n=n - 1, engine="local")]


answer = fused.run(udf, engine="local")

#% a UDF's docstring and lambda
@fused.udf
def udf(n: int = 3):
    """Squares."""
    return list(map(lambda k: k * k, range(n)))


answer = fused.run(udf, engine="local")

#% a generator as a result
#! differs: a local run keeps its result here only where that is asked for, so it need not be something that can be pickled
#! ours: value == {"object": "generator"}
@fused.udf
def udf():
    return (n for n in range(3))


fused.options.local_engine_cache = True
answer = fused.run(udf, engine="local")
