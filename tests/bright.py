"""A net that is quick, for tests of all that is done with what a net finds."""

import torch


class Bright(torch.nn.Module):
    """A net whose subject is what is bright: easy to check by eye. It counts its ``looks``."""

    def __init__(self):
        super().__init__()
        self.gain = torch.nn.Parameter(torch.tensor(4.0))
        self.looks = 0

    def forward(self, photos):
        self.looks += 1
        return [torch.sigmoid(self.gain * photos.mean(1, keepdim=True))] * 7
