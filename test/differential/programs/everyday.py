#% helpers as classes, with properties and class methods
@fused.udf
def udf(width: float = 2.0, height: float = 3.5):
    from dataclasses import dataclass, field

    @dataclass(order=True)
    class Box:
        width: float
        height: float = 1.0
        tags: list = field(default_factory=list)

        @property
        def area(self):
            return self.width * self.height

        @classmethod
        def square(cls, side):
            return cls(side, side, ["square"])

        @staticmethod
        def unit():
            return "m"

        def __add__(self, other):
            return Box(self.width + other.width, max(self.height, other.height), self.tags + other.tags)

    total = Box(width, height) + Box.square(2)
    return {"area": total.area, "tags": total.tags, "unit": Box.unit(), "text": repr(total), "less": Box(1) < total}


answer = fused.run(udf, engine="local", width=4)

#% generators, itertools and collections
@fused.udf
def udf(n: int = 10):
    from collections import ChainMap, Counter, OrderedDict, defaultdict, deque, namedtuple
    from itertools import accumulate, batched, chain, groupby, islice, pairwise, product

    def fibonacci():
        a, b = 0, 1
        while True:
            yield a
            a, b = b, a + b

    numbers = list(islice(fibonacci(), n))
    groups = defaultdict(list)
    for number in numbers:
        groups["even" if number % 2 == 0 else "odd"].append(number)
    Point = namedtuple("Point", "x y")
    recent = deque(numbers, maxlen=3)
    return {
        "numbers": numbers,
        "groups": dict(groups),
        "counts": Counter("mississippi").most_common(2),
        "pairs": list(pairwise(numbers))[:3],
        "batches": list(batched(numbers, 4)),
        "runs": [(key, len(list(items))) for key, items in groupby(numbers, key=lambda each: each > 5)],
        "product": [a + b for a, b in product("ab", "xy")],
        "sums": list(accumulate(chain([1], [2, 3]))),
        "recent": list(recent),
        "point": tuple(Point(1, 2)._replace(y=5)),
        "chain": ChainMap({"a": 1}, {"a": 2, "b": 3})["b"],
        "ordered": list(OrderedDict(b=1, a=2)),
    }


answer = fused.run(udf, engine="local")

#% stacked decorators and closures that count
@fused.udf
def udf():
    import functools

    def twice(function):
        @functools.wraps(function)
        def wrapper(*args, **kwargs):
            return [function(*args, **kwargs) for _ in range(2)]

        return wrapper

    def tagged(tag):
        def decorate(function):
            @functools.wraps(function)
            def wrapper(*args, **kwargs):
                return {tag: function(*args, **kwargs)}

            return wrapper

        return decorate

    def counter():
        count = 0

        def tick(step=1):
            nonlocal count
            count += step
            return count

        return tick

    tick = counter()

    @tagged("outer")
    @twice
    @tagged("inner")
    def work(a, /, b=2, *args, c, **kwargs):
        return [a, b, args, c, kwargs, tick()]

    return [work(1, c=3), work(1, 2, 3, c=4, d=5), work.__name__, functools.reduce(lambda a, b: a * b, [1, 2, 3])]


answer = fused.run(udf, engine="local")

#% dates, decimals, fractions and enums
@fused.udf
def udf(start: str = "2024-02-28", days: int = 3):
    import datetime
    import enum
    from decimal import ROUND_HALF_UP, Decimal, localcontext
    from fractions import Fraction

    class Color(enum.Enum):
        RED = "r"
        BLUE = "b"

    class Flags(enum.IntFlag):
        A = 1
        B = 2

    first = datetime.date.fromisoformat(start)
    with localcontext() as context:
        context.prec = 5
        third = Decimal(1) / Decimal(3)
    return {
        "days": [(first + datetime.timedelta(days=i)).strftime("%a %d %b %Y") for i in range(days)],
        "delta": datetime.datetime(2024, 3, 1, tzinfo=datetime.timezone.utc) - datetime.datetime(2024, 2, 1, tzinfo=datetime.timezone.utc),
        "price": Decimal("2.675").quantize(Decimal("0.01"), ROUND_HALF_UP),
        "third": third,
        "fraction": Fraction(3, 4) + Fraction(1, 4),
        "color": Color("b").name,
        "flags": int(Flags.A | Flags.B),
        "iso": datetime.datetime(2024, 1, 1, 12, 30).isoformat(timespec="minutes"),
    }


