"""Frames, Arrow data, arrays, images and geometries: there and back."""

import datetime
import io
import json
import math
import warnings

import pytest

np = pytest.importorskip("numpy")
pd = pytest.importorskip("pandas")
pa = pytest.importorskip("pyarrow")

from fused._decode import decode  # noqa: E402
from fused._encode import encode  # noqa: E402
from fused._exceptions import ResultProblem  # noqa: E402


def there_and_back(value):
    text, buffers = encode(value)
    assert all(memoryview(buffer).c_contiguous for buffer in buffers)
    return decode(text, [memoryview(bytes(memoryview(buffer).cast("B"))) for buffer in buffers])


def frame(**options):
    return pd.DataFrame({"a": [1, 2, 3], "b": ["x", "y", None], "c": [1.5, math.nan, -0.0]}, **options)


FRAMES = {
    "plain": frame(),
    "empty": pd.DataFrame(),
    "no rows": frame().iloc[:0],
    "index of text": frame(index=["p", "q", "r"]),
    "named index": frame(index=pd.Index([5, 6, 7], name="id")),
    "range index": frame(index=pd.RangeIndex(10, 40, 10, name="n")),
    "two levels": frame(index=pd.MultiIndex.from_tuples([("a", 1), ("a", 2), ("b", 1)], names=["k", None])),
    "dates": frame(index=pd.date_range("2026-01-01", periods=3, tz="Europe/Berlin")),
    "numbered columns": pd.DataFrame(np.arange(6.0).reshape(2, 3)),
    "two levels of columns": pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([("a", "x"), ("a", "y")])),
    "a slice": frame().iloc[1:],
    "every second": pd.DataFrame({"a": range(10)}).iloc[::2],
    "types": pd.DataFrame({
        "category": pd.Categorical(["x", "y", "x"], ordered=True), "Int64": pd.array([1, None, 3], dtype="Int64"),
        "boolean": pd.array([True, None, False], dtype="boolean"), "when": pd.to_datetime(["2026-01-01", None, "2026-01-03"]),
        "zoned": pd.to_datetime(["2026-01-01", None, "2026-01-03"]).tz_localize("UTC"), "delta": pd.to_timedelta([1, None, 3], unit="s"),
        "uint8": np.array([1, 2, 3], "u1"), "float32": np.array([1, 2, 3], "f4"), "bool": [True, False, True],
        "date": [datetime.date(2026, 1, 2)] * 3, "bytes": [b"a", b"", None],
    }),
}  # fmt: skip


@pytest.mark.parametrize("value", FRAMES.values(), ids=FRAMES.keys())
def test_a_frame_comes_back(value):
    # The rest comes back; that the dates are a day apart, Arrow does not say.
    pd.testing.assert_frame_equal(there_and_back(value), value, check_freq=False)


def test_lists_in_a_frame_come_back_as_arrays():
    again = there_and_back(pd.DataFrame({"a": [[1, 2], [], None], "b": [{"x": 1}, {"x": 2}, None]}))
    assert [None if item is None else list(item) for item in again["a"]] == [[1, 2], [], None]
    assert list(again["b"]) == [{"x": 1}, {"x": 2}, None]


def test_the_index_is_in_meta():
    assert json.loads(encode(frame())[0])["meta"]["index"] == [{"kind": "range", "name": None, "start": 0, "stop": 3, "step": 1}]
    assert json.loads(encode(frame(index=["p", "q", "r"]))[0])["meta"]["index"] == ["__index_level_0__"]


def test_frames_may_lie_anywhere():
    again = there_and_back({"a": [frame(), (frame(), b"x")]})
    pd.testing.assert_frame_equal(again["a"][0], frame())
    pd.testing.assert_frame_equal(again["a"][1][0], frame())
    assert again["a"][1][1] == b"x"


SERIES = {
    "named": pd.Series([1, 2], name="a"),
    "unnamed": pd.Series([1.5, None]),
    "index": pd.Series(["x", "y"], index=["p", "q"], name="t"),
    "number as name": pd.Series([1, 2], name=0),
    "called value": pd.Series([1, 2], name="value"),
    "category": pd.Series(["x", "y"], dtype="category"),
}


@pytest.mark.parametrize("value", SERIES.values(), ids=SERIES.keys())
def test_a_series_comes_back(value):
    pd.testing.assert_series_equal(there_and_back(value), value)


INDEXES = {
    "text": pd.Index(["a", "b"], name="n"),
    "range": pd.Index([0, 1, 2]),
    "dates": pd.DatetimeIndex(["2026-01-01", "2026-01-05"]),
    "two levels": pd.MultiIndex.from_tuples([("a", 1), ("b", 2)], names=["k", None]),
}


