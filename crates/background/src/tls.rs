//! TLS of the clients of this process.

/// Has clients use the TLS that the database's driver uses. Clients of this process cannot be built before.
pub fn install_tls_provider() {
    // It may have been said before.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
