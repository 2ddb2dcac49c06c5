"""The study: settings and a store, and the way of the data between them. Chapters start here.

corpora -> faces -> template -> arms -> scores. What has settings and a store lives in this room; every other room
takes plain arguments.
"""

from .study import Study

__all__ = ["Study"]