answer = fused.run(udf, engine="local")

#% JSON, regular expressions, CSV and zip files in memory
@fused.udf
def udf(text: str = "a=1; b=22; c=x"):
    import base64
    import csv
    import gzip
    import hashlib
    import io
    import json
    import re
    import zipfile

    pairs = dict(re.findall(r"(\w)=(\d+)", text))
    out = io.StringIO()
    writer = csv.DictWriter(out, ["name", "value"], lineterminator="\n")
    writer.writeheader()
    writer.writerows({"name": name, "value": value} for name, value in pairs.items())
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("rows.csv", out.getvalue())
        archive.writestr("meta.json", json.dumps(pairs, sort_keys=True, indent=1))
    with zipfile.ZipFile(io.BytesIO(packed.getvalue())) as archive:
        names = archive.namelist()
        rows = list(csv.reader(io.TextIOWrapper(archive.open("rows.csv"), "utf-8")))
    return {
        "names": names,
        "rows": rows,
        "hash": hashlib.sha256(text.encode()).hexdigest()[:12],
        "packed": gzip.decompress(gzip.compress(b"abc" * 10))[:4],
        "sub": re.sub(r"(?P<d>\d+)", lambda found: str(int(found["d"]) * 2), text),
        "coded": base64.urlsafe_b64encode(b"\xff\xfe").decode(),
        "loaded": json.loads('{"a": [1, 2.5, null, true], "b": "\\u00e9"}'),
    }


answer = fused.run(udf, engine="local")

#% texts with formats
@fused.udf
def udf(value: float = 1234567.891, name: str = "ab"):
    import string
    import textwrap

    width = 12
    return [
        f"{value:,.2f}|{value:>{width}.1e}|{value:+012.3f}",
        f"{name!r:>8}|{name:^6}|{name:*<5}|{255:#x}|{255:08b}|{0.256:.1%}",
        f"{'nested ' + f'{name.upper()}'}{{}}",
        "{0}-{1[k]}-{2.real}".format(name, {"k": 5}, 3),
        "%s %05d %.3f" % (name, 42, value),
        string.Template("$who owes $$${amount}").substitute(who=name, amount=5),
        textwrap.dedent("""
            a
              b
        """).strip(),
        textwrap.shorten("one two three four", 12),
        "ß".upper(),
        "İ".lower(),
        name.translate(str.maketrans("ab", "xy")),
    ]


answer = fused.run(udf, engine="local")

#% warnings, logging and print to stderr
@fused.udf
def udf():
    import logging
    import sys
    import warnings

    print("to stdout", 1, 2, sep="-", end="!\n")
    print("to stderr", file=sys.stderr)
    logger = logging.getLogger("everyday")
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(logging.Formatter("%(levelname)s:%(name)s:%(message)s"))
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.debug("not shown")
    logger.info("shown %d", 5)
    logger.removeHandler(handler)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warnings.warn("careful", UserWarning)
        warnings.warn("old", DeprecationWarning)
    sys.stdout.write("no newline")
    sys.stdout.flush()
    return [[str(each.message), each.category.__name__] for each in caught]


answer = fused.run(udf, engine="local", verbose=True)

#% what is printed in vain, and by a logger without handlers
@fused.udf
def udf():
    import logging

    logging.getLogger("nobody").warning("last resort")
    print("dropped")
    return 1


answer = fused.run(udf, engine="local")

#% a UDF that ends itself: VALUE
#: sys.exit() ; sys.exit(3) ; sys.exit("why") ; raise SystemExit(0)
@fused.udf
def udf():
    import sys

    VALUE


try:
    answer = fused.run(udf, engine="local")
except SystemExit as exit:
    answer = ["exit", exit.code]

#% errors raised from others
@fused.udf
def udf(kind: str = "from"):
    def inner():
        return {}["missing"]

    try:
        inner()
    except KeyError as error:
        if kind == "from":
            raise ValueError("no such key") from error
        if kind == "none":
            raise RuntimeError("hidden") from None
        raise


answer = [attempt(fused.run, udf, engine="local", kind=kind) for kind in ("from", "none", "again")]

