import boto3
from lisa.serve_image.store import S3SourceStore
from moto import mock_aws


@mock_aws
def test_the_archive_lies_where_codebuild_looks() -> None:
    s3 = boto3.client("s3", region_name="us-east-1")
    s3.create_bucket(Bucket="work")
    assert S3SourceStore(s3, "work").put("serve-image/1.zip", b"zip") == "work/serve-image/1.zip"
    assert s3.get_object(Bucket="work", Key="serve-image/1.zip")["Body"].read() == b"zip"
