"""What became of one photo, or of one clip."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from u2demo.masks.box import Box


@dataclass(frozen=True)
class Record:
    """What became of one photo, or of one clip: a line of the manifest."""

    photo: str  # absolute path
    stem: str  # what the names of its pictures begin with, relative to the results folder
    version: str  # of the photo, net and quality: when it changes, the photo is done again
    status: str = "started"  # then "done", "failed", or "left out": a kind that is not read
    error: str = ""
    size: tuple[int, int] | None = None  # width and height of the photo, upright
    box: Box | None = None  # around the whole subject
    objects: tuple[Box, ...] = ()  # around each separate object, largest first
    area: float = 0.0  # of the subject, as a share of the picture
    confidence: float = 0.0  # how decided the net was, see Prediction
    clear: bool = True  # whether a subject stands out, see pipeline.Result
    seconds: float = 0.0
    files: tuple[str, ...] = ()  # its pictures in the results folder
    effects: Mapping[str, str] = field(default_factory=dict)  # checksum of each finished effect
    written: Mapping[str, str] = field(default_factory=dict)  # checksum of each file, as written
    writing: Mapping[str, str] = field(default_factory=dict)  # the same for a file being written
    renamed: Mapping[str, str] = field(default_factory=dict)  # name that was taken: name used
    corrections: str = ""  # name of the file beside the photo that says how to correct its mask
    left_out: tuple[str, ...] = ()  # what the photo's file held that its pictures do not
    outlines: tuple[str, ...] | None = None  # of each object, None unless asked for: see outlines
    identity: str = ""  # of the photo's file on its disk, which a file put in its place has not
    content: str = ""  # checksum of the photo's file
    frames: int = 0  # of a clip; 0 is a photo
    duration: float = 0.0  # of a clip, in seconds
    damage: str = ""  # what of a clip could not be decoded
    # The time of each frame of a clip and the box in it: "0.04 10 20 110 220", "0.04" without one.
    track: tuple[str, ...] | None = None  # None unless asked for

    @property
    def subjects(self) -> list[tuple[Box, str]]:
        """The box and the outline of each object to learn: none if no subject stands out.

        An outline is "" where the run found none.
        """
        outlines = self.outlines or ("",) * len(self.objects)
        return list(zip(self.objects, outlines, strict=False)) if self.clear else []

    def as_skipped(self) -> "Record":
        """Return this record, of a photo that needs no work."""
        skipped = object.__new__(Record)  # done for millions: replace takes several times as long
        vars(skipped).update(vars(self), status="skipped")
        return skipped

    @property
    def pictures(self) -> tuple[str, ...]:
        """Every file that is one of the photo's pictures, or may be one after a kill."""
        return tuple(dict.fromkeys([*self.files, *self.written, *self.writing]))
