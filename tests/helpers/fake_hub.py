"""A small Hugging Face Hub on this machine: repositories, branches, commits, large files, tokens. A second server on
another port stands for the storage that large files go to and come from; it must never see a token."""

import base64
import hashlib
import json
import threading
from dataclasses import dataclass, field
from fnmatch import fnmatch
from http.server import ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import unquote

import yaml
from fake_http import Answer, Handler, Request, refused

LARGE = ("*.safetensors", "*.whl", "*.bin")
#: Token -> user and whether the user may write.
TOKENS = {"hf_" + "w" * 34: ("ada", True), "hf_" + "r" * 34: ("bob", False)}
WRITER, READER = TOKENS
#: Name and password that may stand in the address, as they stand there; they come as basic authorization.
CREDENTIALS = ("mirror-user", "s3cret-p%40ss")
BASIC = "Basic " + base64.b64encode(unquote(":".join(CREDENTIALS)).encode()).decode()
Files = dict[str, bytes]


class Commit(NamedTuple):
    """A commit of a repository: its hash, its message and all files after it."""

    sha: str
    message: str
    files: Files


@dataclass
class Repo:
    """A repository: the commits of each branch, oldest first."""

    name: str
    private: bool = False
    branches: dict[str, list[Commit]] = field(default_factory=dict)

    def commit(self, message: str, files: Files, branch: str = "main") -> Commit:
        """Add a commit to a branch, which begins as a copy of main."""
        commits = self.branches.setdefault(branch, list(self.branches.get("main", [])))
        seed = f"{self.name} {branch} {len(commits)} {sorted(files)}"
        commits.append(Commit(hashlib.sha1(seed.encode()).hexdigest(), message, files))
        return commits[-1]

    def find(self, revision: str) -> Commit:
        """RETURNS (Commit): What a branch or the hash of a commit stands for."""
        if revision in self.branches:
            return self.branches[revision][-1]
        found = [c for commits in self.branches.values() for c in commits if c.sha == revision]
        if not found:
            raise refused(404, "RevisionNotFound", f"Invalid rev id: {revision}")
        return found[0]


