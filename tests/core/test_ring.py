from dspx.core.ring import Ring


def test_the_oldest_entries_go():
    ring = Ring(3)
    for n in range(5):
        ring.append(n)
    assert list(ring) == [2, 3, 4]
    assert ring[-1] == 4
    assert ring[:2] == [2, 3]
    assert ring.newest(2) == [3, 4]
    ring.resize(1)
    assert ring == [4]
