"""What `spacy train` takes from here: the optimizer and callbacks."""
