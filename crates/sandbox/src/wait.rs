use std::future::Future;
use std::time::Duration;

use anyhow::{Context, bail};

/// How long lies between two looks.
const PAUSE: Duration = Duration::from_millis(25);

/// Waits until `condition` answers `Some`, for at most `bound`, and hands that answer on.
///
/// The condition is asked again and again with a short pause between. `Ok(None)` means "not yet"; an
/// error ends the wait at once. When the bound is over, the error says what was waited for. The bound
/// also cuts off a condition that hangs.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> anyhow::Result<()> {
/// use std::time::Duration;
/// let mut looks = 0;
/// let third = sandbox::wait_for("the third look", Duration::from_secs(5), || {
///     looks += 1;
///     let seen = (looks == 3).then_some(looks);
///     async move { Ok(seen) }
/// });
/// assert_eq!(third.await?, 3);
/// # Ok(())
/// # }
/// ```
pub async fn wait_for<T, F, Answer>(what: &str, bound: Duration, mut condition: F) -> anyhow::Result<T>
where
    F: FnMut() -> Answer,
    Answer: Future<Output = anyhow::Result<Option<T>>>,
{
    let looking = async {
        loop {
            if let Some(found) = condition().await.with_context(|| format!("while waiting for {what}"))? {
                return Ok(found);
            }
            pause().await;
        }
    };
    match tokio::time::timeout(bound, looking).await {
        Ok(answer) => answer,
        Err(_) => bail!("gave up waiting for {what} after {bound:?}"),
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place that waits: `wait_for` asks a condition under a bound"
)]
async fn pause() {
    tokio::time::sleep(PAUSE).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_bound_names_what_was_waited_for() {
        let never = wait_for("the moon", Duration::from_millis(1), || async { Ok(None::<()>) });
        assert!(never.await.unwrap_err().to_string().contains("the moon"));
    }

    #[tokio::test]
    async fn an_error_of_the_condition_ends_the_wait() {
        let broken = wait_for("a file", Duration::from_mins(1), || async {
            bail!("no such folder") as anyhow::Result<Option<()>>
        });
        assert!(format!("{:#}", broken.await.unwrap_err()).contains("no such folder"));
    }
}
