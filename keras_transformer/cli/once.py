"""Options that may be given once only."""

import argparse
from typing import Any


class Once(argparse.Action):
    """The action of an option that names one file or model: a second value would silently replace the first.

    Options of several values have the action "extend". Of numbers the last one counts, so that those of a script can be
    replaced.
    """

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        before = getattr(namespace, self.dest)
        if before is not self.default:
            raise argparse.ArgumentError(self, f"expected once. Received: {before} and {values}")
        setattr(namespace, self.dest, values)
