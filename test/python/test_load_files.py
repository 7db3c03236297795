"""`fused.load` of text, files, folders and zip archives: the same UDF as the published client loads, from files as people write them."""

import asyncio
import json
import os
import sys
import zipfile
from pathlib import Path

import published_client
import pytest

import fused
from fused._headers import install_headers
from fused.models.udf import Header, Udf

pytestmark = pytest.mark.skipif(sys.platform == "emscripten", reason="the published client runs in a process of its own")

# What stands around a UDF in a file. {} is the UDF.
SURROUNDINGS = {
    "alone": "import fused\n{}",
    "described": '#!/usr/bin/env python\n# -*- coding: utf-8 -*-\n"""What this file is for: é, 漢字, \U0001f30d."""\n\n{}\n# the end\n',
    "script block": '# /// script\n# dependencies = ["pandas>=2"]\n# [tool.fuselet.permissions]\n# net = ["a.org"]\n# ///\nimport os\nimport fused\n\n\n{}',
    "helpers": ("import json\nfrom dataclasses import dataclass, field\nimport fused\n\nLIMIT = 3\n\n@dataclass\nclass Point:\n    x: float = 0.0\n    tags: list = field(default_factory=list)\n\n"
                "@fused.cache(cache_max_age='1h')\ndef helper(x, *rest, y=1, **more):\n    def inside(z):\n        return z + y\n    return inside(x)\n\n{}\n\n"
                "class After(Point):\n    def udf(self):\n        return helper(self.x)\n\nif __name__ == '__main__':\n    print(json.dumps(LIMIT))\n"),
    "carriage returns": "import fused\r\n\r\nTEXT = '''a\r\nb'''\r\n{}\r\n",
}  # fmt: skip

