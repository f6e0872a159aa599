"""The process of a test's object store: moto's server, which checks signatures and policies.

It reads one JSON command a line and answers each with a line. What it keeps survives `stop`.
"""

from __future__ import annotations

import base64
import json
import logging
import sys
import urllib.request
from typing import Any

import boto3
from moto.server import ThreadedMotoServer

REGION = "us-east-1"
POLICIES = {  # user -> what they may do
    "reader": [("s3:*", ["arn:aws:s3:::data", "arn:aws:s3:::data/*", "arn:aws:s3:::nowhere"])],
    "stranger": [("s3:ListAllMyBuckets", ["*"])],
    "admin": [("s3:*", ["*"])],
}


class Store:
    """A moto server, started and stopped on one port, and who may use it."""

    def __init__(self) -> None:
        self.port = 0
        self.server: ThreadedMotoServer | None = None
        self.start()
        self.keys = {user: self._user(user, rules) for user, rules in POLICIES.items()}
        for bucket in ("data", "other"):
            self._client("s3").create_bucket(Bucket=bucket)
        url = f"http://127.0.0.1:{self.port}/moto-api/reset-auth"
        plain = {"Content-Type": "text/plain"}  # a form would be read away
        urllib.request.urlopen(urllib.request.Request(url, b"0", plain)).close()

    def start(self) -> None:
        self.server = ThreadedMotoServer(ip_address="127.0.0.1", port=self.port, verbose=False)
        self.server.start()
        self.port = self.server.get_host_and_port()[1]

    def stop(self) -> None:
        if self.server is not None:
            self.server.stop()
            self.server = None

    def put(self, files: dict[str, str], bucket: str = "data") -> None:
        client = self._client("s3", *self.keys["admin"])
        for key, data in files.items():
            client.put_object(Bucket=bucket, Key=key, Body=base64.b64decode(data))

    def fill(self, prefix: str, count: int) -> None:
        """Put many small files, without asking the server for each."""
        from moto.s3.models import s3_backends

        backend = s3_backends["123456789012"]["aws"]
        for at in range(count):
            backend.put_object("data", f"{prefix}/{at:05}.csv", b"a,b\n1,2\n")

    def _client(self, service: str, key: str = "any", secret: str = "any") -> Any:
        return boto3.client(
            service,
            endpoint_url=f"http://127.0.0.1:{self.port}",
            aws_access_key_id=key,
            aws_secret_access_key=secret,
            region_name=REGION,
        )

    def _user(self, name: str, rules: list[tuple[str, list[str]]]) -> tuple[str, str]:
        iam = self._client("iam")
        iam.create_user(UserName=name)
        statements = [
            {"Effect": "Allow", "Action": action, "Resource": where} for action, where in rules
        ]
        document = json.dumps({"Version": "2012-10-17", "Statement": statements})
        iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=document)
        made = iam.create_access_key(UserName=name)["AccessKey"]
        return made["AccessKeyId"], made["SecretAccessKey"]


def main() -> None:
    logging.disable()
    store = Store()
    answer: Any = {"port": store.port, "keys": store.keys}
    while True:
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()
        line = sys.stdin.readline()
        if not line:
            return
        command = json.loads(line)
        answer = getattr(store, command.pop("do"))(**command)


if __name__ == "__main__":
    main()
