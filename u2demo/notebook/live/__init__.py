"""The live camera: frames from the page, masks to the page."""
