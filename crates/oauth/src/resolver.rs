//! DNS resolution that returns only the addresses permitted by a network zone.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::NetworkZone;
use crate::endpoint::is_localhost;

/// A resolver that returns only the addresses that the zone permits. Each connection resolves the name again and uses
/// only the checked addresses, so a changed DNS record does not bypass the check.
pub(crate) struct GuardedResolver {
    pub(crate) resolver: Arc<dyn Resolve>,
    pub(crate) zone: NetworkZone,
    /// The host that determined the zone.
    pub(crate) server: String,
    /// Set when the zone permits none of the server's addresses, for example after a network change.
    pub(crate) has_left_zone: Arc<AtomicBool>,
    pub(crate) connect_to: Vec<(IpAddr, SocketAddr)>,
}

/// The error for a name without permitted addresses.
#[derive(Debug, thiserror::Error)]
#[error("{name} has no permitted address")]
pub(crate) struct Blocked {
    pub(crate) name: String,
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let host = name.as_str().to_owned();
        let (zone, connect_to) = (self.zone, self.connect_to.clone());
        let is_server = host.trim_end_matches('.').eq_ignore_ascii_case(self.server.trim_end_matches('.'));
        let found = lookup(&self.resolver, name);
        let has_left_zone = Arc::clone(&self.has_left_zone);
        Box::pin(async move {
            let permitted: Vec<SocketAddr> = found
                .await?
                .filter(|address| match is_server {
                    true => zone.permits_server(address.ip()),
                    false => zone.permits(address.ip()),
                })
                .map(|address| target_address(address, &connect_to))
                .collect();
            if permitted.is_empty() {
                has_left_zone.fetch_or(is_server, Ordering::Relaxed);
                return Err(Blocked { name: host }.into());
            }
            Ok(Box::new(permitted.into_iter()) as Addrs)
        })
    }
}

/// Resolves a name. Loopback names need no resolver (RFC 6761 §6.3).
pub(crate) fn lookup(resolver: &Arc<dyn Resolve>, name: Name) -> Resolving {
    if !is_localhost(name.as_str()) {
        return resolver.resolve(name);
    }
    let loopback = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
    Box::pin(std::future::ready(Ok(Box::new(loopback.into_iter().map(|ip| SocketAddr::new(ip, 0))) as Addrs)))
}

/// Returns the address to connect to, according to [`HttpOptions::connect_to`](crate::HttpOptions::connect_to).
fn target_address(address: SocketAddr, connect_to: &[(IpAddr, SocketAddr)]) -> SocketAddr {
    connect_to.iter().find(|(from, _)| *from == address.ip()).map_or(address, |(_, to)| *to)
}

pub(crate) struct SystemResolver;

impl Resolve for SystemResolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}
