"""Serves a folder on a port of the loopback interface, which it prints. Of a file NAME with a NAME.cut beside it, it
announces the whole length and closes the connection after half.

Usage: fake_mirror.py FOLDER
"""

import functools
import http.server
import pathlib
import sys


class Handler(http.server.SimpleHTTPRequestHandler):
    def copyfile(self, source, outputfile):
        path = pathlib.Path(self.translate_path(self.path))
        if not path.with_name(path.name + ".cut").exists():
            super().copyfile(source, outputfile)
            return
        outputfile.write(source.read(path.stat().st_size // 2))
        self.close_connection = True

    def log_message(self, *_):
        pass


with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=sys.argv[1])) as server:
    print(server.server_port, flush=True)
    server.serve_forever()
