"""Find the subject of a photo with U²-Net, then cut it out, box, crop or highlight it.

    import u2demo as u2

    model = u2.load_model()
    image = u2.open_image("cat.jpeg")
    mask = u2.predict_mask(model, image)
    u2.remove_background(image, mask).save("cat.png")

The public names are listed in ``__init__.pyi``. Each is imported when first used: ``import u2demo``
itself loads neither torch nor Pillow.
"""

import lazy_loader

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
