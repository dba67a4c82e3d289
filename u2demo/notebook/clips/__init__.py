"""The app for clips: a clip in, its effect on three frames, the new clip out."""
