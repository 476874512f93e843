"""A listener on loopback that remembers whoever came, and answers what a test wants."""

import socketserver
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Canary:
    """What came in.

    Attributes:
        url: Its address.
        visits: The head of every request, one for each connection; empty for one that said nothing.
    """

    url: str
    port: int
    visits: list[bytes] = field(default_factory=list[bytes])


def reply(status: str, body: bytes = b"", **headers: str) -> bytes:
    """An HTTP answer, whole."""
    lines = [f"HTTP/1.1 {status}", "Connection: close", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@contextmanager
def canary(answer: bytes = reply("404 Not Found")) -> Generator[Canary]:
    """Listen on a free port for as long as the body runs."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.settimeout(5)
            place = len(bird.visits)
            bird.visits.append(b"")
            head = b""
            try:
                while b"\r\n\r\n" not in head and (more := self.request.recv(65_536)):
                    head += more
                bird.visits[place] = head
                self.request.sendall(answer)
            except OSError:
                return  # it went away again; that it came is what counts

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    with Server(("127.0.0.1", 0), Handler) as server:
        port = server.server_address[1]
        bird = Canary(f"http://127.0.0.1:{port}", port)
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield bird
        finally:
            server.shutdown()
            thread.join()
