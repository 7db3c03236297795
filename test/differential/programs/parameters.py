#% an int of VALUE
#: 3 ; "3" ; "-7" ; 3.7 ; None ; " 5 " ; 2**70
@fused.udf
def udf(value: int):
    return value


answer = fused.run(udf, value=VALUE, engine="local")

#% a float of VALUE
#: 3 ; "3.5" ; "nan" ; "1e400" ; None
@fused.udf
def udf(value: float):
    return value


answer = fused.run(udf, value=VALUE, engine="local")

#% a str of VALUE
#: 3 ; 3.0 ; None ; True ; [1, "a"] ; {"a": None} ; "x"
@fused.udf
def udf(value: str):
    return value


answer = fused.run(udf, value=VALUE, engine="local")

#% a bool of VALUE
#: True ; False ; "false" ; "FALSE" ; "0" ; "no" ; "" ; 0 ; 1 ; None ; [0]
@fused.udf
def udf(value: bool):
    return value


answer = fused.run(udf, value=VALUE, engine="local")

#% a list of VALUE
#: [1, "a"] ; "[1, 2]" ; (1, 2) ; None ; []
@fused.udf
def udf(value: list):
    return value


answer = fused.run(udf, value=VALUE, engine="local")

#% a list[int] of VALUE
#: ["3"] ; "[3]" ; [1.5] ; [[1]]
@fused.udf
def udf(value: list[int]):
    return value


answer = fused.run(udf, value=VALUE, engine="local")

#% a dict of VALUE
#: {"a": 1, "b": None} ; '{"a": {"b": [1]}}' ; None
@fused.udf
def udf(value: dict):
    return value


answer = fused.run(udf, value=VALUE, engine="local")

#% a tuple of VALUE
#: (1, 2) ; [1, "2"] ; "[3]" ; None
@fused.udf
def udf(value: tuple):
    return value


answer = fused.run(udf, value=VALUE, engine="local")

#% a set or bytes of VALUE is left as it came
#: "[1]" ; [1, 2] ; None
@fused.udf
def udf(value: set, other: bytes = None):
    return value


answer = fused.run(udf, value=VALUE, engine="local")

#% without annotation VALUE
#: 1 ; 1.5 ; True ; None ; "x" ; [1, 2] ; (1, "a") ; {"a": True}
@fused.udf
def udf(value):
    return value


answer = fused.run(udf, value=VALUE, engine="local")

#% int | None of VALUE
#: "3" ; 4 ; None
@fused.udf
def udf(value: int | None = None):
    return value


answer = fused.run(udf, value=VALUE, engine="local")

#% Optional of typing, VALUE
#! differs: names of annotations are there, whichever module they are of
#! ours: value in (3, None) and not error
#: "3" ; None
from typing import Optional


@fused.udf
def udf(value: Optional[int] = None):
    return value


answer = fused.run(udf, value=VALUE, engine="local")

#% List and Dict imported inside, VALUE
#: ["3"] ; "[1]"
code = '''
from typing import Dict, List
import fused
@fused.udf
def udf(value: List[int], other: Dict[str, int] = None):
    return [value, other]
'''
answer = fused.run(fused.load(code), value=VALUE, other={"a": "1"}, engine="local")

#% an annotation in quotes leaves VALUE
#: 3 ; "3" ; [1]
@fused.udf
def udf(value: "int"):
    return value


answer = fused.run(udf, value=VALUE, engine="local")

#% a Literal leaves VALUE
#: 3 ; "3" ; "a"
code = '''
from typing import Literal
import fused
@fused.udf
def udf(value: Literal["a", 3]):
    return value
'''
answer = fused.run(fused.load(code), value=VALUE, engine="local")

#% a wider union leaves VALUE
#: 3 ; "3" ; [1]
@fused.udf
def udf(value: int | str | list):
    return value


answer = fused.run(udf, value=VALUE, engine="local")

#% a date of VALUE
#: "2024-02-29" ; 86400 ; None
import datetime


@fused.udf
def udf(value: datetime.date):
    return value


answer = fused.run(udf, value=VALUE, engine="local")

#% a datetime of VALUE
#: "2024-02-29T10:00:00" ; "2024-02-29" ; 0 ; 1.5 ; "2024-02-29T10:00:00+02:00" ; None
import datetime


@fused.udf
def udf(value: datetime.datetime):
    return value


answer = fused.run(udf, value=VALUE, engine="local")

#% a UUID of VALUE
#: "12345678123456781234567812345678" ; None
import uuid


