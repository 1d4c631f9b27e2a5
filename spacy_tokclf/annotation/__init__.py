"""Texts of any form to entities of any form, in a stream: what is read, how it is annotated, what is written."""
