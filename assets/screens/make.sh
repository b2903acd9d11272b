#!/usr/bin/env bash
# Makes the pictures of the documents from the program itself: real screens of real sessions, drawn cell by cell.
# A training run that is in the session (dojo train) is on the Train picture, with its values.
#
#   assets/screens/make.sh [target/release/dojo]
#
# Uses DOJO_HOME where it is set, else a folder of its own that is removed at the end.
set -euo pipefail
cd "$(dirname "$0")/../.."
dojo=${1:-target/release/dojo}
if [ -z "${DOJO_HOME:-}" ]; then
  DOJO_HOME=$(mktemp -d)
  export DOJO_HOME
  trap 'rm -rf "$DOJO_HOME"' EXIT
fi

picture() { # NAME FIRST KEYS UNTIL [MORE ARGUMENTS]
  local name=$1 first=$2 keys=$3 until=$4
  shift 4
  "$dojo" screenshot --size 120x36 --first "$first" --keys "$keys" --until "$until" --out "assets/screens/$name.svg" "$@"
  echo "assets/screens/$name.svg"
}

picture welcome "query-expansion" "" "first-principles"
picture palette "first-principles" "3 : t h e m e" "Pick a theme" --session first-principles
picture help "first-principles" "6 ?" "Show all keys" --session first-principles
picture themes "first-principles" "3 f5 down down" "Moss" --session first-principles
picture train "first-principles" "3" "latest sample" --session first-principles
