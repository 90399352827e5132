"""Counts the file that nginx writes its tally to: reads on, saves, then frees what has been counted.

In this order, so that it may be killed at any moment and counts nothing twice and loses nothing.
"""

import logging
import os
from contextlib import suppress
from pathlib import Path

from monitoring.door.counts import Counts, Place, load_counts
from monitoring.door.holes import data_begins, free

log = logging.getLogger(__name__)

TALLY = "tally.log"
SAVED = "counts.json"
CHUNK_BYTES = 4 << 20


class Reader:
    """Reads the tally in a folder. `counts` is what has been saved, replaced as a whole."""

    def __init__(self, folder: Path) -> None:
        self._tally = folder / TALLY
        self._saved = folder / SAVED
        self._file = -1
        self._freed = 0
        self._frees = True
        self.counts = self._load()

    def close(self) -> None:
        """Let go of the file."""
        if self._file >= 0:
            os.close(self._file)
        self._file = -1

    def read(self) -> int:
        """Count what nginx has written since, and return how many bytes of whole lines that was."""
        if self._file < 0 and not self._open():
            return 0
        counted = self._read_on()
        if not counted and self._replaced():
            counted = self._read_on()  # what nginx still wrote into the old one
            if not counted:
                self.close()
        return counted

    def _load(self) -> Counts:
        try:
            counts = load_counts(self._saved)
        except ValueError as error:  # after a power cut, maybe
            log.warning("%s can't be used, the counts begin anew: %s", self._saved, error)
            counts = None
        return counts or Counts()

    def _open(self) -> bool:
        try:
            try:
                self._file = os.open(self._tally, os.O_RDWR)
            except PermissionError:
                self._file = os.open(self._tally, os.O_RDONLY)
        except FileNotFoundError:  # nginx hasn't started yet
            return False
        state = os.fstat(self._file)
        place = self.counts.place
        if (place.inode, max(place.offset, state.st_size)) != (state.st_ino, state.st_size):
            begin = data_begins(self._file, 0)
            if begin:  # somebody has counted and freed it before; most likely in the middle of a line
                rest = os.pread(self._file, CHUNK_BYTES, begin)
                begin += rest.find(b"\n") + 1
            self._keep(b"", Place(state.st_ino, begin))
        self._freed = 0
        return True

    def _read_on(self) -> int:
        place = self.counts.place
        chunk = os.pread(self._file, CHUNK_BYTES, place.offset)
        whole = chunk.rfind(b"\n") + 1  # behind it, a line that is still being written
        if whole:
            self._keep(chunk[:whole], Place(place.inode, place.offset + whole))
            self._free()
        return whole

    def _keep(self, lines: bytes, place: Place) -> None:
        """Show counts only once they are saved: after a kill they would go back otherwise."""
        counts = self.counts.add(lines, place)
        counts.save(self._saved)
        self.counts = counts

    def _free(self) -> None:
        if not self._frees:
            return
        try:
            self._freed = free(self._file, self._freed, self.counts.place.offset)
        except OSError as error:
            self._frees = False
            log.warning(
                "%s keeps growing, its file system can't free what is counted: %s", self._tally, error
            )

    def _replaced(self) -> bool:
        """Tell whether nginx writes to another file, or somebody has emptied this one."""
        with suppress(FileNotFoundError):
            state = self._tally.stat()
            place = self.counts.place
            return state.st_ino != place.inode or state.st_size < place.offset
        return False
