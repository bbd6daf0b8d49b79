//! Security, by the OWASP API security top ten of 2023. Where the proof stands elsewhere this says where, and only what is missing is here.
//!
//! | item | proved by |
//! |---|---|
//! | API1 broken object level authorization | `platform::access`, `platform::audit`, `walks` |
//! | API2 broken authentication | `walks` (worthless tokens on every operation), `platform::sessions`, `platform::machines`, and here |
//! | API3 broken object property level authorization | `walks` (what is not one's own to set), `platform::access` (hidden fields), `platform::privacy` |
//! | API4 unrestricted resource consumption | `service::edges`, `kernel::bad_input`, `limits`, and here |
//! | API5 broken function level authorization | `walks` (every permission, with it and without) |
//! | API6 unrestricted access to sensitive business flows | `sales::crowds`, `stock::crowds`, `sales::holds`, `kernel::once` |
//! | API7 server side request forgery | `integration::webhooks`, `webhooks::address`, and here |
//! | API8 security misconfiguration | `service::settings`, and here |
//! | API9 improper inventory management | `contract`: what is served is what is published |
//! | API10 unsafe consumption of APIs | here; `integration::credit_feed` for what accounting says |
//!
//! SQL injection: a request cannot reach the text of a statement by type (`persistence::sql`: text is `&'static str`, and whatever else writes
//! it is within that crate); `kernel::filters` and `kernel::strings` try all the same. There are no exports as CSV yet, so nothing can become a
//! formula in a spreadsheet, and no uploads. Text of every script, stacked vowels, joiners, surrogates and NUL among it: `kernel::strings` and
//! `kernel::bad_input`.

mod api10_unsafe_consumption_of_apis;
mod api2_broken_authentication;
mod api4_unrestricted_resource_consumption;
mod api7_server_side_request_forgery;
mod api8_security_misconfiguration;
mod dependencies;
mod files;
mod limits;
mod secrets;
