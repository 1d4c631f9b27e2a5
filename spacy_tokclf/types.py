"""Arrays of numpy by what they hold, and names that several rooms share."""

import numpy as np
import numpy.typing as npt

Bools = npt.NDArray[np.bool_]
Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]
Ints32 = npt.NDArray[np.int32]
#: What models give.
Floats32 = npt.NDArray[np.float32]
#: What is summed and compared.
Floats64 = npt.NDArray[np.float64]

#: Attribute of a span group that holds the scores of predicted entities.
SCORES = "scores"
