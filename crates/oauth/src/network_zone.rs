//! Network zones, which prevent public servers from referring to private networks.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Serialize};

/// The range of addresses that metadata and redirects may refer to, determined once from the server's own addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NetworkZone {
    /// The server is on the internet, and may refer only to addresses on the internet.
    Public,
    /// The server is on this computer or in a private network, and may also refer to addresses there.
    Private,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AddressClass {
    Public,
    /// Loopback and private networks.
    Private,
    /// Addresses that no MCP service has: link-local (including cloud metadata services), multicast, unspecified and
    /// reserved.
    Forbidden,
}

impl NetworkZone {
    /// Returns the zone of a server with these addresses, or `None` if all of them are forbidden.
    pub(crate) fn of_server(addresses: &[IpAddr]) -> Option<Self> {
        let classes: Vec<AddressClass> = addresses.iter().map(|&ip| class_of(ip)).collect();
        if classes.contains(&AddressClass::Public) {
            Some(NetworkZone::Public)
        } else if classes.contains(&AddressClass::Private) {
            Some(NetworkZone::Private)
        } else {
            None
        }
    }

    /// Whether a connection to the server itself may use this address. A private server may use only private addresses.
    /// Otherwise a hostile public server could first resolve to a private address, and its metadata could then refer to
    /// private addresses.
    pub(crate) fn permits_server(self, ip: IpAddr) -> bool {
        match self {
            NetworkZone::Public => self.permits(ip),
            NetworkZone::Private => class_of(ip) == AddressClass::Private,
        }
    }

    /// Whether a connection to this address is allowed.
    pub fn permits(self, ip: IpAddr) -> bool {
        match class_of(ip) {
            AddressClass::Public => true,
            AddressClass::Private => self == NetworkZone::Private,
            AddressClass::Forbidden => false,
        }
    }
}

fn class_of(ip: IpAddr) -> AddressClass {
    match ip {
        IpAddr::V4(ip) => class_of_v4(ip),
        IpAddr::V6(ip) => class_of_v6(ip),
    }
}

fn class_of_v4(ip: Ipv4Addr) -> AddressClass {
    let [a, b, c, _] = ip.octets();
    match (a, b, c) {
        (0, ..) | (169, 254, _) | (224.., ..) => AddressClass::Forbidden,
        (10 | 127, ..)
        | (172, 16..=31, _)
        | (192, 168, _)
        | (100, 64..=127, _)
        | (198, 18..=19, _)
        | (192, 0, 0) => AddressClass::Private,
        _ => AddressClass::Public,
    }
}

fn class_of_v6(ip: Ipv6Addr) -> AddressClass {
    let [a, b, c, d, e, f, g, h] = ip.segments();
    let embedded = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        class_of_v4(Ipv4Addr::new(a, b, c, d))
    };
    match (a, b, c, d, e, f) {
        (0, 0, 0, 0, 0, 0) if (g, h) == (0, 1) => AddressClass::Private,
        // IPv4-compatible, IPv4-mapped, IPv4-translated (RFC 2765) and NAT64 (RFC 6052): the embedded IPv4 address
        // decides.
        (0, 0, 0, 0, 0, 0 | 0xFFFF) | (0, 0, 0, 0, 0xFFFF, 0) | (0x64, 0xFF9B, 0, 0, 0, 0) => embedded(g, h),
        (0x64, 0xFF9B, 1, ..) => AddressClass::Private,
        // 6to4 (RFC 3056): a tunnel to the embedded IPv4 address.
        (0x2002, high, low, ..) => embedded(high, low),
        // Teredo (RFC 4380) is always forbidden.
        (0x2001, 0, ..) => AddressClass::Forbidden,
        _ if a & 0xFFC0 == 0xFE80 || a & 0xFF00 == 0xFF00 => AddressClass::Forbidden,
        _ if a & 0xFE00 == 0xFC00 || a & 0xFFC0 == 0xFEC0 => AddressClass::Private,
        _ => AddressClass::Public,
    }
}
