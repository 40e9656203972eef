"""The video clips, byte ranges and file types that downloads and uploads need.

May import `screentest.specs` and the kernel. Reads packaged files; knows no worlds and no HTTP.
"""
