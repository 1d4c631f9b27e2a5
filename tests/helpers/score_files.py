"""A small gold file, predictions for it, and training data that know two of its entities."""

GOLD = """Ada\tB-person
Lovelace\tI-person
met\tO
Bob\tB-person

Rome\tB-location
likes\tO
New\tB-location
York\tI-location
"""
#: Right: Ada Lovelace, Rome. Wrong type: Bob. Too short: New York.
PRED = """Ada B-person
Lovelace I-person
met O
Bob B-group

Rome B-location
likes O
New B-location
York O
"""
TRAIN = "Rome\tB-location\n\nBob\tB-person\n"
