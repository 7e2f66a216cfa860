from tests.fixtures.control_plane import cloud as cloud
