"""The work itself in plain torch: the mark that no pipeline can pass at the same precision and batches."""
