"""What Git leaves in the place of a file that Git LFS has not fetched."""

_START = b"version https://git-lfs.github.com/spec/"
POINTER = "a Git LFS pointer: `git lfs pull` fetches the file that it stands for"


def is_pointer(path, open_file=open):
    """Whether the file at `path` is a pointer of Git LFS.

    Args:
        path: of a file.
        open_file: opens it for reading bytes, as `open` does.
    """
    with open_file(path, "rb") as file:
        return file.read(len(_START)) == _START
