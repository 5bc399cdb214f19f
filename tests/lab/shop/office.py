"""`office`: where the staff press "send this month's statements". Django, on its own HTTP server.

`python -m shop.office`; ends on SIGTERM. Security checks and limits are Django's defaults.
"""

# mypy: disable-error-code="import-untyped"
# Django ships no types.

from __future__ import annotations

import http.client
import json
import logging
import signal
import sys
import threading
import uuid
from wsgiref.simple_server import WSGIServer

import django
from django.conf import settings as django_settings
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.urls import path

from .json_log import EcsFormatter
from .settings import Settings

log = logging.getLogger("shop.office")
BATCHER_WITHIN_S = 30.0


def form(request: HttpRequest) -> HttpResponse:
    """The page with the button."""
    return HttpResponse(f"<form><input value='{get_token(request)}'></form>")


def send(request: HttpRequest) -> HttpResponse:
    """Have statements sent: to the users named in the URL, or with POST to all who lack one."""
    users = request.GET.getlist("user")
    batch = uuid.uuid4().hex[:12]
    said = {"batch_id": batch}
    log.info("statements: sending begun for %s users", len(users) or "all", extra=said)
    batcher = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=BATCHER_WITHIN_S)
    try:
        batcher.request("POST", "/runs", json.dumps({"batch_id": batch, "users": users}))
        status = batcher.getresponse().status
    finally:
        batcher.close()
    log.info("statements: batcher answered %d", status, extra=said)
    return HttpResponse(status=202)


urlpatterns = [path("statements/", form), path("statements/send", send)]


def main() -> None:
    settings = Settings.from_environment()
    handler = logging.FileHandler(settings.log)
    handler.setFormatter(EcsFormatter(settings))
    for name in ("shop.office", "django.server", "django.request", "django.security.csrf"):
        logger = logging.getLogger(name)
        logger.setLevel(logging.INFO)
        logger.addHandler(handler)
        logger.propagate = False
    django_settings.configure(
        SECRET_KEY=uuid.uuid4().hex,
        ROOT_URLCONF=__name__,
        ALLOWED_HOSTS=["127.0.0.1"],
        LOGGING_CONFIG=None,
        MIDDLEWARE=["django.middleware.csrf.CsrfViewMiddleware"],
    )
    django.setup()
    address = ("127.0.0.1", settings.http_port)
    server: WSGIServer = ThreadedWSGIServer(address, WSGIRequestHandler)
    server.set_app(get_wsgi_application())
    log.info("listening on port %d", settings.http_port)
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    server.serve_forever()
    log.info("stopped")


if __name__ == "__main__":
    main()
