//! Every variable that there is. What is not here cannot be read; what is here and not read fails a test;
//! `docs/CONFIGURATION.md` is written from it (`UPDATE_DOCS=1 cargo test -p cdn-broker configuration_md`).

/// Variables that belong together, under a heading of their own in the documentation.
pub(crate) struct Group {
    pub(crate) title: &'static str,
    pub(crate) variables: &'static [Variable],
}

/// One variable.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Variable {
    /// Without the prefix `CDN_`.
    pub(crate) name: &'static str,
    pub(crate) default: Unset,
    /// Whether its value must never be shown.
    pub(crate) secret: bool,
    /// What it is, in Markdown; goes on after "it is".
    pub(crate) text: &'static str,
}

/// What holds when a variable is not set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unset {
    /// Nothing works without it.
    Required,
    /// There is none then.
    Nothing,
    /// As if it had this value.
    Value(&'static str),
    /// Something that depends, in Markdown.
    Words(&'static str),
}

/// A row: `variable("NAME", "what it is").required()`, `.default("value")`, `.secret()`.
const fn variable(name: &'static str, text: &'static str) -> Variable {
    Variable { name, default: Unset::Nothing, secret: false, text }
}

impl Variable {
    const fn required(self) -> Self {
        Self { default: Unset::Required, ..self }
    }

    const fn default(self, value: &'static str) -> Self {
        Self { default: Unset::Value(value), ..self }
    }

    const fn otherwise(self, words: &'static str) -> Self {
        Self { default: Unset::Words(words), ..self }
    }

    const fn secret(self) -> Self {
        Self { secret: true, ..self }
    }
}

/// The row of a name, if there is one.
pub(crate) fn find(name: &str) -> Option<&'static Variable> {
    all().find(|variable| variable.name == name)
}

/// Every row, in the order of the documentation.
pub(crate) fn all() -> impl Iterator<Item = &'static Variable> {
    GROUPS.iter().flat_map(|group| group.variables)
}

/// The table. Add a row where it belongs, read it through the `Reader`, and write the documentation anew (see above).
pub(crate) const GROUPS: &[Group] = &[
    Group { title: "The API", variables: API },
    Group { title: "The database", variables: DATABASE },
    Group { title: "Bound services", variables: BINDINGS },
    Group { title: "The certificate authority", variables: AUTHORITY },
    Group { title: "AWS", variables: AWS },
    Group { title: "Proofs of control", variables: PROOFS },
    Group { title: "The service", variables: SERVICE },
    Group { title: "Alerts", variables: ALERTS },
    Group { title: "Metrics", variables: METRICS },
    Group { title: "Checks", variables: CHECKS },
    Group { title: "The platform", variables: PLATFORM },
    Group { title: "Logs", variables: LOGS },
];

const API: &[Variable] = &[
    variable("PORT", "where the API listens").default("3000"),
    variable("BIND_ADDRESS", "the address on which it listens").default("0.0.0.0"),
    variable("BROKER_USERNAME", "the name that the platform uses; not needed with `BROKER_CREDENTIALS`")
        .required(),
    variable("BROKER_PASSWORD", "the password that the platform uses").required().secret(),
    variable(
        "BROKER_CREDENTIALS",
        "more pairs of them, for rotation: `user:password,user:password`; alone it is enough",
    )
    .secret(),
    variable(
        "PUBLIC_URL",
        "where browsers find this broker, `https://HOST`: each service instance has a page there, which the platform shows as \
         its `dashboard_url`; `none` for no pages. Set another one, and existing instances learn of it with their next update",
    )
    .otherwise("the origin of `CHALLENGE_URL` if that is `https`, else `none`"),
    variable(
        "DASHBOARD_CLIENT_ID",
        "the id of a client that the platform makes in its UAA when it reads the catalog, unique there, such as `cdn-pages`: with it, \
         and with `API_ADDRESS` and `PUBLIC_URL`, users are signed on to pages by the platform instead of by a link",
    ),
    variable("DASHBOARD_CLIENT_SECRET", "its secret, made up by you").secret(),
    variable(
        "TLS_CERT",
        "a PEM file with the API's own certificate and those above it. With it and `TLS_KEY` the API speaks TLS and nothing else; \
         without them it speaks plain HTTP, and TLS ends at the router before it. Files that are replaced are taken up within \
         ten seconds, or at SIGHUP",
    ),
    variable("TLS_KEY", "a PEM file with the private key of `TLS_CERT`, not encrypted"),
];

