#!/bin/sh
# A pip that takes its wheel from the folder $WORLD, and writes down each time that it is asked.
echo "$@" >> "$WORLD/asked"
while [ "$1" != --dest ]; do shift; done
cp "$WORLD"/*.whl "$2"
