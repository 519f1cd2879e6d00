//! Which addresses a server may lead to: a public one never into private networks.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Serialize};

/// How far a server's own documents may lead, decided once from where the server itself is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// The server is on the internet: everything it names must be there too.
    Public,
    /// The server is on this computer or in a private network: it may name others there.
    Private,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Internet,
    PrivateNetwork,
    /// Link-local (with the cloud's metadata services), multicast, unspecified and reserved: never a service.
    Nowhere,
}

impl Reach {
    /// The reach of a server that lives at these addresses; `None` where none of them can be a server.
    pub(crate) fn of_server(addresses: &[IpAddr]) -> Option<Self> {
        let places: Vec<Place> = addresses.iter().map(|&ip| place(ip)).collect();
        if places.contains(&Place::Internet) {
            Some(Reach::Public)
        } else if places.contains(&Place::PrivateNetwork) {
            Some(Reach::Private)
        } else {
            None
        }
    }

    /// Whether this is an address for the server itself. One that was private when its reach was decided stays so:
    /// otherwise a hostile name could show a private address first, and lead its visitors into private networks from
    /// the internet afterwards.
    pub(crate) fn permits_server(self, ip: IpAddr) -> bool {
        match self {
            Reach::Public => self.permits(ip),
            Reach::Private => place(ip) == Place::PrivateNetwork,
        }
    }

    /// Whether a connection to this address may be made.
    pub fn permits(self, ip: IpAddr) -> bool {
        match (place(ip), self) {
            (Place::Internet, Reach::Public | Reach::Private) | (Place::PrivateNetwork, Reach::Private) => {
                true
            }
            (Place::PrivateNetwork, Reach::Public) | (Place::Nowhere, Reach::Public | Reach::Private) => {
                false
            }
        }
    }
}

fn place(ip: IpAddr) -> Place {
    match ip {
        IpAddr::V4(ip) => place_v4(ip),
        IpAddr::V6(ip) => place_v6(ip),
    }
}

fn place_v4(ip: Ipv4Addr) -> Place {
    let [a, b, c, _] = ip.octets();
    match (a, b, c) {
        (0, ..) | (169, 254, _) | (224.., ..) => Place::Nowhere,
        (10 | 127, ..)
        | (172, 16..=31, _)
        | (192, 168, _)
        | (100, 64..=127, _)
        | (198, 18..=19, _)
        | (192, 0, 0) => Place::PrivateNetwork,
        _ => Place::Internet,
    }
}

fn place_v6(ip: Ipv6Addr) -> Place {
    let [a, b, c, d, e, f, g, h] = ip.segments();
    let embedded = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        place_v4(Ipv4Addr::new(a, b, c, d))
    };
    match (a, b, c, d, e, f) {
        (0, 0, 0, 0, 0, 0) if (g, h) == (0, 1) => Place::PrivateNetwork,
        // IPv4-compatible, IPv4-mapped, IPv4-translated (RFC 2765) and NAT64 (RFC 6052) addresses lead where the
        // IPv4 address in them does.
        (0, 0, 0, 0, 0, 0 | 0xFFFF) | (0, 0, 0, 0, 0xFFFF, 0) | (0x64, 0xFF9B, 0, 0, 0, 0) => embedded(g, h),
        (0x64, 0xFF9B, 1, ..) => Place::PrivateNetwork,
        // 6to4 (RFC 3056) and Teredo (RFC 4380): tunnels to the IPv4 address in them.
        (0x2002, high, low, ..) => embedded(high, low),
        (0x2001, 0, ..) => Place::Nowhere,
        _ if a & 0xFFC0 == 0xFE80 || a & 0xFF00 == 0xFF00 => Place::Nowhere,
        _ if a & 0xFE00 == 0xFC00 || a & 0xFFC0 == 0xFEC0 => Place::PrivateNetwork,
        _ => Place::Internet,
    }
}
