//! The address a request comes from: that of the connection, or, where a trusted proxy made the connection, the one that proxies name.

use super::pipeline::App;
use actix_web::{
    HttpRequest,
    http::header::{self, HeaderMap, HeaderName},
    web,
};
use samphan_resource::{
    error::{Code, Error, Result},
    network::{Network, canonical},
};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The client's address, in canonical form. The one function that says so: limits, allowed addresses of keys, the log and the audit go by it.
///
/// Refused where the two headers of proxies name different clients: a proxy sets one of them and passes on what a client wrote into the other.
pub fn client_address(request: &HttpRequest) -> Result<IpAddr> {
    let peer = request.peer_addr().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |a| canonical(a.ip()));
    let app = request.app_data::<web::Data<App>>();
    resolve_client(peer, request.headers(), app.map_or(&[], |app| &app.kernel.trusted_proxies))
}

fn resolve_client(peer: IpAddr, headers: &HeaderMap, trusted: &[Network]) -> Result<IpAddr> {
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(address));
    if !is_trusted(peer) {
        return Ok(peer);
    }
    let hops = |name: &HeaderName| -> Option<String> {
        let lines: Vec<&str> = headers.get_all(name).map(|value| value.to_str().unwrap_or_default()).collect();
        (!lines.is_empty()).then(|| lines.join(","))
    };
    // From the right: each hop is named by the next one, so the first address that is not a trusted proxy is the last one to rely on.
    let client = |hops: Vec<Option<IpAddr>>| {
        let mut client = peer;
        for hop in hops.into_iter().rev() {
            match hop {
                Some(address) => client = address,
                // Unknown or hidden: the trusted proxy itself counts as the client.
                None => break,
            }
            if !is_trusted(client) {
                break;
            }
        }
        client
    };
    let by_list = hops(&X_FORWARDED_FOR).map(|text| client(text.split(',').map(node).collect()));
    let by_standard = hops(&header::FORWARDED).map(|text| client(split(&text, ',').into_iter().map(forwarded_for).collect()));
    match (by_list, by_standard) {
        (Some(a), Some(b)) if a != b => {
            Err(Error::from(Code::InvalidHeader).with_detail("X-Forwarded-For and Forwarded name different clients"))
        }
        (Some(address), _) | (None, Some(address)) => Ok(address),
        (None, None) => Ok(peer),
    }
}

/// The `for` of an element of a `Forwarded` header (RFC 7239).
fn forwarded_for(element: &str) -> Option<IpAddr> {
    split(element, ';').into_iter().find_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        name.trim().eq_ignore_ascii_case("for").then(|| node(value.trim().trim_matches('"')))
    })?
}

/// An address as proxies write it: bare, in brackets, with or without a port.
fn node(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bare = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse::<IpAddr>().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|a| a.ip()));
    address.map(canonical)
}

/// The parts between signs that stand outside quotes.
fn split(text: &str, sign: char) -> Vec<&str> {
    let mut quoted = false;
    text.split(move |c| {
        quoted ^= c == '"';
        c == sign && !quoted
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::HeaderValue;

    fn from(peer: &str, trusted: &[&str], headers: &[(&str, &str)]) -> Result<String> {
        let trusted: Vec<Network> = trusted.iter().map(|t| t.parse().unwrap()).collect();
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(HeaderName::try_from(*name).unwrap(), HeaderValue::from_str(value).unwrap());
        }
        resolve_client(canonical(peer.parse().unwrap()), &map, &trusted).map(|a| a.to_string())
    }

    #[test]
    fn headers_of_proxies_are_read_from_the_right_past_trusted_ones() {
        let trusted = ["127.0.0.1", "10.0.0.0/8"];
        for (headers, client) in [
            (vec![], "127.0.0.1"),
            (vec![("x-forwarded-for", "203.0.113.7")], "203.0.113.7"),
            // What the client wrote itself stands on the left.
            (vec![("x-forwarded-for", "198.51.100.1, 203.0.113.7")], "203.0.113.7"),
            (vec![("x-forwarded-for", "198.51.100.1, 203.0.113.7, 10.1.1.1")], "203.0.113.7"),
            (vec![("x-forwarded-for", "198.51.100.1"), ("x-forwarded-for", "203.0.113.7,10.1.1.1")], "203.0.113.7"),
            (vec![("x-forwarded-for", "203.0.113.7:4711")], "203.0.113.7"),
            (vec![("x-forwarded-for", "10.2.2.2, 10.1.1.1")], "10.2.2.2"),
            (vec![("x-forwarded-for", "unknown, 10.1.1.1")], "10.1.1.1"),
            (vec![("x-forwarded-for", "not an address")], "127.0.0.1"),
            (vec![("x-forwarded-for", "::ffff:203.0.113.7")], "203.0.113.7"),
            (vec![("forwarded", "for=203.0.113.7;proto=https;by=10.1.1.1")], "203.0.113.7"),
            (vec![("forwarded", "for=198.51.100.1, for=\"[2001:db8::7]:4711\";proto=https, For=10.1.1.1")], "2001:db8::7"),
            (vec![("forwarded", "for=\"_hid,den\", for=10.1.1.1")], "10.1.1.1"),
            (vec![("forwarded", "for=203.0.113.7"), ("x-forwarded-for", "203.0.113.7")], "203.0.113.7"),
        ] {
            assert_eq!(from("::ffff:127.0.0.1", &trusted, &headers).unwrap(), client, "{headers:?}");
        }
    }

    #[test]
    fn headers_of_anybody_else_are_ignored() {
        let headers = [("x-forwarded-for", "203.0.113.7"), ("forwarded", "for=203.0.113.8")];
        assert_eq!(from("127.0.0.1", &[], &headers).unwrap(), "127.0.0.1");
        assert_eq!(from("192.0.2.1", &["127.0.0.1"], &headers).unwrap(), "192.0.2.1");
    }

    #[test]
    fn headers_that_disagree_are_refused() {
        let headers = [("x-forwarded-for", "203.0.113.7"), ("forwarded", "for=203.0.113.8")];
        assert_eq!(from("127.0.0.1", &["127.0.0.1"], &headers).unwrap_err().code, Code::InvalidHeader);
    }
}
