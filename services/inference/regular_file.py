"""Files of a model's folder, whatever else lies in their place."""

import errno
import os
import stat
from pathlib import Path


def read(path: Path) -> bytes:
    """Return what is in a file.

    A pipe in its place, whose writer might never come, is not waited for, nor is a device read
    whose bytes never end.

    Raises:
        OSError: there is none, it cannot be read, or it is no regular file.

    """

    def at_once(name: str, flags: int) -> int:
        return os.open(name, flags | os.O_NONBLOCK)

    with open(path, "rb", opener=at_once) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(errno.EINVAL, "not a regular file", str(path))
        return file.read()
