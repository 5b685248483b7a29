"""Processes like Lambda's execution environments: each with a session of its own, over code that is imported once."""

import multiprocessing
import os
import sys
from multiprocessing import forkserver
from multiprocessing.context import ForkServerContext
from unittest import mock


def forked_from(module: str) -> ForkServerContext:
    """Where to make processes that begin with a module imported already."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([module])
    # The server that they are forked from imports the module, once for all of them, and is not told otherwise where to
    # find it.
    with mock.patch.dict(os.environ, PYTHONPATH=os.pathsep.join(sys.path)):
        forkserver.ensure_running()
    return context
