"""Frees the beginning of a file while somebody writes at its end: a hole takes no space.

No rename and no signal to the writer, so nothing can get lost in between. Linux' ext4, xfs, btrfs, ZFS
and tmpfs can do it. https://man7.org/linux/man-pages/man2/fallocate.2.html
"""

import ctypes
import os

_KEEP_SIZE, _PUNCH_HOLE = 1, 2
_BLOCK_BYTES = 4096

_libc = ctypes.CDLL(None, use_errno=True)


def free(descriptor: int, since: int, until: int) -> int:
    """Free the whole blocks from `since` to `until`, and return the byte up to which it is free.

    Raises OSError where the file system can't.
    """
    until -= until % _BLOCK_BYTES
    if until <= since:
        return since
    done = _libc.fallocate(
        ctypes.c_int(descriptor),
        ctypes.c_int(_PUNCH_HOLE | _KEEP_SIZE),
        ctypes.c_int64(since),
        ctypes.c_int64(until - since),
    )
    if done != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    return until


def data_begins(descriptor: int, offset: int) -> int:
    """Return where the first byte at or behind `offset` lies that is in no hole."""
    try:
        return os.lseek(descriptor, offset, os.SEEK_DATA)
    except OSError:  # nothing but a hole up to the end, or a file system that knows no holes
        return offset
