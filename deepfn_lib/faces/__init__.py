"""From frames on disk to one aligned grey face a frame, and the image arms that need no network."""
