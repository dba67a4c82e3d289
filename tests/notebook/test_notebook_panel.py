"""The app's controls alone: what they say, and what they are told to say."""

import pytest
from PIL import Image

from u2demo.notebook.actions import Settings
from u2demo.notebook.notes import Notes
from u2demo.notebook.panel import Panel


@pytest.fixture
def changes():
    return []


@pytest.fixture
def panel(changes):
    return Panel(lambda: changes.append(panel), Notes(), Image.new("RGB", (8, 8)))


def test_settings_that_are_shown_are_those_that_the_controls_say(panel, changes):
    settings = Settings(threshold=0.7, softness=0.5, color="#00ff00", margin=0.1)
    panel.show(settings)
    assert panel.settings == settings
    assert changes == [], "nobody has changed anything"
    panel.show(Settings())
    assert panel.settings == Settings()
