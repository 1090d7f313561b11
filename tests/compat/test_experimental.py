from dspx.compat.experimental import experimental


def test_a_function_and_a_class_say_at_the_top_that_they_may_change():
    @experimental
    def one():
        """Does one."""

    @experimental(version="0.2")
    class Two: ...

    assert one.__doc__ == ("Experimental: this function may change or go in any release.\n\nDoes one.")
    assert Two.__doc__ == "Experimental, new in 0.2: this class may change or go in any release."