const DATABASE: &[Variable] = &[
    variable(
        "DATABASE_URL",
        "where everything is kept: `sqlite://FILE`, or `postgres://USER:PASSWORD@HOST/DATABASE`, in which everything lives \
         in the schema `cdn_broker`",
    )
    .required()
    .secret(),
    variable(
        "DATABASE_ENCRYPTION_KEYS",
        "what private keys are sealed with: `name:BASE64-OF-32-BYTES,…`; the first seals, all open. Make one with \
         `openssl rand -base64 32`",
    )
    .required()
    .secret(),
];

const BINDINGS: &[Variable] = &[
    variable("VCAP_SERVICES", "what Cloud Foundry sets: the services that are bound to the app").secret(),
    variable(
        "VCAP_SERVICES_FILE_PATH",
        "the file with the same, where the app has the feature `file-based-vcap-services`",
    ),
    variable(
        "SERVICE_BINDING_ROOT",
        "the folder with a folder for each binding and a file for each key in it, where the app has the feature \
         `service-binding-k8s`, or on Kubernetes (servicebinding.io)",
    ),
    variable(
        "DATABASE_SERVICE",
        "the name of the bound service that is the database, when `DATABASE_URL` is not set and several are PostgreSQL",
    ),
];

const AUTHORITY: &[Variable] = &[
    variable("EMAIL", "the contact of the ACME account, to which the authority may write").required(),
    variable(
        "ACME_URL",
        "the directory of the certificate authority, for Let's Encrypt `https://acme-v02.api.letsencrypt.org/directory`",
    )
    .required(),
    variable("ACME_ROOT_CA", "a PEM file with the roots to trust for the authority's own TLS")
        .otherwise("system roots"),
    variable("ACME_EAB_KID", "the key id of external account binding, where the authority wants it"),
    variable("ACME_EAB_HMAC_KEY", "the key that goes with it, as the authority gives it (base64url)").secret(),
    variable(
        "ACME_PROFILE",
        "the certificate profile to ask for, such as Let's Encrypt's `classic`, `tlsserver` or `shortlived`. Under the last \
         two the authority's proofs die after an hour, so durable proofs come first (next line)",
    ),
    variable(
        "ACME_DURABLE_FIRST",
        "whether an order is placed only after something that stays has been seen working for each of its domains: a managed \
         name, a redirect, a delegation, or the CDN itself. Users are not offered TXT records then, and wait without the \
         authority being asked for anything. `always`, `never`, or by default with the profiles `tlsserver` and `shortlived`. \
         Needs `CHALLENGE_URL` or `MANAGED_ZONE`; wildcards need `MANAGED_ZONE`",
    )
    .default("by-profile"),
    variable(
        "ACME_LIMITS",
        "whose rate limits are kept account of, so that nobody runs into them: `letsencrypt`, `letsencrypt-staging`, `none`; \
         by default those of the directory's host, and none for an unknown one. What the authority says when it refuses is \
         obeyed in any case",
    )
    .default("by-directory"),
    variable("CERTIFICATE_KEY_TYPE", "the kind of keys: `rsa2048` or `p256`").default("rsa2048"),
];

const AWS: &[Variable] = &[
    variable("BUCKET", "the S3 bucket of the challenge answers").required(),
    variable("IAM_PATH_PREFIX", "where certificates are kept: under `/cloudfront/PREFIX/`")
        .default("letsencrypt"),
    variable("SERVER_SIDE_ENCRYPTION", "how S3 is asked to encrypt challenge answers: `AES256`, `aws:kms`"),
    variable(
        "LOG_BUCKET",
        "the S3 bucket of access logs; with it users may ask for `logging`. See [OPERATIONS.md](OPERATIONS.md)",
    ),
    variable(
        "WAF_WEB_ACL_ARN",
        "the web ACL of the plan that has one: `arn:aws:wafv2:us-east-1:ACCOUNT:global/webacl/NAME/ID`. The challenge path \
         must pass it: see [OPERATIONS.md](OPERATIONS.md)",
    ),
    variable(
        "AWS_ACCESS_KEY_ID",
        "the key of the broker's AWS user. Without it the AWS SDK looks where it always does: profiles and instance roles work",
    ),
    variable("AWS_SECRET_ACCESS_KEY", "the secret that goes with it").secret(),
    variable("AWS_SESSION_TOKEN", "what temporary credentials need besides").secret(),
    variable("AWS_REGION", "the region of the bucket")
        .otherwise("`AWS_DEFAULT_REGION`, the profile's, `us-east-1`"),
    variable("AWS_DEFAULT_REGION", "the same, when `AWS_REGION` is not set"),
    variable("AWS_ENDPOINT_URL", "for laboratories: where all of AWS is, instead of at AWS's own hosts"),
    variable(
        "AWS_ENDPOINT_URL_CLOUDFRONT",
        "for laboratories: where CloudFront is, whatever `AWS_ENDPOINT_URL` says",
    ),
    variable("AWS_ENDPOINT_URL_IAM", "for laboratories: the same for IAM"),
    variable("AWS_ENDPOINT_URL_S3", "for laboratories: the same for S3"),
    variable("AWS_ENDPOINT_URL_ROUTE_53", "for laboratories: the same for Route 53"),
    variable("AWS_ENDPOINT_URL_STS", "for laboratories: the same for STS, which only `config check` calls"),
];

