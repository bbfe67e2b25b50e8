use contract::{Obstacle, Reach, Side, Upstream};

/// One kind of call upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Call {
    pub(super) upstream: Upstream,
    /// What it does there, in one word: calls of one word need the same permissions and the same room.
    pub(super) kind: &'static str,
}

impl Call {
    /// The scope of what this call has met.
    pub(super) fn scope_of(self, obstacle: Obstacle) -> String {
        match obstacle.reach {
            Reach::Everything => name(obstacle.upstream).to_owned(),
            Reach::SameKind => self.own_scope(),
        }
    }

    /// Whether a breaker of this scope stops the call.
    pub(super) fn is_stopped_by(self, scope: &str) -> bool {
        let of_account = scope == name(Upstream::Account) && self.upstream != Upstream::Authority;
        of_account || scope == name(self.upstream) || self.is_own_scope(scope)
    }

    /// Whether a breaker of this scope stops calls of this kind alone.
    pub(super) fn is_own_scope(self, scope: &str) -> bool {
        scope.strip_prefix(name(self.upstream)).and_then(|rest| rest.strip_prefix('/')) == Some(self.kind)
    }

    /// What is being done, for the operator.
    pub(super) fn doing(self) -> String {
        format!("go on ({})", self.own_scope())
    }

    fn own_scope(self) -> String {
        format!("{}/{}", name(self.upstream), self.kind)
    }
}

/// The word for an upstream in scopes, which are stored.
fn name(upstream: Upstream) -> &'static str {
    match upstream {
        Upstream::Account => "account",
        Upstream::Cdn => "cdn",
        Upstream::Vault => "vault",
        Upstream::Site => "site",
        Upstream::Zone => "zone",
        Upstream::Authority => "authority",
        Upstream::SealingKeys => "sealing-keys",
    }
}

/// Whether each process meets it for itself: one may have the key that another one lacks. It turns nobody away.
pub(super) fn is_each_ones_own(scope: &str) -> bool {
    scope == name(Upstream::SealingKeys)
}

/// Who stands behind what has stopped a scope.
pub(super) fn side(scope: &str) -> Side {
    match scope.split('/').next() {
        Some(upstream) if upstream == name(Upstream::Authority) => Side::Authority,
        Some(upstream) if upstream == name(Upstream::SealingKeys) => Side::Us,
        _ => Side::Aws,
    }
}

/// What a scope stops, in words.
pub(super) fn in_words(scope: &str) -> String {
    match scope.split_once('/') {
        None if scope == name(Upstream::Account) => "everything in the account".to_owned(),
        None if is_each_ones_own(scope) => "everything that needs a private key of the database".to_owned(),
        None => format!("everything that needs the {scope}"),
        Some((upstream, kind)) => format!("everything that needs to {kind} at the {upstream}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_stops_what_it_says_and_no_more() {
        let store = Call { upstream: Upstream::Vault, kind: "store" };
        let obstacle = |upstream, reach| Obstacle { upstream, reach };
        let quota = store.scope_of(obstacle(Upstream::Vault, Reach::SameKind));
        let vault = store.scope_of(obstacle(Upstream::Vault, Reach::Everything));
        let account = store.scope_of(obstacle(Upstream::Account, Reach::Everything));
        assert_eq!([&quota, &vault, &account], ["vault/store", "vault", "account"]);
        let stopped = |call: Call| [&quota, &vault, &account].map(|scope| call.is_stopped_by(scope));
        assert_eq!(stopped(store), [true, true, true]);
        assert_eq!(stopped(Call { kind: "delete", ..store }), [false, true, true]);
        assert_eq!(stopped(Call { upstream: Upstream::Cdn, kind: "store" }), [false, false, true]);
        let issue = Call { upstream: Upstream::Authority, kind: "issue" };
        assert_eq!(stopped(issue), [false, false, false]);
        let keys = issue.scope_of(obstacle(Upstream::SealingKeys, Reach::Everything));
        assert!(is_each_ones_own(&keys) && !issue.is_stopped_by(&keys) && side(&keys) == Side::Us, "{keys}");
    }
}
