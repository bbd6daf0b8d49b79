//! Internet addresses and the networks they are in, compared as numbers and never as text.

use std::{
    fmt::{Display, Formatter},
    net::{IpAddr, Ipv6Addr},
    str::FromStr,
};

/// Bits of an IPv6 address that name a customer's network; within it a client chooses its address freely.
const IPV6_CUSTOMER_BITS: u8 = 64;

/// The address itself: an IPv4 address that came through an IPv6 socket (`::ffff:192.0.2.1`) is the IPv4 address.
#[must_use]
pub fn canonical(address: IpAddr) -> IpAddr {
    address.to_canonical()
}

/// What limits count an address as: IPv4 by itself, IPv6 by its /64.
#[must_use]
pub fn limited_as(address: IpAddr) -> IpAddr {
    match canonical(address) {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & mask_v6(IPV6_CUSTOMER_BITS))),
        v4 @ IpAddr::V4(_) => v4,
    }
}

/// A network in CIDR notation, such as `10.0.0.0/8`; a single address is a network of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Network {
    /// The first address, in canonical form.
    first: IpAddr,
    /// Leading bits that all its addresses share.
    bits: u8,
}

/// The text is no address and no network, or one that no client can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an IP address or network such as 192.0.2.7, 10.0.0.0/8 or 2001:db8::/32")]
pub struct NotANetwork;

impl FromStr for Network {
    type Err = NotANetwork;

    fn from_str(text: &str) -> Result<Self, NotANetwork> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => {
                let digits = !bits.is_empty() && bits.len() <= 3 && bits.bytes().all(|b| b.is_ascii_digit());
                (address, Some(bits.parse::<u8>().ok().filter(|_| digits).ok_or(NotANetwork)?))
            }
            None => (text, None),
        };
        let written: IpAddr = address.parse().map_err(|_| NotANetwork)?;
        let first = canonical(written);
        let bits = match (written, first, bits) {
            (_, _, None) => width(first),
            // ::ffff:10.0.0.0/104 is 10.0.0.0/8; a wider one holds more than IPv4.
            (IpAddr::V6(_), IpAddr::V4(_), Some(bits)) => bits.checked_sub(96).ok_or(NotANetwork)?,
            (_, _, Some(bits)) => bits,
        };
        if bits > width(first) {
            return Err(NotANetwork);
        }
        let network = Self { first: masked(first, bits), bits };
        // No client ever calls from the unspecified address, from a multicast group or by broadcast.
        let impossible = bits == width(first)
            && match first {
                IpAddr::V4(v4) => v4.is_unspecified() || v4.is_multicast() || v4.is_broadcast(),
                IpAddr::V6(v6) => v6.is_unspecified() || v6.is_multicast(),
            };
        if impossible { Err(NotANetwork) } else { Ok(network) }
    }
}

impl Display for Network {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        if self.bits == width(self.first) { write!(f, "{}", self.first) } else { write!(f, "{}/{}", self.first, self.bits) }
    }
}

impl Network {
    /// Whether an address is in it.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = canonical(address);
        width(address) == width(self.first) && masked(address, self.bits) == self.first
    }

    /// Whether every address of another network is in it.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        self.bits <= other.bits && self.contains(other.first)
    }
}

const fn width(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

fn masked(address: IpAddr, bits: u8) -> IpAddr {
    match address {
        IpAddr::V4(v4) => IpAddr::from((v4.to_bits() & u32::MAX.checked_shl(32 - u32::from(bits)).unwrap_or(0)).to_be_bytes()),
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & mask_v6(bits))),
    }
}

fn mask_v6(bits: u8) -> u128 {
    u128::MAX.checked_shl(128 - u32::from(bits)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(text: &str) -> Network {
        text.parse().unwrap()
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn network_is_written_in_one_way() {
        for (sent, kept) in [
            ("127.0.0.1", "127.0.0.1"),
            ("::ffff:127.0.0.1", "127.0.0.1"),
            ("0:0:0:0:0:0:0:1", "::1"),
            ("10.1.2.3/8", "10.0.0.0/8"),
            ("::ffff:10.0.0.0/104", "10.0.0.0/8"),
            ("0.0.0.0/0", "0.0.0.0/0"),
            ("::/0", "::/0"),
            ("2001:DB8::1/32", "2001:db8::/32"),
            ("192.0.2.7/32", "192.0.2.7"),
        ] {
            assert_eq!(network(sent).to_string(), kept, "{sent}");
        }
    }

    #[test]
    fn text_that_can_match_no_client_is_refused() {
        for text in [
            "",
            "here",
            "10.0.0.0/33",
            "10.0.0.0/-1",
            "10.0.0.0/+8",
            "10.0.0.0/",
            "10.0.0.0/8/8",
            "::1/129",
            "::ffff:10.0.0.0/8",
            "0.0.0.0",
            "::",
            "224.0.0.1",
            "255.255.255.255",
            "ff02::1",
            "010.0.0.1",
            "127.1",
            "fe80::1%eth0",
            " 10.0.0.1",
        ] {
            assert!(text.parse::<Network>().is_err(), "{text}");
        }
    }

    #[test]
    fn network_contains_its_addresses_in_either_notation() {
        assert!(network("10.0.0.0/8").contains(address("::ffff:10.9.9.9")));
        assert!(!network("10.0.0.0/8").contains(address("11.0.0.1")));
        assert!(network("0.0.0.0/0").contains(address("203.0.113.9")) && !network("0.0.0.0/0").contains(address("::1")));
        assert!(network("2001:db8::/32").contains(address("2001:db8:ffff::1")));
        assert!(network("10.0.0.0/8").covers(&network("10.1.0.0/16")) && !network("10.1.0.0/16").covers(&network("10.0.0.0/8")));
    }

    #[test]
    fn limits_count_an_ipv6_client_by_its_network() {
        assert_eq!(limited_as(address("2001:db8:1:2:3:4:5:6")), limited_as(address("2001:db8:1:2:ffff::1")));
        assert_ne!(limited_as(address("2001:db8:1:2::1")), limited_as(address("2001:db8:1:3::1")));
        assert_eq!(limited_as(address("::ffff:192.0.2.1")), address("192.0.2.1"));
        assert_ne!(limited_as(address("192.0.2.1")), limited_as(address("192.0.2.2")));
    }
}
