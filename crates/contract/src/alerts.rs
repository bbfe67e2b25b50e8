use async_trait::async_trait;

/// Something that the operator must know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// What it is about, such as `operation 4f… of instance 9a…`. Alerts with the same subject are one incident.
    pub subject: String,
    /// What is wrong and what can be done, with the upstream request id; no secrets.
    pub message: String,
}

/// Tells the operator. Never fails: an alert that cannot be delivered must not stop the work it is about.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait Alerts: Send + Sync {
    /// Raises an alert. Raising the same one again is allowed; the receiver folds repetitions.
    async fn raise(&self, alert: Alert);

    /// Says that the incident of this subject is over.
    async fn resolve(&self, alert: Alert);
}
