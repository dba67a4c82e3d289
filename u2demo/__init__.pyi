# The public names: this is the only list of them. Type checkers read it ("as" makes a name public),
# and __init__.py imports from it what is asked for.
from . import notebook as notebook
from . import portrait as portrait
from .effects import EFFECTS as EFFECTS
from .effects.background import blur_background as blur_background
from .effects.background import replace_background as replace_background
from .effects.boxes import crop as crop
from .effects.boxes import draw_box as draw_box
from .effects.canvas import place_on_canvas as place_on_canvas
from .effects.cutout import remove_background as remove_background
from .effects.light import highlight as highlight
from .figures import image_row as image_row
from .images.read import open_image as open_image
from .images.read import sample_images as sample_images
from .inference.correct import correct_mask as correct_mask
from .inference.predict import predict_mask as predict_mask
from .masks.adjust import adjust_mask as adjust_mask
from .masks.box import Box as Box
from .masks.box import bounding_box as bounding_box
from .masks.edges import refine_mask as refine_mask
from .masks.objects import split_objects as split_objects
from .masks.strokes import Stroke as Stroke
from .nets.load import load_model as load_model
from .pipeline import process as process
from .runs.run import process_folder as process_folder
from .runs.save import save as save
from .training.teach import fine_tune as fine_tune
from .video.read import open_video as open_video
from .video.run import process_video as process_video

__version__: str
