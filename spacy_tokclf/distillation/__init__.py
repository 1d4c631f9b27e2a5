"""Prepare the training of a student: texts, what teachers say of them, and a config."""