const PROOFS: &[Variable] = &[
    variable(
        "CHALLENGE_URL",
        "where this broker is reached from outside, with `/.well-known/acme-challenge` behind it: \
         `https://BROKER/.well-known/acme-challenge`, on port 80 or 443. Users can then prove a domain by redirecting its \
         challenge path there; the broker answers without credentials, and only open challenges",
    ),
    variable(
        "MANAGED_ZONE",
        "`ZONE-NAME:ROUTE-53-ID`, a hosted zone for this broker alone. Users can then delegate `_acme-challenge.NAME` to it, \
         once and for ever",
    ),
    variable(
        "CHALLENGE_HOST",
        "a host that takes requests for **any** name on port 80 and redirects `/.well-known/acme-challenge/TOKEN` to \
         `CHALLENGE_URL/HOST/TOKEN` (302), for example by a load balancer's default rule; the platform's own router does not. \
         Needs the two above. Users can then make `NAME` itself a CNAME into the managed zone, once and for ever",
    ),
    variable(
        "DNS_RESOLVERS",
        "`IP` or `IP:PORT`, several with commas: who resolves names when the broker looks for a proof. They should validate \
         DNSSEC, as the authority's do",
    )
    .otherwise("the system's"),
    variable("PROOF_DNS_PORT", "for laboratories: the port of the world's name servers").default("53"),
    variable("PROOF_HTTP_PORT", "for laboratories: the port of the world's sites").default("80"),
    variable("PROOF_HTTPS_PORT", "for laboratories: the same over TLS").default("443"),
    variable(
        "PROOF_ALLOW_PRIVATE_ADDRESSES",
        "for laboratories: `true` lets the broker look for proofs at private and loopback addresses. Anybody who may create \
         a service could then make the broker talk to your internal network",
    )
    .default("false"),
];

const SERVICE: &[Variable] = &[
    variable(
        "CATALOG_FILE",
        "a JSON file with the services and plans to offer instead of the built-in ones: see [CATALOG.md](CATALOG.md)",
    ),
    variable("DEFAULT_ORIGIN", "the host that content comes from when the user does not say").required(),
    variable(
        "PROVISION_PROOF_WAIT",
        "how long a user may take to prove their domains; less than the platform's seven days",
    )
    .default("6d"),
    variable(
        "UPDATE_PROOF_WAIT",
        "how long an update waits for its user to prove the domains it adds, because the platform lets nobody change or \
         delete the instance meanwhile; then it fails, nothing has changed, and the same update goes on where it stopped",
    )
    .default("1h"),
    variable("DEPLOYMENT_POLL", "how often to ask whether a distribution is deployed, at first").default("15s"),
    variable(
        "RECONCILE_EVERY",
        "how often one broker compares the store with CloudFront, IAM, S3 and Route 53, or `never`: see \
         [OPERATIONS.md](OPERATIONS.md)",
    )
    .default("1d"),
    variable("RECONCILE_FIX", "`true`: what then differs is mended too, as by `cdn-broker reconcile --fix`")
        .default("false"),
    variable("STEP_TIMEOUT", "how long one step may run; a lease lasts twice that and five seconds").default("45s"),
];

