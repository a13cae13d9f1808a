"""unpack-wheels.py FROM TO: unpacks every wheel in a folder. Python's own extractall leaves out who may execute a file."""
import os
import pathlib
import sys
import zipfile

for wheel in pathlib.Path(sys.argv[1]).glob("*.whl"):
    with zipfile.ZipFile(wheel) as archive:
        for entry in archive.infolist():
            path = archive.extract(entry, sys.argv[2])
            mode = (entry.external_attr >> 16) & 0o777
            if mode:
                os.chmod(path, mode)
