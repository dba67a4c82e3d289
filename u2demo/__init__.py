"""Find the subject of a photo with U²-Net, then cut it out, box, crop or highlight it.

    import u2demo as u2

    model = u2.load_model()
    image = u2.open_image("cat.jpeg")
    mask = u2.predict_mask(model, image)
    u2.remove_background(image, mask).save("cat.png")

The public names are listed in ``__init__.pyi``. Each is imported when first used: ``import u2demo``
itself loads neither torch nor Pillow.
"""

import ast
import pkgutil

import lazy_loader

__version__ = "0.1.0"


def _public_names() -> tuple[set[str], dict[str, list[str]]]:
    """Return the rooms and, by module, the names that ``__init__.pyi`` imports.

    ``lazy_loader.attach_stub`` needs a file, which a package inside a zip does not have.
    """
    rooms: set[str] = set()
    names: dict[str, list[str]] = {}
    for line in ast.parse(pkgutil.get_data(__name__, "__init__.pyi")).body:
        if isinstance(line, ast.ImportFrom):
            found = [alias.name for alias in line.names]
            if line.module:
                names.setdefault(line.module, []).extend(found)
            else:
                rooms.update(found)
    return rooms, names


_imported, __dir__, __all__ = lazy_loader.attach(__name__, *_public_names())


def __getattr__(name: str) -> object:
    """Return a public name, and keep it: lazy_loader before 0.6 imports it at each use.

    Imports take locks, for which a process that is forked meanwhile waits for ever (Python 3.10).
    """
    value = _imported(name)
    globals()[name] = value
    return value
