"""photos with masks -> a net of your own: pairs, what is drawn from them, losses, and the fit."""
