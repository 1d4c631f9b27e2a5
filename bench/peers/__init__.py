"""What people use today, each as its own documentation asks. Nothing here imports spacy_tokclf."""
