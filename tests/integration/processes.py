"""Processes like Lambda's execution environments: each has its own session, and the code is imported once."""

import multiprocessing
import os
import sys
from multiprocessing import forkserver
from multiprocessing.context import ForkServerContext
from unittest import mock


def forked_from(module: str) -> ForkServerContext:
    """Return a context for processes that start with a module already imported."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([module])
    # The fork server imports the module once for all processes. It finds it only by PYTHONPATH.
    with mock.patch.dict(os.environ, PYTHONPATH=os.pathsep.join(sys.path)):
        forkserver.ensure_running()
    return context
