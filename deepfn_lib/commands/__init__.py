"""The commands' door: running chapters, building and scanning the book, checking folders, exporting, speeds."""
