"""The stage: a photo with its mask, big, zoomed, and corrected by hand."""
