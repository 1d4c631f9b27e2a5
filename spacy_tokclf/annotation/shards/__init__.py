"""A corpus that does not fit: shards of it, annotated by several processes or a cluster, noted in a manifest."""
