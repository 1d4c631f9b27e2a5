"""BERT's family without padding: windows in one row, a backward pass by hand. See `encoder.py`."""
