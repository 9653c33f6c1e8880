"""A small package on disk that does what real packages do at import, and its harvest."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from crlib.data import harvest_worker

FILES = {
    "oddpkg/__init__.py": '''
        """A package with re-exports."""
        print("hello from the import")
        import sys, warnings
        print("and an error", file=sys.stderr)
        warnings.warn("and a warning")
        from oddpkg.tools import pack, pack as wrap, Box
        from json import dumps
    ''',
    "oddpkg/tools.py": '''
        """Tools."""

        _MARK = object()

        def pack(items, mark=_MARK):
            """Put all items into one box.

            The box is as large as it must be.

            Parameters
            ----------
            items : list
                What to put in.

            See Also
            --------
            Box.unpack : Take the items out again.
            oddpkg.more.weigh

            Examples
            --------
            Weigh a packed box of two items:

            >>> from oddpkg.tools import pack
            >>> from oddpkg.more import weigh
            >>> weigh(pack([1, 2]))
            2
            """

        def undocumented():
            return 1

        def _private():
            """This one is documented but private."""

        class Box:
            """A container that holds items in order."""

            def unpack(self):
                """Take every item out of the box.

                See Also
                --------
                pack
                """

            @classmethod
            def empty(cls):
                """Make a box that holds nothing."""

            @property
            def size(self):
                """Number of items, which is no callable."""

            def __len__(self):
                """Length is a dunder method, hence private."""

        class Crate(Box):
            """A container made of wood."""
    ''',
    "oddpkg/more.py": '''
        """More tools, one of which the package above does not export."""
        from oddpkg.tools import pack

        def weigh(box, place="/srv/some/long/path/scale"):
            """Weigh a box and whatever it holds: <Scale at 0x7f0012345678>."""
    ''',
    "oddpkg/same.py": "\n".join(
        f'def f{i}():\n    """Say the same sentence every time."""\n' for i in range(6)
    ),
    "oddpkg/leaves.py": 'import sys\nsys.exit("this module ends the program")\n',
    "oddpkg/lacks.py": "import a_package_that_nobody_has\n",
    "oddpkg/raises.py": 'raise ValueError("broken on purpose")\n',
    "oddpkg/asks.py": (
        'ANSWER = input("who are you? ")\n\ndef reply():\n    """Reply to whoever has asked."""\n'
    ),
    "oddpkg/__main__.py": 'raise SystemExit("a program, not a module")\n',
    "oddpkg/tests/__init__.py": "",
    "oddpkg/tests/test_pack.py": 'def test_pack():\n    """Check that packing works well."""\n',
    "crashpkg/__init__.py": "import os\nos._exit(3)\n",
}


@pytest.fixture(scope="session")
def odd_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder that holds oddpkg and crashpkg."""
    import textwrap

    folder = tmp_path_factory.mktemp("site")
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text).lstrip("\n"), encoding="utf-8")
    return folder


def _run_worker(package: str, out: Path, site: Path, hash_seed: str) -> subprocess.CompletedProcess:
    """Run the harvest's child process by itself."""
    # First of all, as a signature is cut after some hundred characters.
    secret = {"CRLIB_TEST_SECRET": "do-not-write-this-down"}
    environment = {**secret, **os.environ, "PYTHONPATH": str(site), "PYTHONHASHSEED": hash_seed}
    return subprocess.run(
        [sys.executable, harvest_worker.__file__, package, str(out)],
        env=environment, cwd=out.parent, capture_output=True, text=True, timeout=120, check=False,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip


@pytest.fixture(scope="session")
def run_worker():
    """Run the harvest's child process by itself: package, output, import folder, hash seed."""
    return _run_worker


@pytest.fixture(scope="session")
def odd_harvest(odd_site: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the child process writes about oddpkg; `stdout` and `stderr` are what it printed."""
    out = tmp_path_factory.mktemp("out") / "records.json"
    done = _run_worker("oddpkg", out, odd_site, "0")
    assert done.returncode == 0, done.stderr
    return {**json.loads(out.read_text()), "stdout": done.stdout, "stderr": done.stderr}
