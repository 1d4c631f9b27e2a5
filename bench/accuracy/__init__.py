"""The accuracy study: the WNUT-17 scores of our recipes beside their peers, and what each setting of a recipe gives.

`python -m bench.accuracy --help` lists the commands; README.md says how to run it all again.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# The project's scripts are no package: they are found as `python scripts/NAME.py` finds them.
if str(ROOT / "scripts") not in sys.path:
    sys.path.append(str(ROOT / "scripts"))
