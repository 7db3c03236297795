"""Bounds, tiles and geometries, as parameters and as results; the tile formulas against mercantile."""

import json

import pytest

from fused._tiles import tile_around, tile_bounds


def udf(annotation: str, name: str = "bounds", body: str = "") -> str:
    """A UDF that takes a place and says what it got."""
    return f"""
import fused
try:
    import geopandas as gpd, shapely, mercantile
except ImportError:
    pass
@fused.udf
def hello({name}{annotation}):
    v = {name}
    return {body or "[type(v).__name__, list(getattr(v, 'columns', ())) or list(v)]"}
"""


WORLD = [-180.0, -85.0511287798066, 180.0, 85.0511287798066]
FRAME_COLUMNS = ["x", "y", "z", "geometry"]


def test_bounds_of_a_tile_need_no_library(run):
    for annotation in ("fused.types.Bounds", "fused.types.Bounds | None = None", "'fused.types.Bounds'", "list[float] | None = None"):
        kind, value = run(udf(f": {annotation}"), _tile=(0, 0, 0))
        assert kind == "list"
        assert value == pytest.approx(WORLD)
    assert run(udf(": list", body="v"), _tile=(1, 1, 0)) == pytest.approx([0, 0, 180, WORLD[3]])


@pytest.mark.parametrize("tile", [(0, 1, 0), (2, 4, 0), (-1, 0, 0), (3, 0, 8), (100, 0, 0)])
def test_a_tile_that_does_not_exist_is_refused(run, failure, tile):
    error = failure(run, udf(": fused.types.Bounds"), _tile=tile)
    assert (error.kind, error.subject) == ("input", "bounds")
    assert "received a tile (there is no tile" in error.message


def test_a_udf_without_parameters_just_runs(run):
    assert run("@fused.udf\ndef hello(): return 1", _tile=(0, 0, 0)) == 1


def test_a_tile_is_a_named_tuple_without_mercantile(run, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "mercantile", None)
    assert run(udf(": fused.types.TileXYZ", body="[type(v).__name__, v.x, v.y, v.z]"), _tile=(3, 1, 2)) == ["Tile", 1, 2, 3]


def test_a_frame_without_geopandas_says_what_is_missing(run, failure, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "geopandas", None)
    error = failure(run, udf(""), _tile=(0, 0, 0))
    assert error.kind == "input"
    assert "it needs the package geopandas. Add geopandas to the UDF's dependencies." in error.message


