"""The REST API: the same calls on the same workspace as the pages make, over HTTP.

Each module here that has a `router` is a resource; `app.py` collects them. Nothing is computed
here, and no policy is decided: that is the workspace's.
"""
