"""(image, mask) -> picture."""
