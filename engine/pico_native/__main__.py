"""`python -m pico_native [--optional]`."""

import sys

from pico_native.compile import main

sys.exit(main(sys.argv[1:]))