@pytest.mark.parametrize("value", INDEXES.values(), ids=INDEXES.keys())
def test_an_index_comes_back(value):
    pd.testing.assert_index_equal(there_and_back(value), value)


def test_a_categorical_comes_back_as_a_series():
    assert list(there_and_back(pd.Categorical(["a", "b"]))) == ["a", "b"]


def test_missing_values_are_null():
    assert there_and_back([pd.NaT, pd.NA]) == [None, None]


def test_a_timestamp_keeps_its_zone():
    value = pd.Timestamp("2026-01-02T03:04:05.000006", tz="Europe/Berlin")
    assert there_and_back(value) == value.to_pydatetime()
    assert json.loads(encode(pd.Timestamp("2026-01-02T03:04:05.000000006"))[0])["v"] == "2026-01-02T03:04:05.000000006"
    assert there_and_back(pd.Timedelta(seconds=1.5)) == datetime.timedelta(seconds=1.5)


UNFIT = {
    "mixed": (pd.DataFrame({"ok": [1, 2], "bad": [1, "x"]}), 'result["bad"]'),
    "objects": (pd.DataFrame({"a": [object()]}), 'result["a"]'),
    "two columns of one name": (pd.DataFrame([[1, 2]], columns=["a", "a"]), "result"),
    "huge ints": (pd.DataFrame({"ok": [1], "bad": [10**30]}), 'result["bad"]'),
}


@pytest.mark.parametrize(("value", "path"), UNFIT.values(), ids=UNFIT.keys())
def test_a_frame_that_arrow_cannot_hold_names_the_column(value, path):
    with pytest.raises(ResultProblem, match="Arrow cannot hold it") as caught:
        encode(value)
    assert caught.value.subject == path


def test_attributes_that_json_cannot_hold_do_not_fail():
    value = frame()
    value.attrs["x"] = object()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        there_and_back(value)


def test_a_large_table_is_copied_once():
    table = pa.table({"a": pa.array(np.arange(4_000_000, dtype="f8"))})
    before = pa.total_allocated_bytes()
    _, buffers = encode(table)
    assert pa.total_allocated_bytes() - before < table.nbytes * 1.01
    assert memoryview(buffers[0]).nbytes < table.nbytes * 1.01


ARROW = pa.table({"a": [1, 2, None], "b": ["x", None, "z"], "c": [[1], [], None]})


@pytest.mark.parametrize("value", [ARROW, ARROW.slice(1), pa.table({"a": pa.chunked_array([["x"], ["y"]]).dictionary_encode()}), ARROW.slice(0, 0)], ids=["table", "slice", "dictionary", "no rows"])
def test_an_arrow_table_comes_back(value):
    assert there_and_back(value).to_pydict() == value.to_pydict()


def test_batches_and_readers_become_tables():
    batch = ARROW.to_batches()[0]
    assert there_and_back(batch) == ARROW
    assert there_and_back(pa.RecordBatchReader.from_batches(batch.schema, [batch, batch])).num_rows == 6
    assert there_and_back(pa.scalar(3)) == 3


def test_arrow_columns_come_back_as_columns():
    assert there_and_back(pa.array([1, None])).to_pylist() == [1, None]
    assert there_and_back(pa.chunked_array([[1], [2]])).to_pylist() == [1, 2]


def test_schema_metadata_comes_back():
    assert there_and_back(ARROW.replace_schema_metadata({"k": "v"})).schema.metadata == {b"k": b"v"}


def test_polars_comes_as_arrow():
    pl = pytest.importorskip("polars")
    table = there_and_back(pl.DataFrame({"a": [1, 2], "b": ["x", None]}))
    assert table.to_pydict() == {"a": [1, 2], "b": ["x", None]}
    assert str(table.schema.field("b").type) == "large_string"
    assert there_and_back(pl.Series("s", [1, 2])).to_pylist() == [1, 2]


class Stream:
    """Another library's table: nothing but the protocol."""

    def __arrow_c_stream__(self, requested_schema=None):
        return ARROW.__arrow_c_stream__(requested_schema)


def without(monkeypatch, *names):
    """Makes imports of libraries fail."""
    import sys

    for name in names:
        monkeypatch.setitem(sys.modules, name, None)


def test_any_arrow_stream_crosses():
    assert there_and_back(Stream()) == ARROW


