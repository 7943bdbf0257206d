#!/usr/bin/env bash
# Take pictures of the built site with headless Chromium, to look at: wide and narrow,
# light and dark; and tell of pages that scroll sideways.
#   bash docs/look.sh [folder [site]]
set -euo pipefail
site="${2:-$(cd "$(dirname "$0")" && pwd)/_build/html}"
site="$(cd "$site" && pwd)"
out="${1:-$site/../look}"
mkdir -p "$out"
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome)
chrome() { "$browser" --headless --no-sandbox --disable-gpu --hide-scrollbars "$@" 2>/dev/null; }

sideways() {  # page, width: how many pixels stick out
  local probe="$out/probe.html"
  cat > "$probe" <<END
<iframe id="page" style="width: $2px; height: 900px" src="file://$site/$1.html"></iframe>
<script>
  onload = () => setTimeout(() => {
    const root = page.contentDocument.documentElement;
    document.title = "sideways " + (root.scrollWidth - root.clientWidth);
  }, 2000);
</script>
END
  chrome --disable-web-security --allow-file-access-from-files \
    --user-data-dir="$out/profile" --window-size=1600,1000 --virtual-time-budget=9000 \
    --dump-dom "file://$probe" | sed -n 's/.*<title>sideways \(.*\)<\/title>.*/\1/p'
}

for page in index tutorial guide/networks auto_examples/index auto_examples/quickstart \
  api/generated/skdl.MLPClassifier; do
  for width in 1400 420; do
    for scheme in light dark; do
      name="${page//\//_}-$width-$scheme.png"
      flags=()
      [ "$scheme" = dark ] && flags+=(--force-dark-mode --enable-features=WebContentsForceDark:)
      chrome --blink-settings=preferredColorScheme=$([ "$scheme" = dark ] && echo 0 || echo 1) \
        "${flags[@]}" --window-size=$width,1400 --virtual-time-budget=8000 \
        --screenshot="$out/$name" "file://$site/$page.html"
      echo "$out/$name"
    done
    echo "$page at $width: $(sideways "$page" "$width") pixels sideways"
  done
done
rm -rf "$out/probe.html" "$out/profile"
