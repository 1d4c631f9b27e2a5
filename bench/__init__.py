"""Speed, memory and accuracy of spacy-tokclf beside what people use today: `python -m bench --help`."""
