"""Failures: the class, the message, the line, and what was printed until then."""

import time
from concurrent.futures import ThreadPoolExecutor

import fused
from scenarios import equal, fails, printed, run, save, scenario, source


def endless() -> None:
    """Runs what never ends; its error tells how long it went on."""
    started = time.monotonic()
    try:
        fused.run(source("import time\nwhile True:\n    time.sleep(1)"))
    except Exception as error:
        error.seconds = time.monotonic() - started
        raise


# It waits for the time limit while other scenarios run.
ENDLESS = ThreadPoolExecutor(1).submit(endless)


@scenario("an exception: class, message and line")
def _() -> None:
    error = fails("UdfRuntimeError", "bad input 7", fused.run, source("a = 7\nraise ValueError(f'bad input {a}')"))
    equal(error.child_exception_class, "ValueError")
    assert "line 6" in str(error), str(error)


@scenario("an exception as an outcome")
def _() -> None:
    outcome = fused.run(source("print('before')\nraise KeyError('k')"), _return_response=True)
    equal((outcome.has_exception, outcome.exception_class, outcome.stdout, outcome.error_lineno), (True, "KeyError", "before\n", 6))
    assert "Traceback" in outcome.stderr and "raise KeyError('k')" in outcome.stderr, outcome.stderr


@scenario("an exception of a class of the UDF's own")
def _() -> None:
    code = "import fused\n\nclass Odd(Exception):\n    pass\n\n@fused.udf\ndef udf():\n    raise Odd('own')\n"
    equal(fails("UdfRuntimeError", "own", fused.run, code).child_exception_class, "Odd")


@scenario("an exception with a text of many lines and of other scripts")
def _() -> None:
    fails("UdfRuntimeError", "zwei\n\u65e5\u672c", fused.run, source("raise ValueError('eins\\nzwei\\n\u65e5\u672c')"))


@scenario("an exception with a text that is too large for a header")
def _() -> None:
    fails("UdfRuntimeError", "xxxx", fused.run, source("raise ValueError('x' * 100_000)"))


@scenario("an exception with a cause: both are in the traceback")
def _() -> None:
    body = "try:\n    1 / 0\nexcept ZeroDivisionError as cause:\n    raise RuntimeError('outer') from cause"
    outcome = fused.run(source(body), _return_response=True)
    equal(outcome.exception_class, "RuntimeError")
    assert "ZeroDivisionError" in outcome.stderr, outcome.stderr


@scenario("an exception while the module is loaded")
def _() -> None:
    fails("UdfRuntimeError", "early", fused.run, source("return 1", imports="raise ValueError('early')"))


@scenario("a syntax error")
def _() -> None:
    token = save("return 1")
    token.code = "import fused\n\n@fused.udf\ndef udf(:\n    return 1\n"
    fails(Exception, "", fused.run, token)


@scenario("an import of what is not there")
def _() -> None:
    error = fails("UdfRuntimeError", "no_such_module", fused.run, source("import no_such_module"))
    equal(error.child_exception_class, "ModuleNotFoundError")


@scenario("sys.exit is a failure of the run, and the next one works")
def _() -> None:
    fails("UdfRuntimeError", "", fused.run, source("import sys\nsys.exit(3)"))
    equal(fused.run(source("return 1")), 1)


@scenario("a failure in a helper names the helper's line")
def _() -> None:
    code = "import fused\n\ndef helper():\n    return {}['gone']\n\n@fused.udf\ndef udf():\n    return helper()\n"
    outcome = fused.run(code, _return_response=True)
    equal(outcome.exception_class, "KeyError")
    assert "line 4, in helper" in outcome.stderr, outcome.stderr


@scenario("a result that cannot be sent")
def _() -> None:
    fails("UdfSerializationError", "", fused.run, source("return object()"))


@scenario("a run that is out of time")
def _() -> None:
    seconds = fails("UdfTimeoutError", "", ENDLESS.result).seconds
    assert seconds > 10, seconds


@scenario("a failure by a token: class and message, too")
def _() -> None:
    token = save("raise ValueError('by token')").create_access_token()
    equal(fails("UdfRuntimeError", "by token", fused.run, token.token).child_exception_class, "ValueError")


@scenario("a failure is not kept")
def _() -> None:
    code = source("import random\nraise ValueError(str(random.random()))")
    texts = {str(fails("UdfRuntimeError", "", fused.run, code, cache_max_age="1h")) for _ in range(2)}
    equal(len(texts), 2)


@scenario("what was printed before a failure is shown")
def _() -> None:
    with printed() as out:
        fails("UdfRuntimeError", "", fused.run, source("print('seen before')\nraise ValueError('x')"))
    assert "seen before" in out.getvalue(), out.getvalue()


@scenario("what was not granted is refused, and the flag is named")
def _() -> None:
    fails("UdfRuntimeError", "--allow-net=192.0.2.1", run, "import urllib.request\nreturn urllib.request.urlopen('http://192.0.2.1/').read()")
