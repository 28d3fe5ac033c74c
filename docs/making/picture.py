"""The picture of a hits page for the README, from a real run: python docs/making/picture.py runs/demo/index.html (needs Chromium, Pillow and aiohttp)."""

from __future__ import annotations

import base64
import io
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

OUT = ROOT / "docs" / "hits.png"
WIDTH, HEIGHT, SCALE = 1240, 1900, 0.75


def main(page: Path) -> None:
    """Take the picture: head, counts, and the table's first rows, in 256 colours."""
    from PIL import Image

    from tests.browser import browser

    with browser() as found:
        found.ask("Emulation.setDeviceMetricsOverride", width=WIDTH, height=HEIGHT, deviceScaleFactor=1, mobile=False)
        found.go(page.resolve().as_uri())
        # the table comes right after the counts, as on a screen that was scrolled; nothing else is changed
        found.js(
            "for (const part of document.querySelectorAll('main > section')) if (!part.matches('.tiles') && !part.querySelector('#grid')) part.style.display = 'none'"
        )
        found.js("document.getElementById('grid').style.maxHeight = '640px'; dispatchEvent(new Event('resize'))")
        height = int(found.js("document.querySelector('main').getBoundingClientRect().bottom"))
        shot = found.ask(
            "Page.captureScreenshot", format="png", captureBeyondViewport=True, clip={"x": 0, "y": 0, "width": WIDTH, "height": height, "scale": SCALE}
        )
    image = Image.open(io.BytesIO(base64.b64decode(shot["data"]))).convert("RGB").quantize(256)
    image.save(OUT, optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
