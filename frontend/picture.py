"""Makes docs/view.png, the picture of the view in the README, in Chromium: python frontend/picture.py."""

import shutil
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

import chainrule as cr
from chainrule.viewer.datasets import in_the_plane

PLACE = Path(__file__).parents[1] / "docs" / "view.png"

X, y = in_the_plane("moons", rows=60)
layers = [cr.Dense(3, "tanh", name="hidden"), cr.Dense(1, "sigmoid", name="output")]
network = cr.Network(layers, seed=3, dtype="float64")
letters = {"hidden.weight": "w", "output.weight": "u", "hidden.a": "h", "output.a": "y", "target": "t"}
settings = {"loss": "binary_cross_entropy", "optimizer": cr.Adam(0.05), "epochs": 60, "batch_size": 16}
view = cr.view(network, X, y, **settings, symbols=letters)
view.do("train", wait=True)
view.do("rows", rows=[7])
view.do("go", step=90)
view.do("select", key="hidden.weight[1, 2]", depth="layers")
view.do("check", on=True)
with sync_playwright() as driver:
    chromium = shutil.which("chromium-headless-shell") or shutil.which("chromium")
    browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
    page = browser.new_page(viewport={"width": 1280, "height": 1180}, color_scheme="light")
    page.goto(view.open(browser=False))
    page.wait_for_timeout(3000)
    page.screenshot(path=PLACE)
    browser.close()
view.close()
Image.open(PLACE).convert("RGB").quantize(128, dither=0).save(PLACE, optimize=True)
