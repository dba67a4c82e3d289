"""result -> the files of a job, each entered in the journal before it is written.

A file is replaced only if its content is what the journal says was written, or the beginning of
that, cut short by a power failure. Anything else with a planned name belongs to somebody: an older
file, one that has just appeared, a retouched picture. It stays; the new picture gets a number.
"""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path, PurePath

from u2demo.images.write import encode, suffix
from u2demo.machine.disk import flush
from u2demo.machine.names import numbered
from u2demo.pipeline import Result
from u2demo.runs.checksums import content_checksum, file_checksum
from u2demo.runs.manifest import Manifest
from u2demo.runs.plan import Job


class Pictures:
    """The pictures of one job: those of earlier runs, and those written now."""

    def __init__(self, job: Job, manifest: Manifest):
        self._job, self._manifest, self._results = job, manifest, manifest.results
        self._files = dict.fromkeys(job.files)  # their names, in order
        self._written = dict(job.written)
        self._renamed = dict(job.renamed)

    def write(self, result: Result, format: str, metadata: str) -> None:
        """Write the pictures of ``result``; subfolders are created if missing."""
        for effect, picture in result.pictures.items():
            file = f"{self._job.stem}_{effect}{suffix(picture, format)}"
            data = encode(picture, PurePath(file).suffix, like=result.image, metadata=metadata)
            put = partial(self._results.put, data=data, may_replace=self._is_ours)
            self._enter(file, content_checksum(data), put)

    def add(self, effect: str, kind: str, made: Path) -> None:
        """Give a clip that was ``made``, a hidden file or folder of frames, its name."""
        if not made.is_dir():
            flush(made)
        put = partial(self._results.move, made, may_replace=self._is_ours)
        self._enter(f"{self._job.stem}_{effect}{kind}", file_checksum(made), put, suffix=kind)

    def fields(self, made: Mapping[str, str]) -> dict[str, object]:
        """Return the fields of a record about the pictures that exist and are complete.

        ``made`` are the checksums of the effects that were made now. If an earlier picture is gone,
        only they count as done: nobody knows of which effect it was.
        """
        files = tuple(file for file in self._files if self._results.is_whole(file))
        earlier = self._job.effects if len(files) == len(self._files) else {}
        return {
            "files": files,
            "effects": {**earlier, **made},
            "written": {file: self._written[file] for file in files if file in self._written},
            "renamed": {old: new for old, new in self._renamed.items() if new in files},
        }

    def _enter(
        self, file: str, checksum: str, put: Callable[[str], None], *, suffix: str | None = None
    ) -> None:
        """Let ``put`` write ``file``, or the next free ``file (n)``, and note its name.

        The journal gets the checksum first, so that the file is recognized after a kill.
        """
        self._results.make_folders(file)
        for name in numbered(file, suffix=suffix):
            if self._results.is_there(name) and not self._is_ours(name):
                continue
            writing = self._job.record(written=dict(self._written), writing={name: checksum})
            self._manifest.add(writing)
            try:
                put(name)
            except FileExistsError:  # it appeared just now
                continue
            break
        self._written[name] = checksum
        self._files[name] = None
        self._renamed.pop(file, None)
        if name != file:
            self._renamed[file] = name

    def _is_ours(self, name: str) -> bool:
        """Return whether a file is what was written there for this photo, whole or cut short."""
        known = self._written.get(name)
        return known is not None and self._results.is_as_written(name, known)
