"""Print the document as it is kept in openapi.json."""

import json
import sys

from toolbridge_contract.openapi import document

sys.stdout.write(json.dumps(document(), indent=2) + "\n")