@fused.udf
def udf(value: uuid.UUID):
    return value


answer = fused.run(udf, value=VALUE, engine="local")

#% keywords of any name are texts
@fused.udf
def udf(a: int, **rest):
    return [a, rest]


answer = fused.run(udf, a="1", b=2, c=[1], d=True, e=None, f=2.5, engine="local")

#% defaults are not coerced
@fused.udf
def udf(a: int = "7", b: str = 8, c: list = None):
    return [a, b, c]


answer = [fused.run(udf, engine="local"), fused.run(udf, a="9", engine="local")]

#% keyword-only parameters
@fused.udf
def udf(a: int, *, b: float = 1):
    return [a, b]


answer = [fused.run(udf, a=1, engine="local"), fused.run(udf, a=1, b="2", engine="local")]

#% parameters win over keywords
@fused.udf
def udf(a: int, b: int = 0):
    return [a, b]


answer = fused.run(udf, a=1, b=2, parameters={"a": 3}, engine="local")

#% what is no int is refused before the UDF runs: VALUE
#: "3.7" ; "0x10" ; True ; "" ; [1]
@fused.udf
def udf(value: int):
    return value


answer = fused.run(udf, value=VALUE, engine="local")

#% what is no float is refused before the UDF runs: VALUE
#: "x" ; True ; [1.5]
@fused.udf
def udf(value: float):
    return value


answer = fused.run(udf, value=VALUE, engine="local")

#% what is no list is refused before the UDF runs: VALUE
#: "x"
@fused.udf
def udf(value: list):
    return value


answer = fused.run(udf, value=VALUE, engine="local")

#% what is something else than a list is refused before the UDF runs: VALUE
#: "{}" ; 3
#! differs: the client takes whatever JSON there is, and leaves alone what is no text
#! ours: error[0] == "UdfRuntimeError" and not stdout
@fused.udf
def udf(value: list):
    return value


answer = fused.run(udf, value=VALUE, engine="local")

#% what is no dict is refused before the UDF runs: VALUE
#: "x"
@fused.udf
def udf(value: dict):
    return value


answer = fused.run(udf, value=VALUE, engine="local")

#% what is something else than a dict is refused before the UDF runs
#! differs: the client takes whatever JSON there is
#! ours: error == ["UdfRuntimeError", "ValueError: it is no dict"]
@fused.udf
def udf(value: dict):
    return value


answer = fused.run(udf, value="[1]", engine="local")

#% what is no int | None is refused before the UDF runs: VALUE
#: "x"
@fused.udf
def udf(value: int | None):
    return value


answer = fused.run(udf, value=VALUE, engine="local")

#% what is no datetime.date is refused before the UDF runs: VALUE
#: "x" ; "2024-02-29T10:00:00"
import datetime


@fused.udf
def udf(value: datetime.date):
    return value


answer = fused.run(udf, value=VALUE, engine="local")

#% what is no datetime.datetime is refused before the UDF runs: VALUE
#: "x"
import datetime


@fused.udf
def udf(value: datetime.datetime):
    return value


answer = fused.run(udf, value=VALUE, engine="local")

#% what is no uuid.UUID is refused before the UDF runs: VALUE
#: "x"
import uuid


@fused.udf
def udf(value: uuid.UUID):
    return value


answer = fused.run(udf, value=VALUE, engine="local")

#% keys of a dict keep their types
#! differs: the client writes each dict as JSON, so that keys become texts; here that happens only where the annotation asks for text
#! ours: value == {"dict": [[2, "a"]]}
@fused.udf
def udf(value: dict):
    return value


answer = fused.run(udf, value={2: "a"}, engine="local")

#% a missing parameter
@fused.udf
def udf(a: int, b: int):
    return [a, b]


answer = attempt(fused.run, udf, a=1, engine="local")

#% an unknown parameter
@fused.udf
def udf(a: int = 1):
    print("ran")
    return a


answer = fused.run(udf, other=1, engine="local")

#% run_local ignores an unknown parameter
@fused.udf
def udf(a: int = 1):
    return a


answer = udf.run_local(other=1, a="5")

#% a UDF without parameters
@fused.udf
def udf():
    return "fixed"


answer = fused.run(udf, engine="local")

#% a UDF that needs annotations from future
#! differs: with the import from future the client sees texts instead of annotations, and converts nothing
#! ours: value == [3, [1]]
code = '''
from __future__ import annotations
import fused
@fused.udf
def udf(value: int, other: list = None):
    return [value, other]
'''
answer = fused.run(fused.load(code), value="3", other=[1], engine="local")
