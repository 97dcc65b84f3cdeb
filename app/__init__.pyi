from .client.server import connect as connect
from .notebook.show import show as show
from .scripting.local import open as open
from .scripting.model import Model as Model
from .scripting.run import Run as Run

__version__: str
