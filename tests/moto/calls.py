"""The calls that are compared: plain creating, reading, listing, tagging and deleting, with the same input to both sides."""

import datetime
import json
import time

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

BUCKET = "crosscheck"
POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "cloudfront.amazonaws.com"},
            "Action": "s3:GetObject",
            "Resource": f"arn:aws:s3:::{BUCKET}/*",
        }
    ],
}
DISTRIBUTION = {
    "CallerReference": "crosscheck-1",
    "Comment": "a comparison",
    "Enabled": True,
    "Origins": {
        "Quantity": 1,
        "Items": [
            {
                "Id": "site",
                "DomainName": "origin.example.net",
                "CustomOriginConfig": {
                    "HTTPPort": 80,
                    "HTTPSPort": 443,
                    "OriginProtocolPolicy": "https-only",
                    "OriginSslProtocols": {"Quantity": 1, "Items": ["TLSv1.2"]},
                },
            }
        ],
    },
    "DefaultCacheBehavior": {
        "TargetOriginId": "site",
        "ViewerProtocolPolicy": "redirect-to-https",
        "MinTTL": 0,
        "ForwardedValues": {
            "QueryString": True,
            "Cookies": {"Forward": "all"},
            "Headers": {"Quantity": 1, "Items": ["Host"]},
        },
    },
}


def all_calls(side):
    """Makes every call at one side; what is answered is recorded there."""
    side.sts.get_caller_identity()
    certificates(side.iam)
    objects(side.s3)
    records(side.route53, side.zone)
    distribution(side)
    controls(side.cloudfront)


def certificates(iam):
    body, key, chain = certificates_of_a_site()
    name = {"ServerCertificateName": "crosscheck"}
    iam.upload_server_certificate(
        **name,
        Path="/cloudfront/crosscheck/",
        CertificateBody=body,
        CertificateChain=chain,
        PrivateKey=key,
        Tags=[{"Key": "instance", "Value": "one"}],
    )
    iam.get_server_certificate(**name)
    iam.list_server_certificates(PathPrefix="/cloudfront/crosscheck/")
    iam.delete_server_certificate(**name)
    refused(lambda: iam.get_server_certificate(ServerCertificateName="nobody"))
    refused(lambda: iam.delete_server_certificate(ServerCertificateName="nobody"))


def objects(s3):
    place = {"Bucket": BUCKET, "Key": "folder/token"}
    s3.create_bucket(Bucket=BUCKET)
    s3.head_bucket(Bucket=BUCKET)
    s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(POLICY))
    s3.get_bucket_policy(Bucket=BUCKET)
    s3.put_object(**place, Body=b"token.thumbprint", ContentType="application/octet-stream", CacheControl="no-store")
    s3.get_object(**place)
    s3.head_object(**place)
    s3.list_objects_v2(Bucket=BUCKET, Prefix="folder/")
    s3.delete_object(**place)
    refused(lambda: s3.get_object(**place))
    refused(lambda: s3.head_object(**place))
    refused(lambda: s3.list_objects_v2(Bucket="nobody-has-this-bucket"))


def records(route53, zone):
    def change(action, kind, value):
        record = {"Name": f"{kind.lower()}.{zone.name}", "Type": kind, "TTL": 60, "ResourceRecords": [{"Value": value}]}
        batch = {"Comment": "a comparison", "Changes": [{"Action": action, "ResourceRecordSet": record}]}
        return route53.change_resource_record_sets(HostedZoneId=zone.id, ChangeBatch=batch)

    change("UPSERT", "TXT", '"value"')
    made = change("UPSERT", "CNAME", "target.example.net.")
    route53.get_change(Id=made["ChangeInfo"]["Id"])
    route53.list_resource_record_sets(HostedZoneId=zone.id)
    route53.get_hosted_zone(Id=zone.id)
    route53.list_hosted_zones()
    route53.list_hosted_zones_by_name(DNSName=zone.name)
    change("DELETE", "TXT", '"value"')
    refused(lambda: route53.get_hosted_zone(Id="Z00000000000000000000"))


