from __future__ import annotations


def test_datasets_are_listed_and_shown_with_fields_and_examples(on_store):
    [listed] = on_store("datasets", "list", "--json").json
    assert (listed["name"], listed["version"], listed["size"]) == ("messages", 1, 12)
    shown = on_store("datasets", "show", "messages", "--examples", "2")
    assert "billing (6), other (6)" in shown.out
    assert shown.out.count('"label":') == 2
    assert len(on_store("datasets", "show", "messages", "--json").json["examples"]) == 3
    assert on_store("datasets", "show", "nope").code == 2
