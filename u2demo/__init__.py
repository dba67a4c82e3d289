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

# lazy_loader.attach_stub needs a file, which a package inside a zip does not have.
_rooms, _names = set(), {}
for _line in ast.parse(pkgutil.get_data(__name__, "__init__.pyi")).body:
    if isinstance(_line, ast.ImportFrom):
        _found = [_alias.name for _alias in _line.names]
        if _line.module:
            _names.setdefault(_line.module, []).extend(_found)
        else:
            _rooms.update(_found)

__getattr__, __dir__, __all__ = lazy_loader.attach(__name__, _rooms, _names)
