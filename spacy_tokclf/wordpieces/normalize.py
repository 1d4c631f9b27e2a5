"""Links and user names as one word each, as BERTweet reads them (Nguyen et al., 2020): what they consist of says
little, and takes a quarter of the word pieces of posts."""

import re

LINK, USER = re.compile(r"(?:https?:|www\.)\S+", re.IGNORECASE), re.compile(r"@\w+")
#: What they are read as: words that most vocabularies have.
STAND_INS = ((LINK, "url"), (USER, "@user"))


def normal_form(word: str) -> str:
    """Give what an encoder reads in the place of a word.

    word (str): The word.
    RETURNS (str): A stand-in for a link or a user name, else the word.
    """
    return next((stand_in for pattern, stand_in in STAND_INS if pattern.fullmatch(word)), word)