class TestWithLibraries:
    """What needs geopandas, shapely or mercantile."""

    @pytest.fixture(autouse=True)
    def libraries(self):
        pytest.importorskip("geopandas")
        pytest.importorskip("mercantile")

    @pytest.mark.parametrize("z", [0, 1, 5, 14, 22, 28])
    def test_tile_bounds_are_mercantiles(self, z):
        import mercantile

        for x, y in {(0, 0), (2**z - 1, 2**z - 1), (2**z // 3, 2**z // 5)}:
            assert tile_bounds(x, y, z) == pytest.approx(list(mercantile.bounds(x, y, z)), abs=1e-12)

    def test_the_tile_around_is_mercantiles(self):
        import random

        import mercantile

        pick = random.Random(1)
        boxes = [(w := pick.uniform(-180, 180), s := pick.uniform(-85, 85), min(w + pick.random() ** 9 * 90, 180), min(s + pick.random() ** 9 * 50, 85)) for _ in range(2000)]
        boxes += [tuple(mercantile.bounds(pick.randrange(2**z), pick.randrange(2**z), z)) for z in range(24) for _ in range(5)]
        boxes += [(0, 0, 0, 0), (-180, -85.06, 180, 85.06), (-180, -90, 180, 90)]
        for box in boxes:
            assert tuple(tile_around(*box)) == tuple(mercantile.bounding_tile(*box)), box

    TILE_RUNS = {
        "bounds, unannotated": ("", "bounds", "GeoDataFrame", FRAME_COLUMNS),
        "Tile": (": fused.types.Tile", "bounds", "GeoDataFrame", FRAME_COLUMNS),
        "TileGDF": (": fused.types.TileGDF", "bbox", "GeoDataFrame", FRAME_COLUMNS),
        "ViewportGDF": (": fused.types.ViewportGDF", "anything", "GeoDataFrame", FRAME_COLUMNS),
        "GeoDataFrame": (": gpd.GeoDataFrame", "bounds", "GeoDataFrame", FRAME_COLUMNS),
        "Tile or none": (": fused.types.Tile | None = None", "bounds", "GeoDataFrame", FRAME_COLUMNS),
        "TileXYZ": (": fused.types.TileXYZ", "bounds", "Tile", [4, 5, 3]),
        "mercantile.Tile": (": mercantile.Tile", "bounds", "Tile", [4, 2, 3]),
    }

    @pytest.mark.parametrize(("annotation", "name", "kind", "expected"), TILE_RUNS.values(), ids=TILE_RUNS.keys())
    def test_a_tile_run_gives_what_the_annotation_says(self, run, annotation, name, kind, expected):
        got_kind, got = run(udf(annotation, name), _tile=(3, 4, 5) if expected == [4, 5, 3] else (3, 4, 2))
        assert (got_kind, got) == (kind, expected)

    def test_a_box_of_the_tile(self, run):
        assert run(udf(": fused.types.Bbox", body="[v.geom_type, *v.bounds]"), _tile=(0, 0, 0))[1:] == pytest.approx(WORLD)

    def test_the_tile_goes_into_bounds_then_bbox_then_the_first(self, run):
        body = "\n    return [type(a).__name__, type(bounds).__name__]"
        assert run(f"@fused.udf\ndef hello(a=1, bounds=2):{body}", _tile=(0, 0, 0)) == ["int", "GeoDataFrame"]
        assert run("@fused.udf\ndef hello(a=1, bbox=2): return type(bbox).__name__", _tile=(0, 0, 0)) == "GeoDataFrame"
        assert run("@fused.udf\ndef hello(a=1, b=2): return type(a).__name__", _tile=(0, 0, 0)) == "GeoDataFrame"

    def test_a_udf_of_x_y_z_cannot_be_run_as_a_tile(self, run, failure):
        assert failure(run, "@fused.udf\ndef hello(x: int, y: int, z: int): pass", _tile=(0, 0, 0)).subject == "x"

    def test_the_frame_of_a_tile(self, run):
        frame = run("@fused.udf\ndef hello(bounds): return bounds", _tile=(2, 1, 3))
        assert frame[["x", "y", "z"]].values.tolist() == [[1, 3, 2]]
        assert frame.crs.to_epsg() == 4326
        assert frame.total_bounds.tolist() == pytest.approx(tile_bounds(1, 3, 2))

    VALUES = {
        "Tile of four numbers": ("fused.types.Tile", [-0.1, 51.5, -0.09, 51.51], "[list(v.columns), v.z[0] > 8, v.x[0] < 2 ** v.z[0]]", [FRAME_COLUMNS, True, True]),
        "ViewportGDF of four numbers": ("fused.types.ViewportGDF", [1, 2, 3, 4], "[list(v.columns), v.total_bounds.tolist()]", [["geometry"], [1, 2, 3, 4]]),
        "TileXYZ of four numbers": ("fused.types.TileXYZ", "[-180, -85, 180, 85]", "[v.x, v.y, v.z]", [0, 0, 0]),
        "TileXYZ of three": ("fused.types.TileXYZ", [1, 2, 3], "[v.x, v.y, v.z]", [1, 2, 3]),
        "Bbox of four numbers": ("fused.types.Bbox", "1,2,3,4", "list(v.bounds)", [1, 2, 3, 4]),
        "GeoDataFrame of four numbers": ("gpd.GeoDataFrame", [1, 2, 3, 4], "[v.crs.to_epsg(), *v.total_bounds]", [4326, 1, 2, 3, 4]),
        "GeoDataFrame of a geometry": ("gpd.GeoDataFrame", {"type": "Point", "coordinates": [1, 2]}, "v.total_bounds.tolist()", [1, 2, 1, 2]),
        "GeoDataFrame of a feature": ("gpd.GeoDataFrame", {"type": "Feature", "properties": {"a": 5}, "geometry": {"type": "Point", "coordinates": [1, 2]}}, "[v.a[0], len(v)]", [5, 1]),
        "GeoDataFrame of no features": ("gpd.GeoDataFrame", {"type": "FeatureCollection", "features": []}, "len(v)", 0),
        "Point of WKT": ("shapely.Point", "POINT (1 2)", "[v.x, v.y]", [1, 2]),
        "geometry of WKT": ("shapely.geometry.base.BaseGeometry", "POINT (1 2)", "v.wkt", "POINT (1 2)"),
        "Polygon of GeoJSON": ("shapely.geometry.Polygon", {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 0]]]}, "v.area", 0.5),
    }

    @pytest.mark.parametrize(("annotation", "value", "body", "expected"), VALUES.values(), ids=VALUES.keys())
    def test_a_place_as_a_parameter(self, run, annotation, value, body, expected):
        assert json.loads(json.dumps(run(udf(f": {annotation}", body=body), bounds=value), default=lambda item: item.item())) == expected

    def test_bounds_of_a_frame_are_bounds(self, run):
        import numpy as np

        assert run(udf(": fused.types.Bounds", body="[type(v).__name__, v]"), bounds=np.array([1, 2, 3.5, 4])) == ["list", [1, 2, 3.5, 4]]

    @pytest.mark.parametrize("annotation", ["np.ndarray", "np.ndarray | None", "npt.NDArray[np.float64]"])
    def test_a_list_as_an_array(self, run, annotation):
        code = f"import numpy as np\nimport numpy.typing as npt\n@fused.udf\ndef hello(p: {annotation}): return [p.shape, p.sum()]"
        assert run(code, p=[[1, 2], [3, 4]]) == run(code, p="[[1, 2], [3, 4]]") == [(2, 2), 10]

    @pytest.mark.parametrize("annotation", ["pd.DataFrame", "'pd.DataFrame'"])
    def test_records_as_a_frame_have_dates_where_their_names_say_so(self, run, annotation):
        records = '[{"date": 1704153600000, "created_at": "2024-01-05", "Start_Time": "08:30", "modified": 7, "d": 1704153600000, "id": "007", "x": 1.0}]'
        code = f"import pandas as pd\n@fused.udf\ndef hello(p: {annotation}): return [str(value) for value in p.iloc[0]]"
        assert run(code, p=records) == ["2024-01-02 00:00:00", "2024-01-05 00:00:00", "08:30", "7", "1704153600000", "007", "1.0"]

    REFUSED = {
        "Point of a polygon": ("shapely.Point", "POLYGON ((0 0, 1 0, 1 1, 0 0))", "it is Polygon"),
        "no WKT": ("shapely.Point", "POINT OF VIEW", "it must be Point"),
        "frame of words": ("gpd.GeoDataFrame", "here", "it must be GeoDataFrame"),
    }

    @pytest.mark.parametrize(("annotation", "value", "message"), REFUSED.values(), ids=REFUSED.keys())
    def test_what_is_no_place_is_refused(self, run, failure, annotation, value, message):
        assert message in failure(run, udf(f": {annotation}"), bounds=value).message

    def test_bounds_of_a_frame(self, run):
        import geopandas
        import shapely

        frame = geopandas.GeoDataFrame({"a": [1, 2]}, geometry=[shapely.Point(1, 2), shapely.Point(3, 4)], crs=4326)
        assert run(udf(": fused.types.Bounds", body="v"), bounds=frame) == [1, 2, 3, 4]
        assert run(udf(": fused.types.Tile", body="list(v.columns)"), bounds=frame) == FRAME_COLUMNS


