//! What all demos are played on, and the steps they share.

use std::time::Duration;

use anyhow::ensure;
use sandbox::{BrokerProcess, BrokerSettings, Sandbox, Settings, wait_for};

use super::leftovers;
use crate::arguments::SetupOptions;
use crate::platform::{LastOperation, Platform};
use crate::setup::broker_binary;
use crate::ui::{self, Note, Progress};

/// The longest wait beside what the emulated cloud is told to take.
const BOUND: Duration = Duration::from_mins(2);

/// A sandbox with a broker and a platform in it.
pub(super) struct Stage {
    pub(super) progress: Progress,
    pub(super) sandbox: Sandbox,
    /// How long anything may take.
    pub(super) bound: Duration,
    platform: Platform,
    process: BrokerProcess,
}

impl Stage {
    /// Starts everything.
    pub(super) async fn set(
        options: &SetupOptions,
        settings: Settings,
        broker: &BrokerSettings,
    ) -> anyhow::Result<Self> {
        Self::set_with(options, settings, |_| broker.clone()).await
    }

    /// The same with a broker whose settings depend on the sandbox.
    pub(super) async fn set_with(
        options: &SetupOptions,
        settings: Settings,
        broker: impl FnOnce(&Sandbox) -> BrokerSettings,
    ) -> anyhow::Result<Self> {
        let binary = broker_binary(options)?;
        let mut progress = Progress::new();
        let starting = Box::pin(Sandbox::start(settings));
        let title = "start name server, ACME authority, cloud, edge and origin";
        let sandbox = progress.step(title, &Note::default(), starting).await?;
        let broker = &broker(&sandbox);
        let starting = sandbox.start_broker(&binary, broker);
        let process = progress.step("start the broker", &Note::default(), starting).await?;
        let platform = Platform::new(process.url(), broker)?;
        // A deployment is waited for twice at most in one operation, and each time seen a little late.
        let bound = BOUND + 3 * Duration::from_secs(options.deploy_seconds + options.iam_propagation_seconds);
        Ok(Self { progress, sandbox, bound, platform, process })
    }

    /// Stops everything, and answers what was done.
    pub(super) async fn strike(self) -> anyhow::Result<Progress> {
        let Self { mut progress, sandbox, mut process, .. } = self;
        let stopping = async {
            process.stop().await?;
            sandbox.stop().await
        };
        progress.step("stop everything", &Note::default(), stopping).await?;
        Ok(progress)
    }

    /// The platform with one of its instances.
    pub(super) fn platform(&self, instance: usize) -> Platform {
        self.platform.with_instance(instance)
    }

    /// Asks for an instance, and answers the operation.
    pub(super) async fn create(&mut self, platform: &Platform, domains: &[&str]) -> anyhow::Result<String> {
        let asking = async {
            platform.check_catalog().await?;
            platform.create(domains).await
        };
        let domains = domains.join(",");
        ui::line(&format!(
            "\n$ cf create-service cdn-route cdn-route my-cdn -c '{{\"domain\":\"{domains}\"}}'"
        ));
        self.progress.step("create a service instance", &Note::default(), asking).await
    }

    /// Follows an operation until something is found in how it stands.
    pub(super) async fn follow<T>(
        &mut self,
        title: &str,
        platform: &Platform,
        operation: &str,
        found: impl AsyncFn(LastOperation) -> anyhow::Result<Option<T>>,
    ) -> anyhow::Result<T> {
        let note = Note::default();
        let what = format!("the end of `{title}`");
        let following = wait_for(&what, self.bound, || async {
            let last = platform.last_operation(operation).await?;
            note.say(last.first_line());
            ensure!(last.state != "failed", "the operation failed: {last}");
            found(last).await
        });
        self.progress.step(title, &note, following).await
    }

    /// Deletes the instance and waits until it is gone.
    pub(super) async fn delete(&mut self, platform: &Platform) -> anyhow::Result<()> {
        ui::line("\n$ cf delete-service my-cdn");
        let title = "delete the service instance";
        let operation = platform.delete().await?;
        let gone = async |last: LastOperation| {
            Ok((last.state == LastOperation::GONE || last.state == "succeeded").then_some(()))
        };
        self.follow(title, platform, &operation, gone).await
    }

    /// Sees that deleted instances have left nothing in the cloud.
    pub(super) async fn look_for_leftovers(&mut self) -> anyhow::Result<()> {
        let looking = async { leftovers::none(&self.sandbox) };
        self.progress.step("see that nothing is left in the cloud", &Note::default(), looking).await
    }
}
