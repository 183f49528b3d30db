#!/bin/sh
# Prints the Python to build the environment with: $PYTHON when given, else the newest of the usual names that fits.
fits() { command -v "$1" >/dev/null 2>&1 && "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; }

if [ -n "${PYTHON:-}" ]; then
    if fits "$PYTHON"; then echo "$PYTHON"; exit 0; fi
    found=$("$PYTHON" -c 'import sys; print("is Python %d.%d" % sys.version_info[:2])' 2>/dev/null || echo "does not run")
    echo "$PYTHON $found; Python 3.11, 3.12 or 3.13 is needed. Name another: make PYTHON=python3.11" >&2
    exit 1
fi
for name in python3 python3.13 python3.12 python3.11; do
    if fits "$name"; then echo "$name"; exit 0; fi
done
found=$(python3 -c 'import sys; print("python3 here is %d.%d" % sys.version_info[:2])' 2>/dev/null || echo "there is no python3 here")
echo "Python 3.11, 3.12 or 3.13 is needed; $found. Install one (Debian, Ubuntu: apt-get install python3.11 python3.11-venv), then: make PYTHON=python3.11" >&2
exit 1
