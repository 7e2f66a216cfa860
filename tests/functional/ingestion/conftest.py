from tests.fixtures.control_plane import cloud as cloud
from tests.fixtures.ingestion import library as library
