"""One small API whose key travels in each form that a contract can give it, as contracts of data alone."""

from tests.support.resource_contracts import MadeApi

CLIENT = "made-client:made_secret_0123456789"
_BEARER = '[[places]]\nname = "bearer"\nheader = "Authorization"\nform = "Bearer {}"\n'
_QUERY = '[[places]]\nname = "query"\nquery = "api_key"\nform = "{}"\n'
_BASIC = '[[places]]\nname = "basic"\nheader = "Authorization"\nform = "Basic {}"\nencoding = "base64"\n'
_OAUTH = {
    "type": "oauth2",
    "flows": {"clientCredentials": {"tokenUrl": "https://api.made.example/oauth/token", "scopes": {}}},
}

FORMS: dict[str, MadeApi] = {
    "madequery": MadeApi(places=_QUERY, security={"type": "apiKey", "in": "query", "name": "api_key"}),
    "madeboth": MadeApi(places=_BEARER + _QUERY),
    "madebasic": MadeApi(places=_BASIC, key=CLIENT, security={"type": "http", "scheme": "basic"}),
    "madetoken": MadeApi(places=_BEARER, key=CLIENT, security=_OAUTH, extra='[token]\npath = "/oauth/token"\n'),
    "madebody": MadeApi(places=_BEARER, key=CLIENT, security=_OAUTH, extra='[token]\npath = "/v1/token"\nauth = "body"\nscope = "things.read things.write"\n'),
}  # fmt: skip
"""The API by the slug of its contract."""
