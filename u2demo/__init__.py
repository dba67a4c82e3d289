"""Find the subject of a photo with U²-Net, then cut it out, box, crop or highlight it."""

__version__ = "0.1.0"
