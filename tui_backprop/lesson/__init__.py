"""Words that teach: data, not code."""