UDFS = {
    "bare": "@fused.udf\ndef main():\n    return 1\n",
    "called udf": "@fused.udf\ndef udf(a: int = 1):\n    return a\n",
    "parentheses": "@fused.udf()\ndef main(a: int = 1):\n    return a\n",
    "all arguments": '@fused.udf(name="Other", cache_max_age="12h", engine="small", disk_size_gb=10, region="us-west-2", default_parameters={"a": 3})\ndef main(a: int = 1):\n    return a\n',
    "arguments over lines": '@fused.udf(\n    cache_max_age="1d",  # a day\n    instance_type="small",\n)\n# between\ndef main(a: int = 1):\n    return a\n',
    "age in seconds": "@fused.udf(cache_max_age=60)\ndef main():\n    return 1\n",
    "age off": "@fused.udf(cache_max_age=0)\ndef main():\n    return 1\n",
    "age from a name": "AGE = '1h'\n@fused.udf(cache_max_age=AGE)\ndef main():\n    return 1\n",
    "headers": '@fused.udf(headers=["beside.py"])\ndef main(a: int = 1):\n    import beside\n    return beside.double(a)\n',
    "from import": "from fused import udf\n@udf\ndef main():\n    return 1\n",
    "from import called": "from fused import udf\n@udf(cache_max_age='2h')\ndef main():\n    return 1\n",
    "another decorator below": "@fused.udf\n@fused.cache\ndef main(a=1):\n    return a\n",
    "another decorator above": "@fused.cache\n@fused.udf\ndef main(a=1):\n    return a\n",
    "sibling before": "@fused.udf(cache_max_age='3d')\ndef one(a: int = 2):\n    return a\n\n@fused.udf\ndef udf(b: int = 1):\n    return one(b)\n",
    "sibling after": "@fused.udf\ndef udf(b: int = 1):\n    return other(b)\n\n@fused.udf\ndef other(a: int = 2):\n    return a\n",
    "udf twice": "@fused.udf\ndef udf():\n    return 1\n\n@fused.udf(cache_max_age=5)\ndef udf():\n    return 2\n",
    "udf inside": "@fused.udf\ndef main(n: int = 3):\n    @fused.udf\n    def udf(a: int):\n        return a\n    return [udf(a=i) for i in range(n)]\n",
    "unions": "@fused.udf\ndef main(a: int | None = None, b: 'str | float' = 1.5, c: list[int] | dict[str, int] = [1]):\n    return [a, b, c]\n",
    "typing": "from typing import Any, Literal, Optional\n@fused.udf\ndef main(a: Optional[int] = None, b: Literal['x', 'y'] = 'x', *, c: Any = ...):\n    return a\n",
    "bounds": "@fused.udf\ndef main(bounds: fused.types.Bounds = [-180, -90, 180, 90], res: int = 8):\n    return bounds\n",
    "tile": "@fused.udf\ndef main(bbox: fused.types.TileGDF = None, path: str = 's3://bucket/a/*.parquet'):\n    return bbox\n",
    "default frame": "import pandas as pd\n@fused.udf\ndef main(table: pd.DataFrame = pd.DataFrame({'a': [1, 2]})):\n    return table\n",
    "geo frame": "@fused.udf\ndef main(n: int = 3):\n    import geopandas as gpd\n    from shapely.geometry import Point\n    return gpd.GeoDataFrame({'n': range(n)}, geometry=[Point(i, i) for i in range(n)], crs=4326)\n",
    "dates": "import datetime\nfrom uuid import UUID\n@fused.udf\ndef main(day: datetime.date = datetime.date(2026, 1, 2), id: UUID | None = None):\n    return str(day)\n",
    "keyword only": "@fused.udf\ndef main(a, /, b, *args, c, d=4, **kwargs):\n    return kwargs\n",
    "nested functions": "@fused.udf\ndef main(n: int = 3):\n    def twice(f):\n        def inner(*args):\n            return f(f(*args))\n        return inner\n    @twice\n    def add(x):\n        return x + n\n    return add(1)\n",
    "class inside": "@fused.udf\ndef main():\n    class Holder:\n        value = [x ** 2 for x in range(5)]\n        def get(self): return self.value\n    return Holder().get()\n",
    "walrus and match": "@fused.udf\ndef main(a: int = 1):\n    match a:\n        case 1 | 2 if (b := a + 1): return b\n        case {'k': v, **rest}: return v\n        case _: return None\n",
    "texts": "@fused.udf\ndef main(sql: str = '''\nselect *\n  from \"t\"\n'''):\n    return f\"{sql!r:>10} {'nested'} \\N{BULLET}\" rf'\\d{sql}' + '\\x00\u2028\x0c'\n",
    "unicode": "@fused.udf\ndef größe(straße: str = 'ä', 数: int = 1):\n    return '\u200bé' + straße * 数  # ünïcode\n",
    "one line": "@fused.udf\ndef main(a=1): return a",
    "semicolons": "@fused.udf\ndef main(a=1):\n    x = a; y = x; return y",
    "tabs": "@fused.udf\ndef main(a=1):\n\tif a:\n\t\treturn a\n\treturn None\n",
    "lambda default": "@fused.udf\ndef main(f=lambda x, *a: x, a={'k': (1, 2)}):\n    return f(a)\n",
    "generator": "@fused.udf\ndef main(n: int = 2):\n    yield from range(n)\n",
    "submit": "@fused.udf\ndef udf(n: int = 4):\n    return fused.submit(part, [{'i': i} for i in range(n)], engine='local')\n\n@fused.udf\ndef part(i: int = 0):\n    return i * i\n",
    "secrets": "@fused.udf\ndef main(key: str = 'token'):\n    return {'token': len(fused.secrets[key])}\n",
    "late import": "@fused.udf\ndef main(url: str = 'https://a.org/x.csv'):\n    import pandas as pd\n    df = pd.read_csv(url)\n    return df.groupby('a').agg({'b': 'sum'})\n",
    # What the published client cannot load: the error's beginning, and the entrypoint that ours finds.
    "alias": ("import fused as f\n@f.udf\ndef main():\n    return 1\n", "No function decorated", "main"),
    "asynchronous": ("@fused.udf\nasync def main(a: int = 1):\n    return a\n", "No function decorated", "main"),
    "under if": ("if True:\n    @fused.udf\n    def main():\n        return 1\n", "No function decorated", "main"),
    "byte order mark": ("\ufeff@fused.udf\ndef main():\n    return 1\n", "Invalid Python code", "main"),
}  # fmt: skip

