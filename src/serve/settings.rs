//! How a server is to serve. Its key is in no message.

use std::fmt;
use std::net::SocketAddr;

use super::access::Log;
use super::guard::AllowedOrigin;
use super::room::Clients;

/// How it is served.
#[derive(Clone)]
pub struct Settings {
    /// Where to listen.
    pub address: SocketAddr,
    /// What clients must show as `Authorization: Bearer ...`.
    pub api_key: Option<String>,
    /// Requests in progress or waiting at most; more are turned away with status 429.
    pub queue: usize,
    /// Bytes of a request's body at most.
    pub body: usize,
    /// Pages of a browser that may ask.
    pub origins: Vec<AllowedOrigin>,
    pub clients: Clients,
    /// Told of every request.
    pub log: Option<Log>,
}

impl fmt::Debug for Settings {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { address, api_key, queue, body, origins, clients, log } = self;
        out.debug_struct("Settings")
            .field("address", address)
            .field("api_key", &api_key.as_ref().map(|_| "…"))
            .field("queue", queue)
            .field("body", body)
            .field("origins", origins)
            .field("clients", clients)
            .field("log", &log.is_some())
            .finish()
    }
}
