//! The library, the records and the runs of a session, for other assistants, over the Model Context Protocol
//! (modelcontextprotocol.io). It reads only: nothing is approved, trained or deleted through it.

mod arguments;
mod desk;
mod documents;
mod query;
mod sessions;
mod tools;

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use anyhow::{Context, Result};
use axum::Router;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, Implementation, ListToolsResult,
    PaginatedRequestParams, ServerCapabilities, ServerConfig,
};
use rmcp::service::{RequestContext, RoleServer, ServiceExt};
use rmcp::transport::stdio;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use rmcp::{ErrorData, ServerHandler};
use tokio::net::TcpListener;

pub use desk::McpDesk;

use crate::ground::thread;

/// The path that HTTP clients ask at.
const PATH: &str = "/mcp";
/// How often it is looked whether another process wants the index, which stays open between questions.
const LOOK: Duration = Duration::from_millis(50);

/// What answers assistants; a clone for each connection shares the desk.
#[derive(Clone)]
struct McpServer {
    desk: Arc<Mutex<McpDesk>>,
    instructions: Arc<str>,
}

impl McpServer {
    fn new(desk: McpDesk) -> Result<Self> {
        let instructions = desk.instructions().into();
        let desk = Arc::new(Mutex::new(desk));
        let lent = Arc::downgrade(&desk);
        thread::start("dojo-mcp-index", move || lend_index(&lent)).context("start lending the index")?;
        Ok(Self { desk, instructions })
    }
}

/// Lets other processes have the index when they want it, as long as there is a desk.
fn lend_index(desk: &Weak<Mutex<McpDesk>>) {
    while let Some(desk) = desk.upgrade() {
        // A question that is being answered is waited for.
        desk.lock().unwrap_or_else(PoisonError::into_inner).open.let_go_if_wanted();
        drop(desk);
        std::thread::park_timeout(LOOK);
    }
}

impl ServerHandler for McpServer {
    fn get_info(&self) -> ServerConfig {
        let capabilities = ServerCapabilities::builder().enable_tools().build();
        ServerConfig::new(capabilities)
            .with_server_info(Implementation::new("dojo", env!("CARGO_PKG_VERSION")))
            .with_instructions(self.instructions.to_string())
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> std::result::Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(tools::all()))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        _: RequestContext<RoleServer>,
    ) -> std::result::Result<CallToolResponse, ErrorData> {
        let desk = Arc::clone(&self.desk);
        let answered = tokio::task::spawn_blocking(move || {
            let mut desk = desk.lock().unwrap_or_else(PoisonError::into_inner);
            tools::call(&mut desk, &request.name, request.arguments.unwrap_or_default())
        });
        let result = match answered.await {
            Ok(Ok(answer)) => {
                let mut result = CallToolResult::structured(answer.value);
                result.content = vec![ContentBlock::text(answer.text)];
                result
            }
            // A caller reads this, where an error of the protocol would be hidden from it.
            Ok(Err(error)) => CallToolResult::error(vec![ContentBlock::text(format!("{error:#}"))]),
            Err(error) => {
                return Err(ErrorData::internal_error(format!("the call broke off: {error}"), None));
            }
        };
        Ok(result.into())
    }
}

/// Answers one assistant over standard input and output, until it goes.
///
/// # Errors
/// Where the protocol can't begin.
pub async fn over_stdio(desk: McpDesk) -> Result<()> {
    let server = McpServer::new(desk)?.serve(stdio()).await.context("begin with the assistant")?;
    server.waiting().await.context("talk with the assistant")?;
    Ok(())
}

/// Answers assistants over HTTP at `/mcp`. Foreign names of this machine and pages of browsers are refused, but for
/// those named here.
///
/// # Errors
/// Where the listener fails.
pub async fn over_http(
    desk: McpDesk,
    listener: TcpListener,
    hosts: Vec<String>,
    origins: Vec<String>,
) -> Result<()> {
    let server = McpServer::new(desk)?;
    let local = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
    let config = StreamableHttpServerConfig::default()
        .with_allowed_hosts(local.into_iter().chain(hosts))
        .with_allowed_origins(origins)
        .enforce_origin_validation();
    let sessions = Arc::new(LocalSessionManager::default());
    let service = StreamableHttpService::new(move || Ok(server.clone()), sessions, config);
    let router = Router::new().nest_service(PATH, service);
    axum::serve(listener, router).await.context("answer assistants over HTTP")
}