# The same error in both.
REFUSED = {
    "no decorator": "import fused\ndef udf():\n    return 1\n",
    "a method": "import fused\nclass A:\n    @fused.udf\n    def f(self):\n        return 1\n",
    "two": "import fused\n@fused.udf\ndef one():\n    return 1\n@fused.udf\ndef two():\n    return 1\n",
    "another library": "import foo\n@foo.udf\ndef f():\n    return 1\n",
    "syntax": "import fused\n@fused.udf\ndef f(:\n    return 1\n",
    "indentation": "  import fused\n",
    "empty": "",
    "unclosed": "x = (1,\n",
}


def written(text: str, around: str) -> str:
    """A UDF in its surroundings."""
    lone = text.removeprefix("\ufeff")
    whole = around.replace("{}", lone.replace("\n", "\r\n") if "\r\n" in around else lone)
    if "import fused" not in whole:
        whole = f"{whole}\nimport fused\n"
    return "\ufeff" + whole if text != lone else whole


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A folder of files, and what the published client loads of each: one process for all."""
    folder = tmp_path_factory.mktemp("files")
    (folder / "beside.py").write_text("def double(x):\n    return 2 * x\n")
    named, refusals = {}, {}
    for number, (name, udf) in enumerate(UDFS.items()):
        text, *refusal = udf if isinstance(udf, tuple) else (udf,)
        for place, (around, template) in enumerate(SURROUNDINGS.items()):
            file = f"udf_{number:02}_{place}.py"
            (folder / file).write_bytes(written(text, template).encode())
            named[f"{name}, {around}"] = file
            refusals[file] = refusal
    for number, text in enumerate(REFUSED.values()):
        (folder / f"refused_{number}.py").write_text(text)
    answers = published_client.run("answer = {file: described(lambda: fused.load(file)) for file in given}",
                                   [*named.values(), *(f"refused_{number}.py" for number in range(len(REFUSED)))], folder)  # fmt: skip
    install_headers("none", [])
    return folder, named, answers, refusals


CASES = [f"{name}, {around}" for name in UDFS for around in SURROUNDINGS]


def test_there_are_two_hundred_files():
    assert len(CASES) >= 200


@pytest.mark.parametrize("case", CASES)
def test_a_file_loads_to_the_same_udf_as_in_the_published_client(files, monkeypatch, case):
    folder, named, answers, refusals = files
    file = named[case]
    monkeypatch.chdir(folder)
    udf = fused.load(file)
    theirs = answers[file]
    if refusals[file]:
        message, entrypoint = refusals[file]
        assert theirs["message"].startswith(message)
        assert (udf.name, udf.entrypoint, udf.parameters) == (file[:-3], entrypoint, {})
        assert udf.code == (folder / file).read_bytes().decode("utf-8-sig")
        return
    ours = {name: getattr(udf, name) for name in ("name", "entrypoint", "parameters", "code", "cache_max_age", "metadata")}
    # The client leaves out the modules that a loaded file's decorator names.
    assert theirs.pop("headers") == {}
    assert ours == theirs
    assert [header.module_name for header in udf.headers] == (["beside"] if case.startswith("headers") else [])


@pytest.mark.parametrize("number", range(len(REFUSED)), ids=REFUSED.keys())
def test_a_file_without_one_udf_is_refused_as_by_the_published_client(files, monkeypatch, number):
    """No decorated function, several of which none is called `udf`, and bad syntax are ValueErrors; a SyntaxError is the cause."""
    folder, _, answers, _ = files
    monkeypatch.chdir(folder)
    with pytest.raises(ValueError) as caught:
        fused.load(f"refused_{number}.py")
    theirs = answers[f"refused_{number}.py"]
    assert {"error": type(caught.value).__name__, "message": str(caught.value)} == theirs
    assert caught.value.__notes__ == [f"in the file refused_{number}.py"]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder, which is the current one. No isolate's files are around."""
    monkeypatch.chdir(tmp_path)
    install_headers("none", [])
    return tmp_path


