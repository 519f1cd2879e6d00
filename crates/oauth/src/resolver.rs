//! Name resolution that knows the address rule, so that what was checked is what gets dialled.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::Reach;
use crate::endpoint::is_localhost;

/// Passes on only the addresses that the reach permits. A name is resolved anew for each connection and checked anew,
/// and the connection is made to the very addresses that passed: a changed record gains nothing.
pub(crate) struct GuardedResolver {
    pub(crate) names: Arc<dyn Resolve>,
    pub(crate) reach: Reach,
    /// The host that the reach was decided by.
    pub(crate) server: String,
    /// That host is nowhere any more where the reach permits: the reach was decided for another network.
    pub(crate) is_displaced: Arc<AtomicBool>,
    pub(crate) connect_to: Vec<(IpAddr, SocketAddr)>,
}

/// A name whose addresses are all out of reach.
#[derive(Debug)]
pub(crate) struct Blocked {
    pub(crate) name: String,
}

impl fmt::Display for Blocked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} leads out of reach", self.name)
    }
}

impl std::error::Error for Blocked {}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let host = name.as_str().to_owned();
        let (reach, connect_to) = (self.reach, self.connect_to.clone());
        let is_server = host.trim_end_matches('.').eq_ignore_ascii_case(self.server.trim_end_matches('.'));
        let found = lookup(&self.names, name);
        let is_displaced = Arc::clone(&self.is_displaced);
        Box::pin(async move {
            let permitted: Vec<SocketAddr> = found
                .await?
                .filter(|address| match is_server {
                    true => reach.permits_server(address.ip()),
                    false => reach.permits(address.ip()),
                })
                .map(|address| dialled(address, &connect_to))
                .collect();
            if permitted.is_empty() {
                is_displaced.fetch_or(is_server, Ordering::Relaxed);
                return Err(Blocked { name: host }.into());
            }
            Ok(Box::new(permitted.into_iter()) as Addrs)
        })
    }
}

/// RFC 6761 §6.3: the names of this computer are known without asking anybody.
pub(crate) fn lookup(names: &Arc<dyn Resolve>, name: Name) -> Resolving {
    if !is_localhost(name.as_str()) {
        return names.resolve(name);
    }
    let own = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
    Box::pin(std::future::ready(Ok(Box::new(own.into_iter().map(|ip| SocketAddr::new(ip, 0))) as Addrs)))
}

fn dialled(address: SocketAddr, connect_to: &[(IpAddr, SocketAddr)]) -> SocketAddr {
    connect_to.iter().find(|(from, _)| *from == address.ip()).map_or(address, |(_, to)| *to)
}

/// The system's own resolver.
pub(crate) struct SystemResolver;

impl Resolve for SystemResolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}
