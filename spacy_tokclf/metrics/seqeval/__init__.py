"""seqeval 1.2.2 again: its entities, its numbers and its functions, in numpy."""
