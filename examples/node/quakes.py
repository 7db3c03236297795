"""Where the earth shook: the regions with the strongest earthquakes of a week, and how far they were from a place.

    npm run -s fuselet -- run examples/node/quakes.py min_magnitude=4 limit=5
"""

from math import asin, cos, radians, sin, sqrt

import fused


@fused.udf(headers=["quakes_data.py"])
def quakes(min_magnitude: float = 3.0, limit: int = 8, latitude: float = 35.68, longitude: float = 139.69):
    """Groups earthquakes by region. The default place is Tokyo. Distances are in km, on a sphere."""
    from quakes_data import ROWS

    regions: dict[str, list[tuple]] = {}
    for row in ROWS:
        if row[4] >= min_magnitude:
            regions.setdefault(row[5].rsplit(", ", 1)[-1], []).append(row)

    table = []
    for region, rows in regions.items():
        strongest = max(rows, key=lambda row: row[4])
        table.append(
            {
                "region": region,
                "quakes": len(rows),
                "strongest": strongest[4],
                "mean": round(sum(row[4] for row in rows) / len(rows), 2),
                "depth_km": strongest[3],
                "distance_km": round(distance_km(latitude, longitude, strongest[1], strongest[2])),
                "time": strongest[0],
            }
        )
    table.sort(key=lambda row: (-row["strongest"], row["region"]))
    return table[:limit]


def distance_km(lat1: float, lon1: float, lat2: float, lon2: float) -> float:
    """Great-circle distance by the haversine formula; the earth's mean radius is 6371 km."""
    a = sin(radians(lat2 - lat1) / 2) ** 2 + cos(radians(lat1)) * cos(radians(lat2)) * sin(radians(lon2 - lon1) / 2) ** 2
    return 2 * 6371 * asin(sqrt(a))
