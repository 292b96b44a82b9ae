"""Talks to a Madang node: Python 3.11, nothing but the standard library."""

from .api import *
from .client import Client as Client
from .client import MadangError as MadangError
from .client import all_items as all_items
from .client import request_token as request_token
from .client import url_of as url_of
