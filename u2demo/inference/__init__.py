"""(net, image) -> mask."""
