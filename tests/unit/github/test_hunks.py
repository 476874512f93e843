"""Lines that a diff shows."""

from ringmain_github.hunks import lines_of

PATCH = """@@ -1,3 +1,4 @@ def f():
 one
-two
+zwei
+drei
 \x20
@@ -40 +41,0 @@
-gone
\\ No newline at end of file"""


def test_each_side_has_the_lines_that_its_hunks_show() -> None:
    lines = lines_of(PATCH)
    assert lines.left == {1, 2, 3, 40}
    assert lines.right == {1, 2, 3, 4}


def test_a_patch_without_hunks_shows_nothing() -> None:
    assert lines_of("").right == set()