class TestResults:
    """Geometries and frames of them that come back."""

    @pytest.fixture(autouse=True)
    def libraries(self):
        self.geopandas = pytest.importorskip("geopandas")
        pytest.importorskip("geopandas.testing")
        self.shapely = pytest.importorskip("shapely")

    def there_and_back(self, value):
        from fused._decode import decode
        from fused._encode import encode

        text, buffers = encode(value)
        return json.loads(text), decode(text, buffers)

    @pytest.mark.parametrize("crs", [4326, "OGC:CRS84", 3857, None, "+proj=aea +lat_1=29.5 +lat_2=45.5 +lon_0=-96"], ids=str)
    def test_a_geo_frame_comes_back_with_its_crs(self, crs):
        points = [self.shapely.Point(1, 2), None, self.shapely.Point(3, 4, 5)]
        frame = self.geopandas.GeoDataFrame({"a": [1, 2, 3]}, geometry=points, crs=crs, index=["p", "q", "r"])
        _, again = self.there_and_back(frame)
        self.geopandas.testing.assert_geodataframe_equal(again, frame)
        assert again.crs == frame.crs

    def test_known_systems_are_named(self):
        frame = self.geopandas.GeoDataFrame(geometry=[self.shapely.Point(0, 0)], crs=4326)
        encoded, _ = self.there_and_back(frame)
        assert encoded["meta"] == {"geometry": "geometry", "columns": {"geometry": "EPSG:4326"}, "index": [{"kind": "range", "name": None, "start": 0, "stop": 1, "step": 1}]}

    def test_two_geometry_columns_and_another_active_one(self):
        frame = self.geopandas.GeoDataFrame({"a": [1]}, geometry=[self.shapely.Point(1, 2)], crs=4326)
        frame["other"] = frame.geometry.to_crs(3857)
        frame = frame.set_geometry("other")
        _, again = self.there_and_back(frame)
        assert again.geometry.name == "other"
        assert (again.crs.to_epsg(), again["geometry"].crs.to_epsg()) == (3857, 4326)

    def test_frames_with_little_in_them(self):
        for frame in (
            self.geopandas.GeoDataFrame(geometry=[], crs=4326),
            self.geopandas.GeoDataFrame({"a": [1, 2]}, geometry=[None, None], crs=4326),
            self.geopandas.GeoDataFrame({"a": [1]}),
        ):
            _, again = self.there_and_back(frame)
            assert list(again.columns) == list(frame.columns)
            assert len(again) == len(frame)
            assert type(again) is type(frame)

    def test_a_geo_series_comes_back(self):
        for name in (None, "place"):
            series = self.geopandas.GeoSeries([self.shapely.Point(1, 2), None], crs=3857, name=name)
            _, again = self.there_and_back(series)
            self.geopandas.testing.assert_geoseries_equal(again, series)
            assert again.name == name

    SHAPES = ["POINT (1 2)", "POINT Z (1 2 3)", "LINESTRING (0 0, 1 1)", "MULTIPOLYGON (((0 0, 1 0, 1 1, 0 0)))", "LINEARRING (0 0, 1 0, 1 1, 0 0)", "GEOMETRYCOLLECTION (POINT (1 2))", "POINT EMPTY"]

    @pytest.mark.parametrize("wkt", SHAPES)
    def test_a_geometry_is_geojson(self, wkt):
        shape = self.shapely.from_wkt(wkt)
        encoded, again = self.there_and_back({"a": shape})
        assert encoded == again
        assert encoded["a"]["type"] == ("LineString" if wkt.startswith("LINEARRING") else shape.geom_type) or wkt.startswith("LINEARRING")

    def test_a_tile_of_mercantile_is_a_tuple(self):
        mercantile = pytest.importorskip("mercantile")
        assert self.there_and_back(mercantile.Tile(1, 2, 3))[1] == (1, 2, 3)
