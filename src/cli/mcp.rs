//! `dojo mcp`: the library, records and runs for other assistants.

use std::net::SocketAddr;
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use clap::Args;

use super::print;
use crate::app::library;
use crate::app::mcp::{McpDesk, over_http, over_stdio};
use crate::config::Folders;

/// Arguments of `dojo mcp`.
#[derive(Args)]
#[command(
    after_help = "Over standard input and output an assistant starts it itself: {\"command\": \"dojo\", \"args\": [\"mcp\"]}."
)]
pub(super) struct McpArguments {
    /// The library: a session's (its name, a sample's, or its folder), or a folder of its own; else that of the session
    /// in `DOJO_SESSION`, else of the one that was open last.
    #[arg(long)]
    library: Option<String>,
    /// Answer over HTTP at this address and /mcp, instead of standard input and output.
    #[arg(long, value_name = "HOST:PORT")]
    http: Option<SocketAddr>,
    /// A name of this machine that may be asked besides localhost; may be given several times.
    #[arg(long, value_name = "HOST", requires = "http")]
    host: Vec<String>,
    /// A page that may ask from a browser (`http://localhost:3000`); none may unless it is named.
    #[arg(long, value_name = "ORIGIN", requires = "http")]
    origin: Vec<String>,
}

pub(super) fn run(arguments: &McpArguments) -> Result<ExitCode> {
    let folders = Folders::from_environment()?;
    let named = arguments.library.clone().or_else(|| std::env::var("DOJO_SESSION").ok());
    let folder = library::folder(&folders, named.as_deref())?;
    let desk = McpDesk::new(folders, folder);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("start")?;
    let Some(address) = arguments.http else {
        runtime.block_on(over_stdio(desk))?;
        return Ok(ExitCode::SUCCESS);
    };
    ensure!(
        address.ip().is_loopback() || !arguments.host.is_empty(),
        "{address} can be reached from other machines: say --host with the name that they may ask for"
    );
    runtime.block_on(async {
        let listener =
            tokio::net::TcpListener::bind(address).await.with_context(|| format!("listen on {address}"))?;
        print::complain(&format!(
            "answering assistants on http://{}/mcp (Ctrl-C ends)",
            listener.local_addr()?
        ));
        tokio::select! {
            ended = over_http(desk, listener, arguments.host.clone(), arguments.origin.clone()) => ended,
            signal = tokio::signal::ctrl_c() => signal.context("listen for signals"),
        }
    })?;
    Ok(ExitCode::SUCCESS)
}
