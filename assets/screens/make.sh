#!/usr/bin/env bash
# Makes the pictures of the documents from the program itself: real screens of real sessions, drawn cell by cell.
# The Train picture is taken while the first sample trains, which is stopped then: some minutes on two cores.
#
#   assets/screens/make.sh [target/release/dojo]
#
# Uses DOJO_HOME where it is set, else a folder of its own that is removed at the end, to which the model is fetched.
# A home without sessions gives the welcome of a first start.
set -euo pipefail
cd "$(dirname "$0")/../.."
dojo=$(realpath "${1:-target/release/dojo}")
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

session=first-principles
picture welcome "query-expansion" "" "first-principles"
picture palette "first-principles" "3 : t h e m e" "Pick a theme" --session $session
picture help "first-principles" "6 ?" "Show all keys" --session $session

# The run is the newest of the session: the picture waits for what the model answers after 42 of its 58 steps.
"$dojo" train "$DOJO_HOME/data/sessions/$session/recipes/sft.toml" --name "pictures-$$" --detach
picture train "first-principles" "3" "latest sample · step 42" --session $session --patience 1800
picture themes "first-principles" "3 f5 down down" "Moss" --session $session
"$dojo" runs stop "pictures-$$"
