#!/usr/bin/env bash
# Take pictures of the built site with headless Chromium, to look at: wide and narrow,
# light and dark.   bash docs/look.sh [folder]
set -euo pipefail
site="$(cd "$(dirname "$0")" && pwd)/_build/html"
out="${1:-$site/../look}"
mkdir -p "$out"
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome)
for page in index tutorial guide/networks auto_examples/index auto_examples/quickstart \
  api/generated/skdl.MLPClassifier; do
  for width in 1400 420; do
    for scheme in light dark; do
      name="${page//\//_}-$width-$scheme.png"
      flags=()
      [ "$scheme" = dark ] && flags+=(--force-dark-mode --enable-features=WebContentsForceDark:)
      "$browser" --headless --no-sandbox --disable-gpu --hide-scrollbars \
        --blink-settings=preferredColorScheme=$([ "$scheme" = dark ] && echo 0 || echo 1) \
        "${flags[@]}" --window-size=$width,1400 --virtual-time-budget=8000 \
        --screenshot="$out/$name" "file://$site/$page.html" 2>/dev/null
      echo "$out/$name"
    done
  done
done