SAVED = {
    "plain": Udf(name="plain", code=UDFS["called udf"], entrypoint="udf"),
    "renamed": Udf(name="Renamed", code="import fused\n" + UDFS["all arguments"], entrypoint="main", cache_max_age=5, engine="small", disk_size_gb=9, region="eu"),
    "headers and values": Udf(name="with space", code=UDFS["headers"].replace('(headers=["beside.py"])', ""), entrypoint="main",
                              headers=[Header(module_name="beside", source_code="def double(x):\n    return 2 * x\n")],
                              parameters={"a": 4}, metadata={"k": [1, None, "é"]}),
    "future": Udf(name="future", code="from __future__ import annotations\nimport fused\n" + UDFS["unions"], entrypoint="main"),
    "siblings": Udf(name="siblings", code="import fused\n" + UDFS["sibling before"], entrypoint="udf"),
    "unicode": Udf(name="größe", code="import fused\n" + UDFS["unicode"], entrypoint="größe"),
    "unnamed": Udf(code=UDFS["bare"], entrypoint="main"),
}  # fmt: skip
ATTRIBUTES = ("name", "entrypoint", "parameters", "cache_max_age", "engine", "disk_size_gb", "region")


def comparable(udf: Udf) -> dict:
    """What two loads of one UDF have in common."""
    return {**{name: getattr(udf, name) for name in ATTRIBUTES}, "metadata": udf.metadata or {}, "code": udf.code,
            "headers": {header.module_name: header.source_code for header in udf.headers}}  # fmt: skip


COMPARE = f"""
answer = []
for path in given:
    udf = fused.load(path)
    answer.append({{**{{name: getattr(udf, name) for name in {ATTRIBUTES!r}}}, "metadata": udf.metadata or {{}}, "code": udf.code,
                   "headers": {{header.module_name: header.source_code for header in udf.headers}}}})
"""


def test_what_ours_writes_the_published_client_loads_the_same(folder):
    for name, udf in SAVED.items():
        udf.to_directory(name)
        udf.to_file(f"{name}.zip")
    paths = [*SAVED, *(f"{name}.zip" for name in SAVED)]
    assert published_client.run(COMPARE, paths, folder) == [comparable(fused.load(path)) for path in paths]
    for name, udf in SAVED.items():
        expected = comparable(udf)
        assert {**comparable(fused.load(name)), "code": "", "entrypoint": ""} == {**expected, "code": "", "entrypoint": "", "name": udf.name}


def test_what_the_published_client_writes_ours_loads_the_same(folder):
    given = {name: udf.model_dump() for name, udf in SAVED.items() if udf.name}
    theirs = published_client.run(
        """
from fused.models.udf import Udf
paths = []
for name, fields in given.items():
    Udf(**fields).to_directory(name)
    Udf(**fields).to_file(name + ".zip")
    paths += [name, name + ".zip"]
given = paths
""" + COMPARE.replace("udf = fused.load(path)", "udf = fused.load(path, import_globals=False)") + "\nanswer = [paths, answer]",
        given, folder)  # fmt: skip
    for path, expected in zip(*theirs, strict=True):
        assert comparable(fused.load(path)) == expected


