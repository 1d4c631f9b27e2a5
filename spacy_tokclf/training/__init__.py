"""Training: the optimizer, schedules of the learning rate, callbacks of `spacy train`, and a step for own loops."""
