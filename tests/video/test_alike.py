"""Which frames of a clip the net looks at, and what becomes of the others."""

import numpy as np
import pytest
from bright import Bright
from PIL import Image

from u2demo.video.alike import alike
from u2demo.video.find import Findings
from u2demo.video.read import open_video


def square(left, gray=30):
    pixels = np.full((48, 64, 3), gray, np.uint8)
    pixels[12:32, left : left + 20] = 230
    return Image.fromarray(pixels)


def sizes(images):
    return [len(group) for group in alike(images)]


def test_frames_that_hardly_differ_are_in_groups_of_five():
    frames = [square(10)] * 12
    groups = list(alike(frames))
    assert [len(group) for group in groups] == [5, 5, 2]
    assert [image for group in groups for image in group] == frames


def test_where_more_moves_groups_are_smaller():
    assert sizes([square(10, gray=30 + 3 * number) for number in range(7)]) == [3, 3, 1]


def test_a_frame_that_differs_begins_a_group_of_its_own():
    assert sizes([square(2), square(3), square(40, gray=200), square(40, gray=200)]) == [2, 2]
    assert sizes([square(2, gray=20 * number) for number in range(4)]) == [1, 1, 1, 1]
    assert sizes([]) == []


def test_what_is_found_moves_along_in_frames_that_the_net_has_not_looked_at(tmp_path):
    pytest.importorskip("cv2")
    source = open_video(_moving(tmp_path / "clip.gif"))
    net = Bright()
    with Findings(source, net) as findings:
        assert list(findings.look()) == list(range(1, 10))
        masks = [mask for _, mask in findings.frames()]
    assert net.looks == 3
    for number, mask in enumerate(masks):
        columns = np.flatnonzero(mask[22] > 0.5)
        assert abs(columns.mean() - (8 + 2 * number + 9.5)) < 2.5, "its middle is where it went"


def _moving(path):
    frames = [square(8 + 2 * number) for number in range(9)]
    first, *others = frames
    first.save(path, save_all=True, append_images=others, duration=100)
    return path
