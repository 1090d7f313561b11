from dspx.core.ring import Late, Ring


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


class Square(Late[int]):
    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number
        self.made = 0

    def _make(self) -> int:
        self.made += 1
        return self.number**2


def test_a_late_entry_is_made_when_it_is_read_and_only_once():
    ring: Ring[int] = Ring(2)
    entries = [Square(n) for n in (2, 3, 4)]
    for entry in entries:
        ring.append(entry)
    assert [entry.made for entry in entries] == [0, 0, 0]
    assert ring[-1] == 16
    assert list(ring) == ring.newest(2) == ring[:] == [9, 16]
    assert [entry.made for entry in entries] == [0, 1, 1]


def test_an_entry_may_come_with_a_new_limit():
    ring: Ring[int] = Ring()
    for n in range(5):
        ring.append(n, limit=3)
    assert ring == [2, 3, 4]
