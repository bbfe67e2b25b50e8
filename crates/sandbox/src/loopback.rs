//! Addresses of one's own: 127.X.Y.0/24, which no other sandbox on this machine uses at the same time.

use std::net::{IpAddr, Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicU8, AtomicU16, Ordering};

use anyhow::{Context, bail};

/// Whoever listens on this port of a block's first address has the block. It is below the ports that the kernel gives
/// to clients.
const CLAIM_PORT: u16 = 20_127;

/// How many blocks are tried before something else must be wrong.
const ATTEMPTS: u16 = 4096;

/// The last number of the first address that is handed out.
const FIRST_FREE: u8 = 2;

/// A block of loopback addresses. Dropping it gives it back.
#[derive(Debug)]
pub(crate) struct Loopback {
    block: u16,
    next: AtomicU8,
    _claim: TcpListener,
}

impl Loopback {
    /// Takes a block that nobody has. The claim is a listening socket, so it ends with the process in any case.
    pub(crate) fn claim() -> anyhow::Result<Self> {
        static CLAIMED: AtomicU16 = AtomicU16::new(0);
        // Processes begin at different places, so that they rarely meet.
        let start = u16::try_from(std::process::id().wrapping_mul(193) % u32::from(u16::MAX))?;
        for _ in 0..ATTEMPTS {
            let block = start.wrapping_add(CLAIMED.fetch_add(1, Ordering::Relaxed));
            // 127.0.Y.Z belongs to people, resolvers and distributions.
            if block < 256 {
                continue;
            }
            if let Ok(claim) = TcpListener::bind((at(block, 1), CLAIM_PORT)) {
                return Ok(Self { block, next: AtomicU8::new(FIRST_FREE), _claim: claim });
            }
        }
        bail!("no loopback addresses could be claimed: port {CLAIM_PORT} is taken on all that were tried")
    }

    /// An address that was not handed out before.
    pub(crate) fn fresh(&self) -> anyhow::Result<IpAddr> {
        let next =
            self.next.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |next| next.checked_add(1)).ok();
        next.map(|last| at(self.block, last).into())
            .context("this sandbox has used up its loopback addresses")
    }
}

fn at(block: u16, last: u8) -> Ipv4Addr {
    let [high, low] = block.to_be_bytes();
    Ipv4Addr::new(127, high, low, last)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_two_blocks_share_an_address() {
        let (one, other) = (Loopback::claim().unwrap(), Loopback::claim().unwrap());
        let all: HashSet<_> = [one.fresh().unwrap(), one.fresh().unwrap()]
            .into_iter()
            .chain([other.fresh().unwrap(), other.fresh().unwrap()])
            .collect();
        assert_eq!(all.len(), 4);
        assert!(all.iter().all(IpAddr::is_loopback));
    }

    #[test]
    fn a_block_is_claimed_for_other_processes_too() {
        let block = Loopback::claim().unwrap();
        let claim = (at(block.block, 1), CLAIM_PORT);
        assert!(TcpListener::bind(claim).is_err());
        drop(block);
        assert!(TcpListener::bind(claim).is_ok());
    }

    #[test]
    fn addresses_run_out_with_an_error() {
        let block = Loopback::claim().unwrap();
        let given = std::iter::from_fn(|| block.fresh().ok()).count();
        assert_eq!(given, usize::from(u8::MAX - FIRST_FREE));
    }
}
