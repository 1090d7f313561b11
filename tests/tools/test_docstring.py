import pytest

from dspx.tools.docstring import read

GOOGLE = """Search the archive.

    The newest come first.

    Args:
        query (str): words to look for,
            in any order
        limit: how many
        **rest: passed on

    Returns:
        list: the finds
    """
NUMPY = """Search the archive.

    Parameters
    ----------
    query : str
        words to look for,
        in any order
    limit, offset : int
        how many

    Returns
    -------
    list
        the finds
    """
SPHINX = """Search the archive.

    :param query: words to look for,
        in any order
    :param int limit: how many
    :type query: str
    :returns: the finds
    """


@pytest.mark.parametrize("doc", [GOOGLE, NUMPY, SPHINX], ids=["google", "numpy", "sphinx"])
def test_what_is_said_of_arguments_is_found_and_taken_out(doc):
    text, said = read(doc)
    assert said["query"] == "words to look for, in any order"
    assert said["limit"] == "how many"
    assert "words to look for" not in text
    assert text.startswith("Search the archive.")
    assert "the finds" in text


def test_names_that_share_a_description_each_get_it():
    assert read(NUMPY)[1]["offset"] == "how many"


def test_the_rest_of_the_text_keeps_its_paragraphs():
    assert read(GOOGLE)[0] == "Search the archive.\n\nThe newest come first.\n\nReturns:\n    list: the finds"


@pytest.mark.parametrize(
    "doc", [None, "", "Search.", "Args: none at all", "Two\n    lines.", "Args:\n    not like this"]
)
def test_a_docstring_that_says_nothing_of_arguments_stays_as_it_is(doc):
    assert read(doc) == (doc, {})


def test_a_title_without_a_body_is_text():
    assert read("Args:\n\nmore") == ("Args:\n\nmore", {})
