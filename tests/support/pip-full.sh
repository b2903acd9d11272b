#!/bin/sh
# A pip whose disk is full: half a file, and what Python says.
while [ "$1" != --dest ]; do shift; done
echo half > "$2/half"
cat >&2 <<'END'
ERROR: Exception:
Traceback (most recent call last):
  File "/usr/lib/python3/site-packages/pip/_internal/cli/base_command.py", line 180, in exc_logging_wrapper
OSError: [Errno 28] No space left on device
END
exit 2
