"""The page's views. Each is one file in page/views/ that exports a view of its own name; the list of them is made from the folder.

A view is {name, label, about, draw(root), enter?(root), leave?()}. To add one, put a file there: its tab comes after the others.
"""
from pathlib import Path

from starlette.responses import Response
from starlette.routing import Route

ORDER = ("play", "all", "bend", "edit", "latent", "mod", "sound", "map", "show", "studio")
LIBRARIES = ("starlette",)
PATH = "/views/list.js"


def list_views(folder: Path) -> list[str]:
    """Return the names of the views in a folder, in the order of their tabs."""
    return sorted((path.stem for path in folder.glob("*.js")), key=lambda name: (ORDER.index(name) if name in ORDER else len(ORDER), name))


def make_route(folder: Path) -> Route:
    """Return the route of the JavaScript module that exports VIEWS, all views of a folder."""
    async def answer(request):
        names = list_views(folder)
        text = "".join(f'import {{ {name} }} from "./{name}.js";\n' for name in names) + f"export const VIEWS = [{', '.join(names)}];\n"
        return Response(text, media_type="text/javascript", headers={"Cache-Control": "no-cache"})
    return Route(PATH, answer)
