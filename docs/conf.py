"""The site of these pages: `make docs` writes it to `dist/site`."""

project = "BitLoot"
copyright = "the BitLoot authors, Apache-2.0"  # noqa: A001  the name that Sphinx reads
extensions = ["myst_parser", "sphinxcontrib.mermaid"]
html_theme = "furo"
html_title = "BitLoot"
exclude_patterns = ["_build"]
myst_enable_extensions = ["colon_fence"]
myst_fence_as_directive = ["mermaid"]
myst_heading_anchors = 3
html_extra_path = []
