"""`python -m exfm_client` is `exfm`."""

import sys

from exfm_client.cli.main import main

sys.exit(main())
