"""A result as JSON text and buffers: the writing side of the encoding that crosses the wall.

A tree of plain JSON is checked and handed to the C encoder. Anything else is written piece by piece: an object with
the key `$` (the tag) and `v` (JSON) or `b` (index of a buffer). Classes of libraries are told by name, so that none
is imported here; the modules `_arrays`, `_tables` and `_media` write them; `_dispatch` knows which does.

Nothing of a value is trusted: its class is `type(value)`, and subclasses of built-in types are read with the built-in
type's own methods.
"""

from typing import Any

from ._dispatch import EXACT, find_method
from ._exceptions import ResultProblem
from ._json import with_deep_stack
from ._plain import LEAVES, MAX_DEPTH, plain_text


def encode(value: Any, root: str = "result") -> tuple[str, list]:
    """Writes a value as JSON text and a list of buffers. Raises ResultProblem with the path of what cannot cross."""
    try:
        text = plain_text(value, 0)
    except RecursionError:  # deep, or the UDF has lowered the limit
        text = None
    if text is not None:
        return text, []
    writer = Writer(root)
    with_deep_stack(writer.write, value, 0)
    return "".join(writer.out), writer.buffers


class Writer:
    """Writes one value. `path` is where the writing stands; after a failure, where it failed."""

    __slots__ = ("_open", "_path", "_root", "buffers", "out")

    def __init__(self, root: str) -> None:
        self.out: list[str] = []
        self.buffers: list[Any] = []
        self._root = root
        self._path: list[str] = []
        self._open: set[int] = set()

    def write(self, value: Any, depth: int) -> None:
        """Writes a value of any kind."""
        kind = type(value)
        method = EXACT.get(kind)
        if method is None:
            method = find_method(kind)
        if depth > MAX_DEPTH and kind not in LEAVES:
            self.fail(f"nested more than {MAX_DEPTH} levels deep")
        method(self, value, depth)

    def write_at(self, step: str, value: Any, depth: int) -> None:
        """Writes a value one step further down: `step` is how Python code would reach it."""
        self._path.append(step)
        self.write(value, depth)
        self._path.pop()

    def tag(self, name: str, text: str) -> None:
        """Writes a tag whose value is a text."""
        self.out.append(f'{{"$":"{name}","v":"{text}"}}')

    def buffer_tag(self, name: str, data: Any, extra: str = "") -> None:
        """Writes a tag whose value is a buffer: anything C-contiguous with the buffer protocol. `extra` is JSON members."""
        self.buffers.append(data)
        self.out.append(f'{{"$":"{name}",{extra}"b":{len(self.buffers) - 1}}}')

    def fail(self, what: str, hint: str = "") -> None:
        """Raises ResultProblem: the value at the path is `what`, which cannot cross."""
        path = self.path()
        hint = f". {hint}" if hint else ""
        raise ResultProblem(f"Cannot return {path}: it is {what}, which cannot cross the wall{hint}", subject=path)

    def path(self) -> str:
        """Where the writing stands, as Python code."""
        steps = self._path
        if len(steps) > 12:
            return f"{self._root}{''.join(steps[:10])}…"
        return self._root + "".join(steps)

    def enter(self, value: Any) -> int:
        """Marks a container as being written; fails where it already is. The caller removes the mark with `leave`."""
        key = id(value)
        if key in self._open:
            self.fail("a reference back to one of its own containers")
        self._open.add(key)
        return key

    def leave(self, key: int) -> None:
        """Ends what `enter` began."""
        self._open.discard(key)

    def sequence(self, items: Any, depth: int) -> None:
        """Writes items as a JSON array."""
        out = self.out
        out.append("[")
        first = True
        for index, item in enumerate(items):
            if not first:
                out.append(",")
            first = False
            self.write_at(f"[{index}]", item, depth + 1)
        out.append("]")
