"""The name of the front end of recordings, for what runs before anything of it is loaded."""

FRONTEND = "recording"
