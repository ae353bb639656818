"""Write docs/record.schema.json from the model; a test holds the two equal."""

import json
from pathlib import Path

from nethealth.model.codec import json_schema

SCHEMA_FILE = Path(__file__).parent.parent / "docs" / "record.schema.json"

if __name__ == "__main__":
    SCHEMA_FILE.write_text(json.dumps(json_schema(), indent=2) + "\n", encoding="utf-8")
