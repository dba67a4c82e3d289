"""notebook -> a client that runs it and sees every reply.

By default nbclient waits in an event loop on the sockets on which it also answers Output widgets.
Such an answer may use up the one sign that the kernel's reply has come: both then wait until the
time is up (seen once in some hundred runs). A client that blocks asks the socket itself.
"""

from jupyter_client import KernelManager
from nbclient import NotebookClient


def client_of(notebook, **options):
    return NotebookClient(notebook, kernel_manager_class=KernelManager, **options)
