from tests.fixtures.control_plane import cloud as cloud
from tests.fixtures.shelf import shelf as shelf