def distribution(side):
    cloudfront = side.cloudfront
    tags = {"Items": [{"Key": "instance", "Value": "one"}]}
    made = cloudfront.create_distribution_with_tags(
        DistributionConfigWithTags={"DistributionConfig": DISTRIBUTION, "Tags": tags}
    )["Distribution"]
    refused(lambda: cloudfront.create_distribution(DistributionConfig=DISTRIBUTION))
    cloudfront.list_distributions()
    cloudfront.list_tags_for_resource(Resource=made["ARN"])
    cloudfront.tag_resource(Resource=made["ARN"], Tags={"Items": [{"Key": "space", "Value": "two"}]})
    cloudfront.untag_resource(Resource=made["ARN"], TagKeys={"Items": ["space"]})
    purge(cloudfront, made["Id"])
    read = cloudfront.get_distribution_config(Id=made["Id"])
    config = read["DistributionConfig"] | {"Enabled": False}
    cloudfront.update_distribution(Id=made["Id"], IfMatch=read["ETag"], DistributionConfig=config)
    until_deployed(side, made["Id"])
    tag = cloudfront.get_distribution(Id=made["Id"])["ETag"]
    cloudfront.delete_distribution(Id=made["Id"], IfMatch=tag)
    refused(lambda: cloudfront.get_distribution(Id=made["Id"]))


def purge(cloudfront, distribution_id):
    batch = {"Paths": {"Quantity": 1, "Items": ["/*"]}, "CallerReference": "crosscheck-1"}
    made = cloudfront.create_invalidation(DistributionId=distribution_id, InvalidationBatch=batch)["Invalidation"]
    cloudfront.get_invalidation(DistributionId=distribution_id, Id=made["Id"])
    cloudfront.list_invalidations(DistributionId=distribution_id)


def controls(cloudfront):
    config = {
        "Name": "crosscheck",
        "SigningProtocol": "sigv4",
        "SigningBehavior": "always",
        "OriginAccessControlOriginType": "s3",
    }
    made = cloudfront.create_origin_access_control(OriginAccessControlConfig=config)
    control = made["OriginAccessControl"]["Id"]
    read = cloudfront.get_origin_access_control(Id=control)
    cloudfront.list_origin_access_controls()
    cloudfront.delete_origin_access_control(Id=control, IfMatch=read["ETag"])


def until_deployed(side, distribution_id, bound=60):
    """Waits until a change is everywhere. Only the answer that says so is compared."""
    for _ in range(bound * 10):
        with side.unrecorded():
            if side.cloudfront.get_distribution(Id=distribution_id)["Distribution"]["Status"] == "Deployed":
                return
        time.sleep(0.1)
    raise TimeoutError(f"{side.name}: {distribution_id} was never deployed")


def refused(call):
    """A call that must be refused; the refusal is compared."""
    try:
        call()
    except Exception as error:  # noqa: BLE001 - botocore makes its classes at run time
        if hasattr(error, "response"):
            return
        raise
    raise AssertionError("a call that must be refused has succeeded")


def certificates_of_a_site():
    """A certificate, its key, and the certificate of who has issued it, in PEM."""
    issuer_key, key = (rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2))
    issuer = signed("Crosscheck Issuer", issuer_key, "Crosscheck Issuer", issuer_key, authority=True)
    leaf = signed("www.example.org", key, "Crosscheck Issuer", issuer_key, authority=False)
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return leaf.public_bytes(pem).decode(), private.decode(), issuer.public_bytes(pem).decode()


def signed(subject, key, issuer, issuer_key, authority):
    name = lambda text: x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])  # noqa: E731
    now = datetime.datetime.now(datetime.timezone.utc)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name(subject))
        .issuer_name(name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + datetime.timedelta(days=90))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    )
    if not authority:
        names = x509.SubjectAlternativeName([x509.DNSName(subject)])
        builder = builder.add_extension(names, critical=False)
    return builder.sign(issuer_key, hashes.SHA256())