def test_what_was_written_runs_and_loads_again_and_again(folder):
    for name, udf in SAVED.items():
        udf.to_directory(name)
    assert fused.load("headers and values")(engine="local") == 8
    again = fused.load("renamed")
    for number in range(3):
        again.to_directory(f"again_{number}")
        again = fused.load(f"again_{number}")
    assert comparable(again) == comparable(fused.load("renamed"))


def test_the_order_is_text_py_zip_folder(folder):
    """The order of load is GitHub URL, text with a newline (code), .py, .zip, directory, token, name."""
    (folder / "text.py").write_text(UDFS["called udf"])
    Udf(name="n", code=UDFS["bare"], entrypoint="main").to_directory("n")
    Udf(name="z", code=UDFS["bare"], entrypoint="main").to_file("n.zip")
    (folder / "fsh_folder").mkdir()
    assert fused.load(UDFS["bare"]).name == "main"
    assert fused.load("text.py").name == fused.load(Path("text.py")).name == "text"
    assert (fused.load("n").name, fused.load("./n").name, fused.load(Path("n.zip")).name) == ("n", "n", "z")
    with pytest.raises(ValueError, match="meta.json"):
        fused.load("fsh_folder")
    with pytest.raises(FileNotFoundError, match="missing.py"):
        fused.load("missing.py")
    with pytest.raises(FileNotFoundError, match="missing.zip"):
        fused.load("missing.zip")
    with pytest.raises(FileNotFoundError, match="missing"):
        fused.load(Path("missing"))
    (folder / "other.txt").write_text("")
    with pytest.raises(ValueError, match="other.txt"):
        fused.load(Path("other.txt"))


def test_url_or_udf_is_positional_only():
    with pytest.raises(TypeError, match="url_or_udf"):
        fused.load(url_or_udf="a.py")
    with pytest.raises(TypeError):
        fused.load(3)


def test_sibling_udfs_work_when_the_main_one_is_called_udf(folder):
    """The sibling's code is the whole source, its entrypoint its own name."""
    code = "import fused\n@fused.udf\ndef one(a: int = 2):\n    return a\n@fused.udf\ndef udf():\n    return [one(a='5', engine='local'), one.code, one.entrypoint, one.name]\n"
    assert fused.load(code)(engine="local") == [5, code, "one", "one"]


def test_load_async_gives_the_same(folder):
    (folder / "a.py").write_text(UDFS["called udf"])
    assert asyncio.run(fused.load_async("a.py")) == fused.load("a.py")


def test_with_pyodide_async_requests_load_gives_an_awaitable(folder, monkeypatch):
    monkeypatch.setattr(fused.options, "pyodide_async_requests", True)
    assert asyncio.run(_awaited(fused.load(UDFS["called udf"]))).name == "udf"


async def _awaited(awaitable):
    return await awaitable


def meta(**udf: object) -> str:
    return json.dumps({"job_config": {"name": None, "steps": [{"type": "udf", "udf": {"name": "n", "type": "geopandas_v2", "entrypoint": "udf", **udf}}]}})


BROKEN = {
    "no json": "{",
    "no object": "[]",
    "two steps": '{"job_config": {"steps": [{}, {}]}}',
    "no steps": '{"job_config": {"steps": []}}',
    "no source": meta(),
    "source missing": meta(source="nope.py"),
    "source above": meta(source="../secret.py"),
    "source absolute": meta(source="/etc/hostname"),
    "source of another drive": meta(source="c:secret.py"),
    "source by a link": meta(source="link.py"),
    "header above": meta(source="n.py", headers=[{"module_name": "m", "source_file": "../secret.py"}]),
    "header missing": meta(source="n.py", headers=[{"module_name": "m"}]),
    "headers no list": meta(source="n.py", headers="m"),
    "header without a name": meta(source="n.py", headers=[{"source_file": "n.py"}]),
    "another type": meta(source="n.py", type="other"),
    "parameters no object": meta(source="n.py", parameters=[1]),
}


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_folder_or_archive_is_a_value_error(folder, content):
    (folder / "secret.py").write_text(UDFS["called udf"])
    (folder / "n").mkdir()
    (folder / "n/n.py").write_text(UDFS["called udf"])
    os.symlink(folder / "secret.py", folder / "n/link.py")
    (folder / "n/meta.json").write_text(meta(source="n.py"))
    assert fused.load("n").name == "n"
    (folder / "n/meta.json").write_text(content)
    with pytest.raises(ValueError):
        fused.load("n")
    if "link.py" not in content:
        with zipfile.ZipFile("n.zip", "w") as archive:
            archive.writestr("../secret.py", UDFS["called udf"])
            archive.writestr("meta.json", content)
            archive.writestr("n.py", UDFS["called udf"])
        with pytest.raises(ValueError):
            fused.load("n.zip")


