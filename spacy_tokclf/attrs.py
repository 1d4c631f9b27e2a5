"""Names under which our data lies in spaCy's: here, so that what only reads one imports nothing else."""

#: Attribute of a span group that holds the scores of predicted entities.
SCORES = "scores"
