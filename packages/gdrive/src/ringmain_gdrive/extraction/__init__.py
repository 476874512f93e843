"""Files into text, in a process of its own: what is read here was written by anybody."""