def test_an_archive_of_a_folder_and_one_that_is_none(folder):
    with zipfile.ZipFile("top.zip", "w") as archive:
        archive.writestr("top/meta.json", meta(source="n.py"))
        archive.writestr("top/n.py", UDFS["called udf"])
    assert fused.load("top.zip").name == "n"
    (folder / "bad.zip").write_text("no archive")
    with pytest.raises(zipfile.BadZipFile):
        fused.load("bad.zip")


def test_a_small_archive_that_grows_large_is_refused(folder):
    with zipfile.ZipFile("bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("meta.json", meta(source="n.py"))
        archive.writestr("n.py", b"#" * 9 * 2**20)
    assert (folder / "bomb.zip").stat().st_size < 20_000
    with pytest.raises(ValueError, match="larger than 8 MB"):
        fused.load("bomb.zip")


def test_a_decorator_names_only_headers_inside_the_file_s_folder(folder):
    (folder / "secret.txt").write_text("secret")
    (folder / "n").mkdir()
    (folder / "n/a.py").write_text('import fused\n@fused.udf(headers=["../secret.txt", "/etc/hostname", "missing.py", "ok.py"])\ndef a(): return 1\n')
    (folder / "n/ok.py").write_text("x = 1\n")
    assert [header.module_name for header in fused.load("n/a.py").headers] == ["ok"]


def test_inside_an_isolate_a_path_is_a_file_beside_the_udf(run):
    headers = {
        "other.py": 'import fused\n@fused.udf(headers=["lib/geo.py"])\ndef other(x: int):\n    import geo\n    return geo.two * x\n',
        "lib/geo.py": "two = 2\n",
        "saved/meta.json": meta(source="s.py"),
        "saved/s.py": UDFS["called udf"],
    }
    code = """
        import fused
        @fused.udf(headers=["lib/geo.py"])
        def udf():
            return [fused.load("other.py")(x=4), fused.load("./other.py").name, fused.load("saved")(a=9), fused.load("saved").name, udf.headers[0].source_code]
    """
    assert run(code, _headers=headers) == [8, "other", 9, "n", "two = 2\n"]


def test_inside_an_isolate_a_header_in_a_folder_has_the_name_of_its_file(run, failure):
    code = """
        import fused
        import geo
        @fused.udf(headers=["./lib/geo.py", "lib/text"])
        def udf():
            import lib.geo, text
            return [geo.two, lib.geo.two, text.__file__]
    """
    headers = {"lib/geo.py": "two = 2\n", "lib/text.py": ""}
    assert run(code, _headers=headers) == [2, 2, "lib/text.py"]
    # Without the decorator's word it has the name of its path alone.
    error = failure(run, "import geo\n@fused.udf\ndef udf(): return geo.two", _headers=headers)
    assert error.type == "ModuleNotFoundError"


def test_a_header_that_the_isolate_does_not_have_is_missing_at_decoration(run, failure):
    error = failure(run, "import fused\n@fused.udf(headers=['gone.py'])\ndef udf(): return 1")
    assert (error.type, "gone.py" in error.message) == ("FileNotFoundError", True)
