"""What mkdocs calls to make the site: pages of the reference from the package, and a navigation from the folders."""

from __future__ import annotations

import sys
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

sys.path.insert(0, str(Path(__file__).parent))

from cards import data_sets_page, models_page
from commands import commands_page
from house import picture
from navigation import navigation
from reference import module_pages


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the reference, then list every page."""
    root = Path(config.config_file_path).parent
    made = {"commands": commands_page(), "data-sets": data_sets_page(root / "datasets"), "models": models_page(root / "drugai" / "shipped")}
    for name, text in made.items():
        files.append(File.generated(config, f"reference/{name}.md", content=text))
    modules = module_pages(root / "drugai")
    for name, text in modules.items():
        files.append(File.generated(config, f"reference/api/{name}.md", content=text))
    kept = files.get_file_from_path("explanation/house.svg")
    if kept is not None:
        files.remove(kept)
    files.append(File.generated(config, "explanation/house.svg", content=picture()))
    config.nav = navigation((file.src_uri for file in files.documentation_pages()), modules)
    return files
