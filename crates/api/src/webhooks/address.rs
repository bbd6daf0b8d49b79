//! Which addresses may be sent to: public ones, lest somebody has us ask our own neighbours.

use futures_util::future::BoxFuture;
use reqwest::{
    Url,
    dns::{Addrs, Name, Resolve, Resolving},
};
use samphan_resource::error::{FieldCode, FieldError};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Reads an endpoint's address, or says at `/url` why nothing may be sent there. What a name stands for is asked at every attempt.
pub fn check(text: &str, allow_private: bool) -> Result<Url, FieldError> {
    let fault = |code: FieldCode, about: &str| FieldError::new("/url", code, about);
    let url = Url::parse(text).map_err(|_| fault(FieldCode::InvalidFormat, "https://accounting.example.com/hooks"))?;
    let schemes: &[&str] = if allow_private { &["https", "http"] } else { &["https"] };
    if !schemes.contains(&url.scheme()) {
        return Err(fault(FieldCode::InvalidFormat, "https://…"));
    }
    if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
        return Err(fault(FieldCode::InvalidFormat, "an address without user name, password and fragment"));
    }
    let host = url.host_str().unwrap_or_default().trim_end_matches('.').to_ascii_lowercase();
    let ip: Option<IpAddr> = host.trim_matches(['[', ']']).parse().ok();
    let local = ["localhost", "local", "internal"].iter().any(|end| host.rsplit('.').next() == Some(end));
    // Below 1024 other protocols listen, some of which take a request for their own.
    let port = url.port_or_known_default().is_some_and(|port| matches!(port, 443 | 80 | 1024..));
    if !allow_private && (ip.is_some_and(|ip| !is_public(ip)) || ip.is_none() && local || !port) {
        return Err(fault(FieldCode::AddressNotAllowed, ""));
    }
    Ok(url)
}

/// Whether an address is anybody's on the internet: no neighbour's, nobody's, and no disguise of one.
#[must_use]
pub fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => public_v4(v4),
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or_else(|| public_v6(v6), public_v4),
    }
}

fn public_v4(ip: Ipv4Addr) -> bool {
    let special =
        ip.is_private() || ip.is_loopback() || ip.is_link_local() || ip.is_multicast() || ip.is_broadcast() || ip.is_documentation();
    let reserved = match ip.octets() {
        [0 | 240..=255, ..] | [192, 0, 0, _] | [192, 88, 99, _] | [198, 18 | 19, ..] => true,
        // Carriers' own networks.
        [100, second, ..] => (64..128).contains(&second),
        _ => false,
    };
    !special && !reserved
}

fn public_v6(ip: Ipv6Addr) -> bool {
    match ip.segments() {
        // Teredo and others that carry further addresses, documentation, 6to4.
        [0x2001, 0..0x0200, ..] | [0x2001, 0x0db8, ..] | [0x2002, ..] | [0x3fff, 0..0x1000, ..] => false,
        // Global unicast; all else is local, multicast, or an IPv4 address in disguise.
        [first, ..] => (0x2000..0x4000).contains(&first),
    }
}

/// Why a name was not resolved.
#[derive(Debug, thiserror::Error)]
#[error("the address is not allowed")]
pub struct NotAllowed;

/// What a name stands for, as somebody says.
pub type Ask = fn(String) -> BoxFuture<'static, std::io::Result<Vec<SocketAddr>>>;

/// Asks the system.
pub fn ask_system(name: String) -> BoxFuture<'static, std::io::Result<Vec<SocketAddr>>> {
    Box::pin(async move { Ok(tokio::net::lookup_host((name, 0)).await?.collect()) })
}

/// Resolves names to addresses that may be sent to, and to no others: what is checked is what is connected to.
#[derive(Clone, Copy, Debug)]
pub struct Resolver {
    /// Whether private addresses may be sent to.
    pub allow_private: bool,
    /// Who says what a name stands for.
    pub ask: Ask,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let Self { allow_private, ask } = *self;
        Box::pin(async move {
            let found = ask(name.as_str().to_owned()).await?;
            let allowed: Vec<SocketAddr> = found.into_iter().filter(|a| allow_private || is_public(a.ip())).collect();
            if allowed.is_empty() {
                return Err(NotAllowed.into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn a_name_is_never_resolved_to_a_neighbour() {
        let resolve = |allow_private| {
            let name: Name = "localhost".parse().unwrap();
            actix_web::rt::System::new().block_on(Resolver { allow_private, ask: ask_system }.resolve(name))
        };
        assert!(resolve(false).err().unwrap().is::<NotAllowed>());
        assert!(resolve(true).is_ok_and(|mut found| found.all(|a| a.ip().is_loopback())));
    }

    #[test]
    fn a_name_that_changes_its_answer_is_looked_at_each_time() {
        static ASKED: AtomicUsize = AtomicUsize::new(0);
        let ask: Ask = |_| {
            let ip = if ASKED.fetch_add(1, Ordering::Relaxed) == 0 { "1.1.1.1" } else { "127.0.0.1" };
            Box::pin(async move { Ok(vec![SocketAddr::new(ip.parse().unwrap(), 0)]) })
        };
        let resolve = || {
            let name: Name = "flips.example".parse().unwrap();
            actix_web::rt::System::new().block_on(Resolver { allow_private: false, ask }.resolve(name))
        };
        assert!(resolve().is_ok());
        assert!(resolve().err().unwrap().is::<NotAllowed>());
    }

    #[test]
    fn neighbours_in_every_disguise_are_refused() {
        for host in [
            "127.0.0.1",
            "127.1",
            "0x7f000001",
            "2130706433",
            "0177.0.0.1",
            "[::1]",
            "[::]",
            "[::ffff:10.0.0.1]",
            "[64:ff9b::a00:1]",
            "169.254.169.254",
            "100.64.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "[fd00::1]",
            "[fe80::1]",
            "[2002:7f00:1::]",
            "[2001:0:1::]",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "localhost",
            "localhost.",
            "a.localhost",
            "LOCALHOST",
            "printer.local",
            "metadata.google.internal",
            "1.1.1.1:22",
            "example.com:25",
        ] {
            let refused = check(&format!("https://{host}/x"), false).unwrap_err();
            assert_eq!(refused.code, FieldCode::AddressNotAllowed, "{host}");
            assert!(check(&format!("http://{host}/x"), true).is_ok(), "{host}");
        }
        for url in [
            "http://example.com",
            "gopher://example.com",
            "https://a@example.com",
            "https://:b@example.com",
            "file:///etc/passwd",
            "https://",
            "x",
            "https://example.com/#x",
        ] {
            assert_eq!(check(url, false).unwrap_err().code, FieldCode::InvalidFormat, "{url}");
        }
        for url in ["https://example.com/hooks?a=b", "https://1.1.1.1", "https://[2606:4700::1111]:8443/", "https://มานี.ไทย/"]
        {
            assert!(check(url, false).is_ok(), "{url}");
        }
    }
}
