"""Lets requests and WebSockets through to the page's server, or refuses them: the gate's rules, tokens, and headers on every answer."""
from http.cookies import CookieError, SimpleCookie

from live.surface import gate

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
                               "manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}
ENTER = "/api/enter"                # where a token is shown for a cookie
PROTECTED = ("/ws", "/preview")     # and all below /api/
SINGLE = ("host", "origin", "sec-fetch-site", "sec-fetch-mode")


class Guard:
    """An ASGI application around another. names: this machine's; tokens: gate.Tokens; cookie: the name of the page's cookie.

    What passes has scope["role"]: "play" or "watch". refused: how many did not pass.
    """

    def __init__(self, app, names, tokens: gate.Tokens, cookie: str, scheme: str = "http"):
        self.app, self.names, self.tokens, self.cookie, self.scheme = app, names, tokens, cookie, scheme
        self.refused = 0

    async def __call__(self, scope, receive, send):
        """Answer one request or WebSocket, or hand it on."""
        if scope["type"] not in ("http", "websocket"):
            return await self.app(scope, receive, send)
        status, role = self.judge(scope)
        if status != gate.ALLOWED:
            self.refused += 1
            return await _refuse(scope, send, status)

        passed = {**scope, "role": role}
        if scope["type"] == "websocket":
            return await self.app(passed, receive, send)

        async def with_headers(message):
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *_HEADERS]
            await send(message)

        return await self.app(passed, receive, with_headers)

    def judge(self, scope) -> tuple[int, str]:
        """Return (status, role) for a request: 200 and its role, or why not."""
        found: dict[str, list[str]] = {}
        for name, value in scope["headers"]:
            found.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
        first = {name: values[0] for name, values in found.items()}
        asked = gate.Request(first.get("host"), first.get("origin"), first.get("sec-fetch-site"), first.get("sec-fetch-mode"),
                             scope.get("method", "GET"), scope["type"] == "websocket", self.find_token(scope, first),
                             any(len(found.get(name, ())) > 1 for name in SINGLE))
        status = gate.judge(asked, self.names, self.scheme)
        path = scope["path"]
        if status != gate.ALLOWED or path == ENTER or path not in PROTECTED and not path.startswith("/api/"):
            return status, ""
        return self.tokens.judge(asked.token, (scope.get("client") or ("",))[0])

    def find_token(self, scope, headers) -> str:
        """Return the token a request brings: in its cookie, or as a program does, in Authorization."""
        bearer = headers.get("authorization", "")
        if bearer.startswith("Bearer "):
            return bearer.removeprefix("Bearer ")
        try:
            cookies = SimpleCookie(headers.get("cookie", ""))
        except CookieError:
            return ""
        return cookies[self.cookie].value if self.cookie in cookies else ""


_HEADERS = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]


async def _refuse(scope, send, status):
    if scope["type"] == "websocket":
        return await send({"type": "websocket.close", "code": 1008, "reason": str(status)})
    body = b"refused\n"
    await send({"type": "http.response.start", "status": status,
                "headers": [(b"content-type", b"text/plain"), (b"content-length", str(len(body)).encode()), *_HEADERS]})
    await send({"type": "http.response.body", "body": body})
