from tests.fixtures.control_plane import cloud as cloud
from tests.fixtures.usage import account as account
