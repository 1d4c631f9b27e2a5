"""Word pieces: tokens to pieces, windows over long texts, padded batches, and pooling back to tokens."""
