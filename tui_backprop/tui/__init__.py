"""The terminal app, and the text renderables that it shares with the plain commands."""
