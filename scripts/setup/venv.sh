#!/bin/sh
# Makes the virtual environment $1, or removes what was half made and says how to mend it.
[ -x "$1/bin/python" ] && "$1/bin/python" -c 'import pip' 2>/dev/null && exit 0
python=$(sh "$(dirname "$0")/python.sh") || exit 1
echo "Making the environment $1 with $("$python" -c 'import sys; print("%s (Python %d.%d.%d)" % ((sys.executable,) + sys.version_info[:3]))') …"
if ! message=$("$python" -m venv "$1" 2>&1); then
    rm -rf "$1"
    case "$message" in
        *ensurepip*) echo "Python's module venv is incomplete here. Install it (Debian, Ubuntu: apt-get install python3-venv), then run make again." >&2 ;;
        *) echo "The environment cannot be made: $(printf '%s' "$message" | tail -n 1) Free the folder or choose another: make VENV=/path" >&2 ;;
    esac
    exit 1
fi