const ALERTS: &[Variable] = &[
    variable(
        "ALERT_WEBHOOK_URL",
        "where alerts are posted, besides the log: see [ALERTS.md](ALERTS.md). Redirects are not followed",
    )
    .secret(),
    variable("ALERT_WEBHOOK_FORMAT", "what is posted: `json`, or `slack` for a chat message as Slack and others take it")
        .default("json"),
    variable("ALERT_WEBHOOK_TOKEN", "a token to send along: `Authorization: Bearer TOKEN`").secret(),
    variable(
        "ALERT_WEBHOOK_SECRET",
        "what posts are signed with: `X-Cdn-Broker-Signature: t=SECONDS,v1=HEX`, HMAC-SHA256 of `SECONDS.BODY`",
    )
    .secret(),
    variable(
        "SMTP_URL",
        "the server that takes mail: `smtps://USER:PASSWORD@HOST` (TLS, port 465), `smtp://USER:PASSWORD@HOST` (STARTTLS is \
         required, port 587), or `smtp://HOST?tls=none` (port 25). User and password percent-encoded, or left out. With it \
         users may name an address for what needs their hand (`notify`)",
    )
    .secret(),
    variable("ALERT_EMAIL_FROM", "who writes: `Name <cdn@example.gov>`; needed with `SMTP_URL`"),
    variable("ALERT_EMAIL_TO", "who gets alerts by mail, several with commas; nobody if not set"),
    variable("ALERT_ROOT_CA", "a PEM file with the roots to trust for the TLS of the webhook and of the mail server")
        .otherwise("system roots"),
];

const METRICS: &[Variable] = &[
    variable(
        "METRICS_USERNAME",
        "who may read `/metrics` on the API's port; with neither this nor `METRICS_PORT` there are no metrics. See \
         [METRICS.md](METRICS.md)",
    ),
    variable("METRICS_PASSWORD", "the password that goes with it").secret(),
    variable(
        "METRICS_PORT",
        "a port of its own for `/metrics`, on `BIND_ADDRESS`. Without `METRICS_USERNAME` nobody needs a credential there",
    ),
];

const CHECKS: &[Variable] = &[
    variable(
        "CHECKS",
        "which checks run by themselves: `on`, `off`, or the names of some with commas. By hand all can be run: see \
         [CHECKS.md](CHECKS.md)",
    )
    .default("on"),
    variable(
        "CHECKS_EVERY",
        "how often single checks run, instead of as often as [CHECKS.md](CHECKS.md) says: `acme-directory=5m,expiry=6h`",
    ),
    variable(
        "CHECK_ACME_URL",
        "the staging directory of the authority, for Let's Encrypt \
         `https://acme-staging-v02.api.letsencrypt.org/directory`: the check `acme-issue` orders there, with an account of its \
         own. Without it, or without `MANAGED_ZONE`, that check is left out",
    ),
    variable(
        "CANARY_ORDERS_PER_WEEK",
        "how many certificates may be ordered for canaries in a week, at most; with 0 none, and the checks that need one leave \
         out what does: see [CHECKS.md](CHECKS.md)",
    )
    .default("3"),
    variable(
        "CANARY_ORIGIN",
        "where canaries fetch content; the default origin unless it is said. An origin that does not know the \
         canary's name, such as a platform's router, may answer with 404: that counts as served",
    ),
    variable(
        "CANARY_API_URL",
        "where the check `end-to-end` reaches this broker's API, such as its route on the platform; on this machine unless it \
         is said, over TLS where there is `TLS_CERT`; then the certificate in that file is what is trusted, and otherwise the \
         authorities of the system",
    ),
    variable(
        "INCIDENT_TENANTS",
        "how many tenants must have met the same failure within an hour to make it an incident of everybody's; at least 2",
    )
    .default("3"),
];

const PLATFORM: &[Variable] = &[
    variable(
        "API_ADDRESS",
        "the URL of Cloud Controller, such as `https://api.example.gov`. With it a domain, or a parent of it, must exist in \
         the organization of whoever asks for it (private, or shared with it), or be one of the platform's shared domains. \
         While the platform does not answer, new instances and new domains are refused with 503; everything else goes on",
    ),
    variable(
        "CLIENT_ID",
        "the client at the platform's UAA for that, with the authority `cloud_controller.global_auditor` (or \
         `cloud_controller.admin_read_only`) and the grant `client_credentials`",
    ),
    variable("CLIENT_SECRET", "its secret").secret(),
    variable("API_ROOT_CA", "a PEM file with the roots to trust for the platform's TLS")
        .otherwise("system roots"),
];

const LOGS: &[Variable] = &[
    variable(
        "LOG",
        "a `tracing` filter, such as `info,acme_core=debug`; the AWS SDK is never logged below `info`, because request \
         bodies hold private keys",
    )
    .default("info"),
    variable("LOG_FORMAT", "the form of log lines, on standard error: `text` or `json`")
        .otherwise("`text` on a terminal, else `json`"),
];
