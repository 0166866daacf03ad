"""What a gradient costs: a model of it, and measurements on this machine."""
