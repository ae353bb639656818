"""An asset register, as CSV or XLSX, to the text of an inventory.

A package of its own, so that reading an inventory does not load the spreadsheet library.
"""

from nethealth.inventory.assets.build import Imported, Unplaced, build
from nethealth.inventory.assets.columns import AssetMap, parse_map
from nethealth.inventory.assets.errors import AssetFileError
from nethealth.inventory.assets.sheet import Register, Row, rows_from_csv, stream_csv
from nethealth.inventory.assets.xlsx import rows_from_xlsx

__all__ = [
    "AssetFileError",
    "AssetMap",
    "Imported",
    "Register",
    "Row",
    "Unplaced",
    "build",
    "parse_map",
    "rows_from_csv",
    "rows_from_xlsx",
    "stream_csv",
]