#% a group of errors
#! differs: a traceback of a group has the errors that are in it; the client shows none of them
#! ours: value[0] == [["ExceptionGroup", 1], ["rest", "several (2 sub-exceptions)"]] and value[1] == {"UdfRuntimeError": "ExceptionGroup: several (2 sub-exceptions)"} and "KeyError: 'c'" in stderr
@fused.udf
def udf(catch: bool = True):
    errors = [ValueError("a"), TypeError("b"), ExceptionGroup("inner", [KeyError("c")])]
    found = []
    try:
        raise ExceptionGroup("several", errors)
    except* ValueError as group:
        found.append([type(group).__name__, len(group.exceptions)])
    except* (TypeError, KeyError) as group:
        found.append(["rest", str(group)])
        if not catch:
            raise
    return found


answer = [fused.run(udf, engine="local"), attempt(fused.run, udf, engine="local", catch=False)]

#% context managers, suppressed errors and finally
@fused.udf
def udf():
    import contextlib
    import io
    import tempfile
    from pathlib import Path

    steps = []

    @contextlib.contextmanager
    def step(name):
        steps.append(f"begin {name}")
        try:
            yield name.upper()
        finally:
            steps.append(f"end {name}")

    class Guard:
        def __enter__(self):
            return self

        def __exit__(self, kind, error, trace):
            steps.append(kind and kind.__name__)
            return kind is ZeroDivisionError

    with step("a") as upper, Guard():
        steps.append(upper)
        1 / 0
    with contextlib.suppress(FileNotFoundError), contextlib.ExitStack() as stack:
        stack.callback(steps.append, "called back")
        open("/nowhere/at/all")
    buffer = io.StringIO()
    with contextlib.redirect_stdout(buffer):
        print("captured")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x" / "y.txt"
        path.parent.mkdir()
        path.write_text("é\n" * 2, encoding="utf-8")
        steps.append([path.name, path.stat().st_size, path.suffix, sorted(each.name for each in Path(folder).rglob("*"))])
    return [steps, buffer.getvalue()]


answer = fused.run(udf, engine="local")

#% gathered and timed tasks
@fused.udf
def udf(n: int = 4):
    import asyncio

    async def work(i):
        await asyncio.sleep(0.001 * (n - i))
        if i == 2:
            raise ValueError(f"task {i}")
        return i * 10

    async def stream():
        for i in range(3):
            yield i

    async def main():
        results = await asyncio.gather(*(work(i) for i in range(n)), return_exceptions=True)
        order = []

        async def note(name, delay):
            await asyncio.sleep(delay)
            order.append(name)

        async with asyncio.TaskGroup() as group:
            group.create_task(note("late", 0.05))
            group.create_task(note("early", 0.0))
        try:
            await asyncio.wait_for(asyncio.sleep(10), 0.001)
        except TimeoutError:
            order.append("timeout")
        queue = asyncio.Queue()
        for i in range(3):
            queue.put_nowait(i)
        async with asyncio.Semaphore(1):
            order.append(await queue.get())
        return [[str(each) for each in results], order, [each async for each in stream()]]

    return asyncio.run(main())


answer = fused.run(udf, engine="local")

#% parameters of many kinds
@fused.udf
def udf(a, b: int, *args, c: float = 1.5, d: "int" = 3, **rest):
    return [a, b, list(args), c, d, rest]


answer = [attempt(fused.run, udf, engine="local", **given) for given in ({"a": 1, "b": "2"}, {"a": [1], "b": 2, "c": "3", "d": "4", "e": 5, "f": [6]})]

#% parameters that are given by position only
#! differs: the client gives all of them by name, and Python refuses that
#! ours: value == [1, 2]
@fused.udf
def udf(a, /, b: int = 2):
    return [a, b]


answer = fused.run(udf, engine="local", a=1)

#% annotations of typing: VALUE
#: {"a": "1"} ; {"a": 1, "b": "2.5"} ; {"c": "x"} ; {"d": "[1, 2]"} ; {"e": '{"k": 1}'} ; {"f": "1"} ; {"g": "true"} ; {"h": "2024-01-01"} ; {"k": "[1, 2]"}
text = """
import datetime
from typing import Annotated, Any, Dict, List, Literal, Optional, Tuple, Union
import fused

@fused.udf
def udf(a: Optional[int] = None, b: Union[float, str, None] = None, c: Literal["x", "y"] = "y", d: List[int] = None,
        e: Dict[str, int] = None, f: Any = None, g: Optional[bool] = None, h: Optional[datetime.date] = None,
        i: Annotated[int, "meters"] = 0, j: Optional[List[int]] = None, k: Tuple[int, int] = None, l: list[int] | None = None):
    return [a, b, c, d, e, f, g, h, i, j, k, l]
"""
answer = fused.run(fused.load(text), engine="local", **VALUE)

