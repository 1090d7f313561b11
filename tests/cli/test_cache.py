from __future__ import annotations

from dspx.cache.disk import DiskCache


def test_the_cache_is_shown_and_cleared_after_a_question(dspx_command, tmp_path):
    folder = str(tmp_path / "cache")
    assert dspx_command("cache", "clear", "--dir", folder).out == f"{folder} holds no answers.\n"
    assert not (tmp_path / "cache").exists()
    cache = DiskCache(folder)
    cache.put("a", {"answer": 1})
    cache.put("b", {"answer": 2})
    cache.close()
    info = dspx_command("cache", "info", "--dir", folder, "--json").json
    assert (info["directory"], info["entries"]) == (folder, 2)
    assert info["bytes"] > 0
    assert dspx_command("cache", "clear", "--dir", folder, input="n\n").code == 1
    assert dspx_command("cache", "info", DSPX_CACHEDIR=folder).out.splitlines()[1] == "answers  2"
    assert dspx_command("cache", "clear", "--yes", DSPX_CACHEDIR=folder).out == "2 answers forgotten.\n"
    assert dspx_command("cache", "info", "--dir", folder, "--json").json["entries"] == 0
