"""Sessions of the mock: recorded into a file that people can read, and served from it again.

``message`` decodes a request for both, ``masking`` hides secrets and fills them in, ``session_file`` is the format,
``recorder`` writes a session, ``replayer`` serves one.
"""
