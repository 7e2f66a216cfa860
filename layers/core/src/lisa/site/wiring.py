"""Builds what serves and what publishes the page, from the settings of this process."""

import time
from functools import cache

from pydantic import Field

from lisa import aws
from lisa.settings import Settings
from lisa.site.service import Site
from lisa.site.store import S3SiteStore


class SiteSettings(Settings):
    site_bucket: str = Field(min_length=3)


def store() -> S3SiteStore:
    return S3SiteStore(aws.client("s3"), SiteSettings.load().site_bucket)


@cache
def site() -> Site:
    """One per process: its memory is the point."""
    return Site(store(), time.time)
