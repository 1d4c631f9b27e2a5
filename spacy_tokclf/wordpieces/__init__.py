"""Word pieces: tokens to pieces, windows over long texts, batches with and without padding, pooling back to tokens."""