#% annotations of typing with more in them: VALUE
#: ("a", "5") ; ("b", "[1]") ; ("c", "[3]")
#! differs: what is in Annotated, and in an Optional, counts as it does by itself; the client leaves the text
#! ours: value in ([5, None, None], [0, [1], None], [0, None, [3]])
text = """
from typing import Annotated, List, Optional
import fused

@fused.udf
def udf(a: Annotated[int, "meters"] = 0, b: Optional[List[int]] = None, c: list[int] | None = None):
    return [a, b, c]
"""
answer = fused.run(fused.load(text), engine="local", **dict([VALUE]))

#% large integers and odd floats
@fused.udf
def udf(n: int = 2**70):
    import math
    import sys

    return [n, n**3 % 97, -n, math.factorial(25), 0.1 + 0.2, 1e308 * 10, -0.0, math.nan, 10**400 // 10**398, sys.float_info.max, int("9" * 50), round(2.5), divmod(-7, 2), 7 // -2]


answer = [fused.run(udf, engine="local"), fused.run(udf, engine="local", n=str(2**65))]

#% results of VALUE
#: {"a": (1, {2, 3}), "b": b"\x00\xff"} ; [None, float("nan"), float("-inf")] ; complex(1, -2) ; "a\x00b\ud83d\ude00" ; "line\u2028separator" ; {1: "int", "1": "text", None: "none", (1, 2): "tuple"} ; [[[[[[]]]]]] ; memoryview(b"abc").tobytes() ; {"z": 1, "a": 2} ; (x for x in []).__class__.__name__ ; type("T", (), {}).__name__ ; NotImplemented is None ; ...  is Ellipsis ; list(map(str, range(3))) ; dict.fromkeys("ab") ; slice(1, 2).indices(5) ; 10**30 ; True + True
@fused.udf
def udf():
    return VALUE


answer = fused.run(udf, engine="local")

#% match statements and walrus
@fused.udf
def udf(command: str = "go 3"):
    def read(parts):
        match parts:
            case ["go", n] if (number := int(n)) > 2:
                return f"far {number}"
            case ["go", n]:
                return f"near {n}"
            case {"name": name, **rest}:
                return [name, rest]
            case [first, *others]:
                return [first, len(others)]
            case str() | None:
                return "text or nothing"
            case _:
                return "other"

    return [read(command.split()), read(["go", "1"]), read({"name": "x", "y": 1}), read([1, 2, 3]), read("t"), read(5)]


answer = fused.run(udf, engine="local")

#% inheritance, protocols, slots and descriptors
@fused.udf
def udf():
    import abc
    from typing import NamedTuple, Protocol, TypedDict

    class Shape(abc.ABC):
        registry = []

        def __init_subclass__(cls, **kwargs):
            super().__init_subclass__(**kwargs)
            Shape.registry.append(cls.__name__)

        @abc.abstractmethod
        def area(self): ...

    class Square(Shape):
        __slots__ = ("side",)

        def __init__(self, side):
            self.side = side

        def area(self):
            return self.side**2

    class Positive:
        def __set_name__(self, owner, name):
            self.name = "_" + name

        def __get__(self, instance, owner):
            return getattr(instance, self.name)

        def __set__(self, instance, value):
            if value <= 0:
                raise ValueError(f"{self.name[1:]} must be positive")
            setattr(instance, self.name, value)

    class Account:
        balance = Positive()

    class Row(NamedTuple):
        a: int
        b: str = "x"

    class Options(TypedDict, total=False):
        a: int

    class HasArea(Protocol):
        def area(self) -> float: ...

    account = Account()
    account.balance = 5
    problems = []
    for call in (lambda: Shape(), lambda: setattr(account, "balance", -1), lambda: Square(2).other):
        try:
            call()
        except Exception as error:
            problems.append(type(error).__name__)
    return [Shape.registry, Square(3).area(), account.balance, problems, Row(1)._asdict(), Options(a=1), Square.__mro__[1].__name__]


answer = fused.run(udf, engine="local")

#% a cached helper inside of a UDF with methods and defaults
@fused.udf
def udf(n: int = 5):
    import functools

    calls = []

    @functools.lru_cache(maxsize=None)
    def slow(i):
        calls.append(i)
        return i * i

    @functools.singledispatch
    def kind(value):
        return "other"

    @kind.register
    def _(value: int):
        return "int"

    @kind.register(list)
    def _(value):
        return "list"

    total = sum(slow(i % 2) for i in range(n))
    return [total, calls, slow.cache_info().hits, kind(1), kind([]), kind(1.5)]


answer = fused.run(udf, engine="local")

#% sorting, bisecting, heaps and random numbers with a seed
@fused.udf
def udf(seed: int = 7):
    import bisect
    import heapq
    import operator
    import random
    import statistics

    rng = random.Random(seed)
    numbers = [rng.randint(0, 100) for _ in range(8)]
    people = [("ann", 31), ("bob", 25), ("cy", 31)]
    return {
        "numbers": numbers,
        "sorted": sorted(people, key=operator.itemgetter(1, 0), reverse=True),
        "largest": heapq.nlargest(3, numbers),
        "place": bisect.bisect(sorted(numbers), 50),
        "mean": statistics.mean(numbers),
        "stdev": round(statistics.stdev(numbers), 6),
        "shuffled": rng.sample(range(5), 5),
        "gauss": round(rng.gauss(0, 1), 9),
        "choice": rng.choices("abc", weights=[1, 2, 3], k=4),
    }


answer = fused.run(udf, engine="local")

#% times with an offset and calendars
@fused.udf
def udf(when: str = "2024-03-31T01:30:00"):
    import calendar
    import datetime

    east = datetime.timezone(datetime.timedelta(hours=2), "EAST")
    moment = datetime.datetime.fromisoformat(when).replace(tzinfo=datetime.timezone.utc)
    local = moment.astimezone(east)
    return [local.isoformat(), str(local.utcoffset()), local.tzname(), calendar.monthrange(2024, 2)[1], calendar.day_name[local.weekday()], moment.timestamp(), datetime.date(2024, 12, 30).isocalendar()[1], local, datetime.datetime.strptime("5 Mar 2024", "%d %b %Y")]


answer = fused.run(udf, engine="local")

#% the arguments of a run are not changed by it
@fused.udf
def udf(items: list, options: dict = None):
    items.append("added")
    (options or {}).clear()
    return [items, options]


given = [1, 2]
options = {"a": 1}
answer = [fused.run(udf, engine="local", items=given, options=options), given, options]

#% a frame is not changed by a run that it is given to
#! needs pandas
import pandas as pd


@fused.udf
def udf(frame: pd.DataFrame):
    frame["added"] = 1
    frame.loc[0, "a"] = 9
    return frame


frame = pd.DataFrame({"a": [1, 2]})
answer = [fused.run(udf, engine="local", frame=frame), frame]

#% recursion that is too deep, and one that is not
@fused.udf
def udf(depth: int = 50):
    def down(n):
        return 0 if n == 0 else 1 + down(n - 1)

    try:
        down(10**6)
    except RecursionError as error:
        caught = type(error).__name__
    return [down(depth), caught]


answer = fused.run(udf, engine="local")

#% assertions and unusual errors: VALUE
#: raise NotImplementedError ; raise AssertionError("one is not two") ; raise StopIteration(3) ; raise UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad") ; raise KeyError(("a", 1)) ; raise IndexError() ; int("1_0x") ; {}[None] ; (1).missing ; None + 1 ; [][3] ; undefined_name ; import no_such_module_anywhere ; raise Exception("multi\nline") ; raise ValueError("a", 2) ; "a".encode("ascii", errors=5) ; next(iter([])) ; del missing ; raise TypeError from None ; float("x") ; bytes([300]) ; [1, 2].index(3) ; "x" * -1 + 1
@fused.udf
def udf():
    VALUE


answer = attempt(fused.run, udf, engine="local")

#% an error class with fields of its own
@fused.udf
def udf():
    class Denied(Exception):
        def __init__(self, who, code=403):
            super().__init__(f"{who} was denied")
            self.code = code

        def __str__(self):
            return f"[{self.code}] {self.args[0]}"

    raise Denied("ann")


answer = attempt(fused.run, udf, engine="local")
answer = [type(answer).__name__, str(answer), answer.child_exception_class]
