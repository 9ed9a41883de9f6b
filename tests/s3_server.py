"""A real S3 of a test run's own, by moto."""

import importlib.util
import socket
import subprocess
import sys
import time
import urllib.request
from itertools import count

MISSING = [name for name in ("moto", "obstore") if importlib.util.find_spec(name) is None]


class S3Server:
    """A server that keeps buckets in its memory, each test's its own."""

    def __init__(self):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.endpoint, self.numbers, self.process = f"http://127.0.0.1:{self.port}", count(), None

    @property
    def options(self):
        return {
            "endpoint": self.endpoint,
            "region": "us-east-1",
            "allow_http": True,
            "access_key_id": "testing",
            "secret_access_key": "testing-secret",
            "proxy_excludes": "127.0.0.1",
        }

    def start(self):
        command = [sys.executable, "-W", "ignore", "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(600):
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                time.sleep(0.05)
            else:
                return
        raise RuntimeError("moto has not started")

    def stop(self):
        self.process.kill()
        self.process.wait()

    def new_bucket(self):
        """Make a bucket; return the address of a place in it, and the options that lead there."""
        name = f"bucket{next(self.numbers)}"
        request = urllib.request.Request(f"{self.endpoint}/{name}", method="PUT")
        urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request).close()
        return f"s3://{name}/july", self.options

    def store(self, address):
        from toapis_async.storage.files.bucket_stores import store_at

        return store_at(address, self.options)

    def names(self, address):
        import obstore

        listed = [meta["path"] for page in obstore.list(self.store(address)) for meta in page]
        return sorted(name.removeprefix("july/") for name in listed)

    def put(self, address, name, content):
        import obstore

        if content is None:
            obstore.delete(self.store(address), name)
        else:
            obstore.put(self.store(address), name, content)

    def read(self, address, name):
        import obstore

        return bytes(obstore.get(self.store(address), name).bytes())

    def uploads(self, address):
        """Return what was begun in parts and never ended."""
        import boto3

        options = self.options
        client = boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            region_name=options["region"],
            aws_access_key_id=options["access_key_id"],
            aws_secret_access_key=options["secret_access_key"],
        )
        try:
            return client.list_multipart_uploads(Bucket=address.split("/")[2]).get("Uploads", [])
        finally:
            client.close()