class FakeHub:
    """The Hub, to be used in a `with` block.

    repos (dict[str, Repo]): What is there.
    seen (list[Request]): All requests to the Hub; `seen_by_storage` those to the storage.
    status (dict[str, int]): Answers that have to be given instead: "METHOD pattern of the path" -> status.
    cut (str): Pattern of "METHOD path"; its connections are cut in the middle of what is sent or received.
    """

    def __init__(self) -> None:
        self.repos: dict[str, Repo] = {}
        self.stored: dict[str, bytes] = {}
        self.seen: list[Request] = []
        self.seen_by_storage: list[Request] = []
        self.unknown: list[str] = []
        self.status: dict[str, int] = {}
        self.cut = ""
        self.servers = [self._serve(self.seen, self.answer), self._serve(self.seen_by_storage, self.answer_storage)]
        self.url, self.storage_url = (f"http://127.0.0.1:{server.server_port}" for server in self.servers)

    def reset(self) -> None:
        """Forget everything, and behave."""
        for kept in (self.repos, self.stored, self.seen, self.seen_by_storage, self.unknown, self.status):
            kept.clear()
        self.cut = ""

    def __enter__(self) -> "FakeHub":
        for server in self.servers:
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *error: Any) -> None:
        for server in self.servers:
            server.shutdown()
            server.server_close()

    def _serve(self, seen: list[Request], answer: Any) -> ThreadingHTTPServer:
        def respond(request: Request) -> Answer:
            seen.append(request)
            for pattern, status in self.status.items():
                if fnmatch(request.line, pattern):
                    raise refused(status, "", "told to refuse")
            return answer(request)

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.respond, server.is_cut = respond, lambda line: bool(self.cut) and fnmatch(line, self.cut)
        return server

    def add(self, name: str, files: Files, *, private: bool = False) -> Repo:
        """Add a repository with one commit."""
        self.repos[name] = Repo(name, private)
        self.repos[name].commit("first", dict(files))
        return self.repos[name]

    def repo(self, name: str, request: Request, *, write: bool = False) -> Repo:
        """Find a repository for whoever asks, as the real Hub does: what one may not see is not there."""
        user = self.user(request)
        repo = self.repos.get(name)
        if repo is None or (repo.private and user is None):
            raise refused(404 if user else 401, "RepoNotFound", "Repository not found")
        if write and not (user and user[1]):
            raise refused(403, "", "You don't have the required permissions to perform this action")
        return repo

    def user(self, request: Request) -> tuple[str, bool] | None:
        """RETURNS (tuple[str, bool] | None): Whose token came with a request."""
        if request.token is None:
            return None
        if request.token == BASIC:
            return "ada", True
        if request.token not in TOKENS:
            raise refused(401, "", "Invalid credentials in Authorization header")
        return TOKENS[request.token]

    def answer(self, request: Request) -> Answer:
        """Answer a request to the Hub."""
        method, parts = request.method, request.parts
        match [method, *parts]:
            case ["GET", "api", "whoami-v2"]:
                user = self.user(request)
                if user is None:
                    raise refused(401, "", "Invalid username or password.")
                return Answer.of({"type": "user", "name": user[0], "orgs": [], "auth": {"type": "access_token"}})
            case ["POST", "api", "repos", "create"]:
                return self._create(request)
            case ["POST", "api", "validate-yaml"]:
                metadata = yaml.safe_load(request.json()["content"].split("---\n")[1])
                return Answer.of({"errors": [] if metadata else [{"message": "no metadata"}], "warnings": []})
            case ["GET", "api", "models", user, name]:
                return self._info(self.repo(f"{user}/{name}", request), "main")
            case ["GET", "api", "models", user, name, "revision", revision]:
                return self._info(self.repo(f"{user}/{name}", request), revision)
            case ["GET", "api", "models", user, name, "tree", revision]:
                files = self.repo(f"{user}/{name}", request).find(revision).files
                return Answer.of([self._entry(path, data) for path, data in files.items()])
            case ["POST", "api", "models", user, name, "branch", branch]:
                repo = self.repo(f"{user}/{name}", request, write=True)
                if branch in repo.branches:
                    raise refused(409, "", "Reference already exists")
                repo.branches[branch] = list(repo.branches["main"])
                return Answer.of({})
            case ["POST", "api", "models", user, name, "preupload", revision]:
                return self._modes(self.repo(f"{user}/{name}", request, write=True), revision, request)
            case ["POST", user, name, "info", "lfs", "objects", "batch"]:
                self.repo(f"{user}/{name.removesuffix('.git')}", request, write=True)
                return Answer.of({"transfer": "basic", "objects": [self._batch(o) for o in request.json()["objects"]]})
            case ["POST", "verify", oid]:
                if self.user(request) is None or oid not in self.stored:
                    raise refused(404, "", "not uploaded")
                return Answer.of({})
            case ["POST", "api", "models", user, name, "commit", revision]:
                return self._commit(self.repo(f"{user}/{name}", request, write=True), revision, request)
            case ["GET" | "HEAD", user, name, "resolve", revision, *path]:
                return self._resolve(self.repo(f"{user}/{name}", request), revision, "/".join(path))
        self.unknown.append(request.line)
        raise refused(404, "", f"the fake Hub does not know {request.line}")

    def answer_storage(self, request: Request) -> Answer:
        """Answer a request to the storage, which takes whoever has a signed address."""
        _, oid = request.parts
        if request.query.get("signature") != oid[:8]:
            raise refused(403, "", "not signed")
        if request.method == "PUT":
            if hashlib.sha256(request.body).hexdigest() != oid:
                raise refused(400, "", "not what was announced")
            self.stored[oid] = request.body
            return Answer(200, b"", {"ETag": f'"{oid}"'})
        return Answer(200, self.stored[oid], {"ETag": f'"{oid}"'})

    def _address(self, oid: str) -> str:
        return f"{self.storage_url}/file/{oid}?signature={oid[:8]}"

    def _create(self, request: Request) -> Answer:
        user, wanted = self.user(request), request.json()
        if user is None or not user[1]:
            raise refused(403, "", "You don't have the rights to create a model under this namespace")
        name = f"{wanted.get('organization') or user[0]}/{wanted['name']}"
        is_private = bool(wanted.get("private")) or wanted.get("visibility") == "private"
        if name in self.repos:
            raise refused(409, "", "You already created this model repo")
        self.add(name, {".gitattributes": b"*.safetensors filter=lfs\n"}, private=is_private)
        return Answer.of({"url": f"{self.url}/{name}", "name": name, "id": name})

    def _info(self, repo: Repo, revision: str) -> Answer:
        found = repo.find(revision)
        files = [{"rfilename": path} for path in found.files]
        facts = {"_id": "0", "id": repo.name, "modelId": repo.name, "sha": found.sha, "private": repo.private}
        return Answer.of({**facts, "siblings": files, "tags": [], "downloads": 0, "likes": 0, "disabled": False})

    def _entry(self, path: str, data: bytes) -> dict[str, Any]:
        entry: dict[str, Any] = {"type": "file", "path": path, "size": len(data), "oid": hashlib.sha1(data).hexdigest()}
        if is_large(path):
            entry["lfs"] = {"oid": hashlib.sha256(data).hexdigest(), "size": len(data), "pointerSize": 130}
        return entry

    def _modes(self, repo: Repo, revision: str, request: Request) -> Answer:
        files = repo.find(revision).files
        oids = {path: self._entry(path, data) for path, data in files.items()}
        modes = []
        for file in request.json()["files"]:
            entry = oids.get(file["path"], {})
            mode = {"uploadMode": "lfs" if is_large(file["path"]) else "regular", "shouldIgnore": False}
            modes.append({"path": file["path"], **mode, "oid": entry.get("lfs", entry).get("oid")})
        return Answer.of({"files": modes})

    def _batch(self, wanted: dict[str, Any]) -> dict[str, Any]:
        oid = wanted["oid"]
        actions = {"upload": {"href": self._address(oid)}, "verify": {"href": f"{self.url}/verify/{oid}"}}
        return {"oid": oid, "size": wanted["size"], **({} if oid in self.stored else {"actions": actions})}

    def _commit(self, repo: Repo, revision: str, request: Request) -> Answer:
        files, message = dict(repo.find(revision).files), ""
        for line in request.body.decode().splitlines():
            key, value = (json.loads(line)[name] for name in ("key", "value"))
            if key == "header":
                message = value["summary"]
            elif key == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif key == "lfsFile":
                files[value["path"]] = self.stored[value["oid"]]
            elif key == "deletedFile":
                del files[value["path"]]
        request_pull = "create_pr" in request.query
        made = repo.commit(message, files, "refs/pr/1" if request_pull else revision)
        answer = {"success": True, "commitOid": made.sha, "commitUrl": f"{self.url}/{repo.name}/commit/{made.sha}"}
        pull = {"pullRequestUrl": f"{self.url}/{repo.name}/discussions/1"} if request_pull else {}
        return Answer.of({**answer, **pull})

    def _resolve(self, repo: Repo, revision: str, path: str) -> Answer:
        found = repo.find(revision)
        headers = {"X-Repo-Commit": found.sha}
        if path not in found.files:
            raise refused(404, "EntryNotFound", "Entry not found", headers)
        data = found.files[path]
        if not is_large(path):
            return Answer(200, data, {**headers, "ETag": f'"{hashlib.sha1(data).hexdigest()}"'})
        oid = hashlib.sha256(data).hexdigest()
        self.stored[oid] = data
        linked = {"X-Linked-ETag": f'"{oid}"', "X-Linked-Size": str(len(data)), "Location": self._address(oid)}
        return Answer(302, b"", {**headers, **linked})


def is_large(path: str) -> bool:
    """RETURNS (bool): Whether a file goes to the storage."""
    return any(fnmatch(path, pattern) for pattern in LARGE)
