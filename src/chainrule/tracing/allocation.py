"""Freed memory stays with the process, for the next array of its size.

Every gradient asks for the same arrays again and frees them. The C library of Linux gives large ones back to the system each
time, which hands them out anew page by page: half of the time of a gradient with arrays of a megabyte. It stops doing so for
arrays up to the size of the largest one it has seen freed, which is what this module shows it. Elsewhere this does nothing.

References
----------
mallopt(3), "M_MMAP_THRESHOLD": the threshold is dynamic, up to 32 MiB.
"""

import numpy as np

_LARGEST = 2**25 - 2**16
"""Bytes; a little under the largest that the threshold follows, for what an array has around it."""

np.empty(_LARGEST, np.uint8)  # no page of it is touched
