#% what no UDF is: VALUE
#: None ; 3 ; [1] ; len ; lambda: 1 ; {"a": 1} ; 1.5 ; b"x"
answer = fused.run(VALUE, engine="local")

#% without any argument
answer = fused.run()

#% options that do not go together: VALUE
#: engine="cloud" ; engine="local", instance_type="small" ; instance_type="realtime", disk_size_gb=10 ; type="tile", engine="local" ; type="tile", x=1, y=2, engine="local" ; cache=False, cache_max_age="1h", engine="local"
@fused.udf
def udf(x: int = 0):
    return x


answer = fused.run(udf, VALUE)

#% a name that cannot be loaded
#! differs: there is no server here, so ours says how to name one
#! ours: error[0] == "ValueError" and "nobody/nothing" in error[1]
answer = fused.run("nobody/nothing", engine="local")

#% a failure inside is a UdfRuntimeError
@fused.udf
def udf(x: int = 0):
    raise ValueError("boom")


try:
    fused.run(udf, engine="local")
except Exception as error:
    answer = [type(error).__name__, str(error), error.child_exception_class, error.__cause__, isinstance(error, RuntimeError), error.args]

#% the class of a failure: VALUE
#: KeyError("k") ; ZeroDivisionError() ; RuntimeError("a\nb") ; FileNotFoundError("no such") ; Exception() ; AssertionError("x", 1) ; StopIteration(3) ; UnicodeError("ü")
@fused.udf
def udf():
    raise VALUE


answer = fused.run(udf, engine="local")

#% an exception class of the UDF's own
code = '''
import fused
class Mine(LookupError):
    pass
@fused.udf
def udf(x: int = 1):
    raise Mine(x)
'''
answer = fused.run(fused.load(code), engine="local")

#% a failure in a helper, with the frames of the user
code = '''
import fused
def helper(x):
    return 1 / x
@fused.udf
def udf(x: int = 0):
    return helper(x)
'''
answer = fused.run(fused.load(code), engine="local")

#% a chained failure
@fused.udf
def udf():
    try:
        {}["a"]
    except KeyError as error:
        raise ValueError("no a") from error


answer = fused.run(udf, engine="local")

#% a failure while another is handled
@fused.udf
def udf():
    try:
        [][1]
    except IndexError:
        int("x")


answer = fused.run(udf, engine="local")

#% a failure without its cause
@fused.udf
def udf():
    try:
        [][1]
    except IndexError:
        raise ValueError("hidden") from None


answer = fused.run(udf, engine="local")

#% globals of the module around are not there
OUTSIDE = 3


@fused.udf
def udf():
    return OUTSIDE


answer = fused.run(udf, engine="local")

#% imports of the module around are not there
import math


@fused.udf
def udf():
    return math.pi


answer = fused.run(udf, engine="local")

#% a failure of the module's own code
#! differs: the client executes the module's code several times for one run, and prints each time
#! ours: error == ["UdfRuntimeError", "ZeroDivisionError: division by zero"] and stdout == "module\n"
code = '''
import fused
print("module")
1 / 0
@fused.udf
def udf():
    return 1
'''
answer = fused.run(fused.load(code), engine="local")

#% a name that is not there
@fused.udf
def udf():
    return undefined_name


answer = fused.run(udf, engine="local")

#% a module that is not there
@fused.udf
def udf():
    import no_such_module


answer = fused.run(udf, engine="local")

#% the whole outcome of a failure
@fused.udf
def udf(x: int = 0):
    print("before")
    raise ValueError("boom")


result = fused.run(udf, engine="local", _return_response=True)
answer = [type(result).__name__, result.data, result.stdout, result.has_exception, result.error_message, result.error_lineno, result.exception_class]

#% the whole outcome of a success
@fused.udf
def udf(x: int = 0):
    print("out")
    return x


result = fused.run(udf, engine="local", _return_response=True)
answer = [type(result).__name__, result.data, result.stdout, result.stderr, result.has_exception, result.error_message, result.error_lineno]

#% max_retry does not run a failed UDF again
@fused.udf
def udf():
    print("ran")
    raise ValueError("x")


answer = fused.run(udf, engine="local", max_retry=3)

#% an age that is none: VALUE
#! differs: the same class; our messages say what was given and what to do
#! ours: error[0] == "ValueError" and error[1].startswith("Cannot read cache_max_age: ")
#: "5" ; "1w" ; "1.5h" ; "-1s" ; "" ; True
@fused.udf
def udf():
    return 1


answer = fused.run(udf, engine="local", cache_max_age=VALUE)

#% an age: VALUE
#: "12h" ; "7d" ; 0 ; 90 ; "1m"
@fused.udf(cache_max_age=VALUE)
def udf():
    return 1


answer = [udf.cache_max_age, fused.run(udf, engine="local", cache_max_age=VALUE)]

#% an age that is a float
#! differs: the client fails with an AttributeError of its own; a ValueError says what an age is
#! ours: error[0] == "ValueError" and "1.5" in error[1]
@fused.udf
def udf():
    return 1


answer = fused.run(udf, engine="local", cache_max_age=1.5)

#% an age in the decorator: VALUE
#! differs: an age is read the same way wherever it is given; in the decorator the client takes no other form
#! ours: value in ([3, 1], [0, 1])
#: "3 s" ; "0"
@fused.udf(cache_max_age=VALUE)
def udf():
    return 1


answer = [udf.cache_max_age, fused.run(udf, engine="local")]

#% an age in a run: VALUE
#: " 3S " ; "0" ; "2D" ; 5
@fused.udf
def udf():
    return 1


answer = fused.run(udf, engine="local", cache_max_age=VALUE)
