"""BP4D and DISFA as they arrive, read into one frame table; what is in them; whose faces may be shown."""
