"""thinc models: the encoder, the head, and the listener that joins them across components."""
