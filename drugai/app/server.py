"""The routes of the app. This process loads no model and reads no molecule: jobs run in a process of their own."""

from __future__ import annotations

import contextlib
import json
import secrets
import shutil
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from drugai.app import limits
from drugai.app.asking import check_request
from drugai.app.guard import Guard
from drugai.app.jobs import JobStore
from drugai.app.pages import front_page, job_page, static_file
from drugai.app.runner import Runner
from drugai.app.shelf import find_models
from drugai.errors import ConfigError, DrugaiError
from drugai.molecules.formats import kind_of

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response


def build_app(root: str | Path, models: Sequence[str | Path], *, key: str, port: int, runner: Runner | None = None) -> Starlette:
    """The app as an ASGI application.

    Args:
        root: Folder of the jobs.
        models: Folders searched for models.
        key: What a browser must bring.
        port: That it is served on: part of the Host and Origin headers it answers to.
        runner: Of the jobs; by default one with a worker process.
    """
    from starlette.applications import Starlette
    from starlette.middleware import Middleware
    from starlette.routing import Route

    store = JobStore(root)
    routes = Routes(store, runner or Runner(store), tuple(models))
    hosts = frozenset(f"{name}:{port}" for name in ("127.0.0.1", "localhost", "[::1]"))

    @contextlib.asynccontextmanager
    async def life(_app: Starlette) -> AsyncIterator[None]:
        routes.runner.start()
        yield
        routes.runner.close()

    table = [
        Route("/", routes.front), Route("/jobs/{name}", routes.job), Route("/jobs/{name}/files/{file:path}", routes.file), Route("/static/{file}", routes.static),
        Route("/api/jobs/{name}", routes.state), Route("/api/jobs", routes.create, methods=["POST"]), Route("/api/files", routes.upload, methods=["POST"]),
        Route("/api/jobs/{name}/{deed}", routes.act, methods=["POST"]),
    ]  # fmt: skip
    guard = Middleware(Guard, hosts=hosts, key=key, cookie=f"drugai-{port}")
    return Starlette(routes=table, middleware=[guard], lifespan=life, exception_handlers={DrugaiError: _refused})


async def _refused(_request: Request, error: Exception) -> Response:
    from starlette.responses import JSONResponse

    return JSONResponse({"error": str(error)}, status_code=400)


class Routes:
    """What each address does."""

    def __init__(self, store: JobStore, runner: Runner, models: tuple[str | Path, ...]) -> None:
        self.store, self.runner, self.models = store, runner, models
        self.uploads = store.root / "uploads"

    async def front(self, _request: Request) -> Response:
        """The forms and the jobs."""
        from starlette.responses import HTMLResponse

        jobs = [self.store.read(name) for name in self.store.names()[: limits.KEPT_JOBS]]
        return HTMLResponse(front_page(find_models(self.models), jobs, [str(place) for place in self.models]))

    async def job(self, request: Request) -> Response:
        """One job: its progress, or its result."""
        from starlette.responses import HTMLResponse

        return HTMLResponse(job_page(self.store.read(request.path_params["name"])))

    async def state(self, request: Request) -> Response:
        """One job as JSON."""
        from starlette.responses import JSONResponse

        job = asdict(self.store.read(request.path_params["name"]))
        return JSONResponse({key: job[key] for key in ("id", "kind", "state", "done", "total", "words")})

    async def file(self, request: Request) -> Response:
        """A file that a job's result names; no other."""
        from starlette.responses import FileResponse

        name, wanted = request.path_params["name"], request.path_params["file"]
        job = self.store.read(name)
        page = str(job.result.get("page", ""))
        if wanted not in (page, *job.result.get("files", [])) or not wanted:
            raise ConfigError(f"job {name} has no file {wanted!r}")
        path = self.store.folder(name) / wanted
        if wanted == page and "download" not in request.query_params:
            return FileResponse(path, media_type="text/html; charset=utf-8", headers={"x-drugai-report": "1"})
        return FileResponse(path, filename=f"{job.kind}-{path.name}" if wanted != page else f"{job.kind}.html")

    async def static(self, request: Request) -> Response:
        """Style and scripts of the app itself."""
        from starlette.responses import Response

        text, media = static_file(request.path_params["file"])
        return Response(text, media_type=media)

    async def upload(self, request: Request) -> Response:
        """Keep a file's bytes until a job asks for them; its format is told by the name."""
        from starlette.responses import JSONResponse

        given = Path(request.query_params.get("name", "")).name
        kind_of(given)  # refuses a format that no reader takes
        suffixes = [part for part in Path(given).suffixes[-2:] if part.lower() in (".gz", *_SUFFIXES)]
        self.uploads.mkdir(exist_ok=True)
        target = self.uploads / (secrets.token_hex(8) + "".join(suffixes).lower())
        size = 0
        with open(target, "wb") as stream:
            async for part in request.stream():
                size += len(part)
                if size > limits.FILE_BYTES:
                    break
                stream.write(part)
        if size > limits.FILE_BYTES:
            target.unlink()
            return JSONResponse({"error": f"the file has more than {limits.FILE_BYTES:,} bytes; the command line takes files of any size"}, status_code=413)
        return JSONResponse({"file": target.name})

    async def create(self, request: Request) -> Response:
        """Check a request and put it into the queue."""
        from starlette.responses import JSONResponse

        body = b""
        async for part in request.stream():
            body += part
            if len(body) > 2 * limits.TEXT_BYTES:
                return JSONResponse({"error": f"the request is larger than {limits.TEXT_BYTES:,} bytes: put the molecules into a file"}, status_code=413)
        try:
            given = json.loads(body)
            kind = given.pop("kind")
        except (ValueError, AttributeError, KeyError, TypeError):
            raise ConfigError("the request is not JSON with a kind") from None
        asked = check_request(str(kind), given, find_models(self.models))
        uploaded = self._uploaded(asked.get("file", ""))
        job = self.store.create(str(kind), asked)
        if uploaded is not None:
            shutil.move(uploaded, self.store.folder(job.id) / uploaded.name)
        self.runner.submit(job.id)
        return JSONResponse({"id": job.id}, status_code=201)

    async def act(self, request: Request) -> Response:
        """Stop a job, start it again, or remove it."""
        from starlette.responses import JSONResponse

        name, deed = request.path_params["name"], request.path_params["deed"]
        job = self.store.read(name)
        if deed == "stop":
            self.runner.stop(name)
        elif deed in ("again", "remove") and not job.is_over:
            raise ConfigError(f"job {name} is {job.state}; stop it first")
        elif deed == "again":
            self.runner.submit(name)
        elif deed == "remove":
            self.store.remove(name)
        else:
            raise ConfigError(f"{deed!r} cannot be done to a job; stop, again and remove can")
        return JSONResponse({"id": name})

    def _uploaded(self, name: Any) -> Path | None:
        if not name:
            return None
        found = self.uploads / Path(str(name)).name
        if not found.is_file():
            raise ConfigError("the uploaded file is not there any more; choose it again")
        return found


_SUFFIXES = (".smi", ".smiles", ".ism", ".txt", ".csv", ".tsv", ".tab", ".sdf", ".sd", ".mol", ".parquet", ".pq")
