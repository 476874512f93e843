"""Where passages are kept: one module for each kind of store, all with the same answers."""
