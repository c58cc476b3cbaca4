"""The facts of this package: names, addresses and where the API reads its key."""

PACKAGE = "sample_client"
DISTRIBUTION = "sample-client"
VERSION = "0"
VENDOR = "Sample"
BASE_URL: str | None = "http://127.0.0.1"
"""The address of the API, None if every customer has another one."""
BASE_URL_VARIABLE: str | None = None
"""The environment variable that holds the address of one's own instance."""
BASE_PATH = ""
"""The path below the address of an instance."""
REGIONS: dict[str, str] = {}
"""The addresses of the API's regions, by name."""
KEY_VARIABLE: str | None = None
"""The environment variable that holds the key."""
KEY_HEADER = "Authorization"
KEY_PREFIX = "Bearer"
"""The word before the key in the header; empty if there is none."""
KEY_QUERY: str | None = None
"""The query parameter of the key; None if a header holds it."""
KEY_IS_BASE64 = False
"""True if the key is ``user:password`` and is sent in Base64."""
REQUEST_ID_FIELD: str | None = None
"""The property of every response body that identifies the request."""
