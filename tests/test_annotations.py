"""Boxes for detectors, checked by hand."""

import json

from u2demo.annotations import write_coco, write_yolo
from u2demo.manifest import Record
from u2demo.masks import Box

RECORDS = [
    Record("/p/cat.jpg", "pets/cat", "v", "done", size=(200, 100), box=Box(20, 10, 120, 60)),
    Record("/p/wall.jpg", "wall", "v", "done", size=(50, 50)),
    Record("/p/broken.jpg", "broken", "v", "failed"),
]


def test_coco_boxes_are_left_top_width_height(tmp_path):
    coco = json.loads(write_coco(RECORDS, tmp_path).read_text())
    assert [image["file_name"] for image in coco["images"]] == ["/p/cat.jpg", "/p/wall.jpg"]
    (annotation,) = coco["annotations"]
    assert annotation["bbox"] == [20, 10, 100, 50]
    assert annotation["image_id"] == coco["images"][0]["id"]


def test_yolo_boxes_are_centers_and_sizes_as_shares(tmp_path):
    labels = write_yolo(RECORDS, tmp_path)
    assert (labels / "pets/cat.txt").read_text() == "0 0.350000 0.350000 0.500000 0.500000\n"
    assert (labels / "wall.txt").read_text() == ""
    assert not (labels / "broken.txt").exists()
