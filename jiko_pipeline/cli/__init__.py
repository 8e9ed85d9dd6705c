"""The command line: a thin skin. Commands parse words, call a room, print, and answer with an exit code."""