@pytest.mark.parametrize("writer", ["arro3.io", "nanoarrow.ipc"])
def test_without_pyarrow_other_libraries_write_the_stream(monkeypatch, writer):
    pytest.importorskip(writer)
    value = Stream()
    with monkeypatch.context() as patch:
        without(patch, "pyarrow", *({"arro3.io", "nanoarrow.ipc"} - {writer}))
        _, buffers = encode(value)
    assert pa.ipc.open_stream(buffers[0]).read_all().to_pydict() == ARROW.to_pydict()


def test_without_any_the_error_says_what_to_add(monkeypatch):
    without(monkeypatch, "pyarrow", "arro3.io", "arro3", "nanoarrow.ipc", "nanoarrow")
    with pytest.raises(ResultProblem, match="needs pyarrow, arro3-io or nanoarrow: add one of them"):
        encode(Stream())


ARRAYS = {
    "floats": np.array([1.5, math.nan, -0.0]),
    "two dimensions": np.arange(6, dtype="i4").reshape(2, 3),
    "column order": np.asfortranarray(np.arange(6).reshape(2, 3)),
    "every second": np.arange(10)[::2],
    "backwards": np.arange(5)[::-1],
    "other byte order": np.array([1, 2], ">i4"),
    "bool": np.array([True, False]),
    "scalar array": np.array(5.0),
    "no elements": np.empty((0, 3)),
    "dates": np.array(["2026-01-01", "NaT"], "M8[D]"),
    "nanoseconds": np.array([1, 2], "m8[ns]"),
    "no unit": np.array([1], "m8"),
    "complex": np.array([1 + 2j]),
    "text": np.array(["a", "bcd"]),
    "bytes": np.array([b"a", b"bcd"]),
    "half": np.array([1.5], "f2"),
    "broadcast": np.broadcast_to(np.array([1, 2]), (3, 2)),
    "subclass": np.arange(2.0).view(np.recarray),
}


@pytest.mark.parametrize("value", ARRAYS.values(), ids=ARRAYS.keys())
def test_an_array_comes_back(value):
    again = there_and_back(value)
    np.testing.assert_array_equal(again, np.asarray(value))
    assert again.dtype == value.dtype.newbyteorder("<")
    assert again.shape == value.shape
    assert again.flags.writeable


@pytest.mark.parametrize("value", ARRAYS.values(), ids=ARRAYS.keys())
def test_an_array_is_a_npy_file_in_row_order(value):
    file = bytes(encode(value)[1][0])
    np.testing.assert_array_equal(np.load(io.BytesIO(file), allow_pickle=False), value)
    assert b"'fortran_order': False" in file
    assert file[6:8] == b"\x01\x00"


def test_numpy_reads_and_writes_the_same_files():
    for order in "CF":
        file = io.BytesIO()
        value = np.array([[1, 2], [3, 4]], order=order)
        np.save(file, value)
        np.testing.assert_array_equal(decode('{"$":"ndarray","b":0}', [file.getvalue()]), value)


NPY = encode(np.arange(3.0))[1][0]
BAD_FILES = {
    "cut": NPY[:-1],
    "longer": NPY + b"x",
    "only the magic": NPY[:6],
    "header cut": NPY[:40],
    "object": NPY.replace(b"<f8", b"|O8"),
    "huge": NPY.replace(b"(3,)", b"(9,)"),
    "negative": NPY.replace(b"(3,)", b"(-3"),
    "code": NPY.replace(b"False", b"exit()"[:5]),
    "empty": b"",
}


@pytest.mark.parametrize("file", BAD_FILES.values(), ids=BAD_FILES.keys())
def test_a_bad_array_is_refused(file):
    with pytest.raises(ValueError, match="an array|header of an array"):
        decode('{"$":"ndarray","b":0}', [file])


REFUSED = {
    "objects": (np.array([object()]), "an array of dtype object"),
    "structured": (np.zeros(1, [("a", "i4"), ("b", "f8")]), "a structured array"),
    "long double": (np.array([1], "g"), "an array of dtype"),
    "void": (np.zeros(1, "V3"), "an array of dtype"),
    "structured scalar": (np.zeros(1, [("a", "i4")])[0], "a numpy value of dtype"),
}


@pytest.mark.parametrize(("value", "what"), REFUSED.values(), ids=REFUSED.keys())
def test_other_arrays_are_refused_by_dtype(value, what):
    with pytest.raises(ResultProblem) as caught:
        encode([value])
    assert what in caught.value.message
    assert caught.value.subject == "result[0]"


