"""Where the pictures of the training data lie for those tests that ask the product about them."""

import os
from pathlib import Path

FOLDER = Path(
    os.environ.get("DERMSERVE_TRAINING_DATA", Path(__file__).parents[1] / "weights" / "data")
)
"""The same folder as the workshop's own: its code is not imported, it would bring TensorFlow."""

HERE = (FOLDER / "ham10000.csv").exists()
MISSING = f"no training data in {FOLDER}: set DERMSERVE_TRAINING_DATA to its folder"
