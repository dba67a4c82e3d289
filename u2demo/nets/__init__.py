"""name -> trained net, and how it wants its photos."""
