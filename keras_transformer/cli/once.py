"""Options that are given more than once: none that names a file or a model drops what it was given before."""

import argparse


class Once(argparse.Action):
    """Of an option with one value: refuses a second one, which would silently take the place of the first.

    Options of several values have argparse's "extend", and numbers the last one that is given, so that a script's can
    be replaced.
    """

    def __call__(self, parser, namespace, values, option_string=None):
        before = getattr(namespace, self.dest)
        if before is not self.default:
            raise argparse.ArgumentError(self, f"expected once. Received: {before} and {values}")
        setattr(namespace, self.dest, values)
