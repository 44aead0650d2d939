"""Files and folders that are written completely or not at all.

An interrupted program, a full disk or a power failure never leaves half a result. New content is
written under a temporary name in the same folder, forced to the disk, then renamed to its final
name. Only what Unwarp wrote is replaced: a folder with the mark of a model and no other file, or a
plain file that the work does not read.
"""
