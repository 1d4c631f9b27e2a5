"""One page about a pipeline on annotated texts: scores at every threshold, mistakes, two pipelines side by side."""
