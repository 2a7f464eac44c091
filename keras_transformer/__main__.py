"""`python -m keras_transformer`: the command `keras-transformer`."""

import sys

from keras_transformer.cli.main import main

sys.exit(main())
