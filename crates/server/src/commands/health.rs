//! `samphan health`: asks a running server whether it is ready. An image without a shell and `curl` needs it for its health check.

use clap::Args;
use std::{net::SocketAddr, time::Duration};

const TIMEOUT: Duration = Duration::from_secs(4);

/// Which server to ask.
#[derive(Clone, Debug, Args)]
pub struct Health {
    /// Address and port of the server, as `samphan serve` has it. For all networks (`0.0.0.0`) the loopback address is asked.
    #[arg(long, value_name = "ADDRESS:PORT", env = "SAMPHAN_LISTEN", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
}

impl Health {
    /// The address that is asked.
    fn url(&self) -> String {
        let mut address = self.listen;
        if address.ip().is_unspecified() {
            address.set_ip(if address.is_ipv4() { [127, 0, 0, 1].into() } else { std::net::Ipv6Addr::LOCALHOST.into() });
        }
        format!("http://{address}/health/ready")
    }
}

/// Fails unless the server answers within 4 s that it is ready.
pub async fn check(options: &Health) -> Result<(), String> {
    samphan_background::tls::install_tls_provider();
    let url = options.url();
    let client = reqwest::Client::builder().timeout(TIMEOUT).no_proxy().build().map_err(|e| e.to_string())?;
    match client.get(&url).send().await {
        Ok(answer) if answer.status().is_success() => Ok(()),
        Ok(answer) => Err(format!("{url} answered {}", answer.status())),
        Err(error) => Err(format!("{url} did not answer: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::Health;

    #[test]
    fn unspecified_addresses_are_asked_on_loopback() {
        for (listen, url) in [
            ("0.0.0.0:8080", "http://127.0.0.1:8080/health/ready"),
            ("[::]:80", "http://[::1]:80/health/ready"),
            ("10.0.0.7:9", "http://10.0.0.7:9/health/ready"),
        ] {
            assert_eq!(Health { listen: listen.parse().unwrap() }.url(), url);
        }
    }
}
