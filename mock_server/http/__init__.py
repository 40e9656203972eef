"""Sockets, threads, Flask and wall time: everything between a connection and the pipeline.

May import every layer below. `app` and `server` put the parts together; `control/` is the control
API. Rules about worlds, money or jobs do not belong here.
"""
