"""Twin of seqeval 1.2.2 in numpy: its tag reading, its arithmetic, and its functions under their own names."""
