"""What the commands without a screen do, once the command line has been read."""