SCALARS = {
    "int64": (np.int64(3), 3),
    "uint64": (np.uint64(2**64 - 1), 2**64 - 1),
    "float32": (np.float32(1.5), 1.5),
    "float64": (np.float64(-0.0), -0.0),
    "bool": (np.bool_(True), True),
    "text": (np.str_("a"), "a"),
    "bytes": (np.bytes_(b"a"), b"a"),
    "complex": (np.complex64(1 + 2j), 1 + 2j),
    "long double": (np.longdouble(1.5), 1.5),
    "date": (np.datetime64("2026-01-02"), datetime.datetime(2026, 1, 2)),
    "nanoseconds": (np.datetime64("2026-01-02T03:04:05.000000006"), datetime.datetime(2026, 1, 2, 3, 4, 5)),
    "no date": (np.datetime64("NaT"), None),
    "delta": (np.timedelta64(90, "m"), datetime.timedelta(minutes=90)),
    "masked": (np.ma.masked, None),
    "masked array": (np.ma.array([1, 2], mask=[False, True]), [1, None]),
    "masked dates": (np.ma.array(["2026-01-01", "2026-01-02"], mask=[0, 1], dtype="M8[D]"), [datetime.datetime(2026, 1, 1), None]),
    "keys": ({np.int64(1): 1, np.float64(2.5): 2, np.str_("a"): 3}, {"1": 1, "2.5": 2, "a": 3}),
}


@pytest.mark.parametrize(("value", "expected"), SCALARS.values(), ids=SCALARS.keys())
def test_a_numpy_value_is_the_python_value(value, expected):
    again = there_and_back(value)
    assert (type(again), again) == (type(expected), expected)


def test_xarray_crosses_as_its_own_dict():
    xr = pytest.importorskip("xarray")
    array = xr.DataArray(np.arange(6.0).reshape(2, 3), dims=("y", "x"), coords={"x": [1, 2, 3]}, attrs={"units": "m"}, name="t")
    again = xr.DataArray.from_dict(there_and_back(array))
    xr.testing.assert_identical(again, array)
    dataset = array.to_dataset()
    xr.testing.assert_identical(xr.Dataset.from_dict(there_and_back(dataset)), dataset)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I", "F", "CMYK", "YCbCr", "HSV", "I;16", "RGBa"])
def test_images_are_png(mode):
    image = pytest.importorskip("PIL.Image")
    text, buffers = encode([image.new("RGBA", (3, 2)).convert(mode) if mode in ("RGBa",) else image.new(mode, (3, 2))])
    assert json.loads(text) == [{"$": "media", "type": "image/png", "b": 0}]
    assert image.open(io.BytesIO(bytes(buffers[0]))).size == (3, 2)


def test_figures_are_png():
    matplotlib = pytest.importorskip("matplotlib.figure")
    figure = matplotlib.Figure()
    axes = figure.subplots()
    for value in (figure, axes):
        text, buffers = encode(value)
        assert json.loads(text) == {"$": "media", "type": "image/png", "b": 0}
        assert bytes(buffers[0][:4]) == b"\x89PNG"


PARAMETERS = {
    "frame for DataFrame": ("import pandas as pd", "pd.DataFrame", frame(), ["DataFrame", 3]),
    "records for DataFrame": ("import pandas as pd", "pd.DataFrame", [{"a": 1}], ["DataFrame", 1]),
    "text for DataFrame": ("import pandas as pd", "pd.DataFrame", '[{"a": 1}]', ["DataFrame", 1]),
    "table for DataFrame": ("import pandas as pd", "pd.DataFrame", ARROW, ["DataFrame", 3]),
    "frame for Table": ("import pyarrow as pa", "pa.Table", frame(), ["Table", 3]),
    "records for Table": ("import pyarrow as pa", "pa.Table", [{"a": 1}], ["Table", 1]),
    "frame for nothing": ("", "object", frame(), ["DataFrame", 3]),
    "array for nothing": ("", "object", np.arange(4), ["ndarray", 4]),
}


@pytest.mark.parametrize(("imports", "annotation", "value", "expected"), PARAMETERS.values(), ids=PARAMETERS.keys())
def test_tables_as_parameters(run, imports, annotation, value, expected):
    assert run(f"{imports}\n@fused.udf\ndef hello(a: {annotation}): return [type(a).__name__, len(a)]", a=value) == expected


def test_dates_in_records_stay_numbers(run):
    assert run("import pandas as pd\n@fused.udf\ndef hello(a: pd.DataFrame): return str(a.dtypes['d'])", a='[{"d": 1767312000000}]') == "int64"


def test_what_is_no_table_is_refused(run, failure):
    error = failure(run, "import pandas as pd\n@fused.udf\ndef hello(a: pd.DataFrame): pass", a=3)
    assert "it must be DataFrame: received 3" in error.message
