//! Who may ask: which names of this machine, which pages of a browser, which key.

use std::net::IpAddr;

use anyhow::{Result, bail};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use subtle::ConstantTimeEq;

use super::SharedService;
use super::error::ApiError;

/// Pages of a browser that may ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AllowedOrigin {
    /// All.
    Any,
    /// Those of this machine, at any port.
    Local,
    /// Those of one site: its scheme, name and port, as a browser sends them.
    Site(String),
}

impl std::str::FromStr for AllowedOrigin {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let text = text.trim_end_matches('/').to_ascii_lowercase();
        match text.as_str() {
            "*" => Ok(Self::Any),
            "localhost" => Ok(Self::Local),
            site => match site.split_once("://") {
                Some((_, name)) if !name.is_empty() && !name.contains('/') => Ok(Self::Site(text)),
                _ => bail!("{text:?} is no origin: give `https://example.org`, `localhost` or `*`"),
            },
        }
    }
}

impl AllowedOrigin {
    fn admits(&self, page: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Local => page.parse::<Uri>().is_ok_and(|page| page.host().is_some_and(is_local)),
            Self::Site(site) => site.eq_ignore_ascii_case(page),
        }
    }
}

/// Refuses other names than this machine's where anybody on it may ask: a name that a page's owner points here would
/// let that page ask too.
pub(crate) async fn check_host(
    State(service): State<SharedService>,
    request: Request,
    next: Next,
) -> Response {
    let mut named = request.headers().get_all(header::HOST).iter();
    let foreign = |host: &str| !host.parse::<Uri>().is_ok_and(|host| host.host().is_some_and(is_local));
    let is_foreign = named.any(|host| host.to_str().map_or(true, foreign))
        || request.uri().host().is_some_and(|host| !is_local(host));
    if service.only_local && is_foreign {
        let message = "this server answers only to localhost and loopback addresses: to use another name, set \
                       DOJO_API_KEY and start it again";
        return ApiError::new(StatusCode::FORBIDDEN, message).code("host_not_allowed").into_response();
    }
    next.run(request).await
}

/// Answers a browser that asks which pages may ask, and tells it so with every answer.
pub(crate) async fn tell_browsers(
    State(service): State<SharedService>,
    request: Request,
    next: Next,
) -> Response {
    let headers = request.headers();
    let Some(page) = headers.get(header::ORIGIN).cloned() else { return next.run(request).await };
    let admitted = page.to_str().is_ok_and(|page| service.origins.iter().any(|origin| origin.admits(page)));
    let asks = headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let wanted = headers.get(header::ACCESS_CONTROL_REQUEST_HEADERS).cloned();
    let asks_for_local = headers.contains_key("access-control-request-private-network");
    let is_question = asks && request.method() == Method::OPTIONS;
    let mut response = match (is_question, admitted) {
        (false, _) => next.run(request).await,
        (true, true) => StatusCode::NO_CONTENT.into_response(),
        (true, false) => {
            let message =
                "pages of this origin may not ask: start the server with `--origin` and its address";
            ApiError::new(StatusCode::FORBIDDEN, message).code("origin_not_allowed").into_response()
        }
    };
    let headers = response.headers_mut();
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
    if !admitted {
        return response;
    }
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, page);
    if is_question {
        let methods = HeaderValue::from_static("GET, POST, OPTIONS");
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, methods);
        let usual = HeaderValue::from_static("authorization, content-type");
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, wanted.unwrap_or(usual));
        if asks_for_local {
            // A page from elsewhere that asks this machine: some browsers want a word of it.
            headers.insert("access-control-allow-private-network", HeaderValue::from_static("true"));
        }
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    }
    response
}

/// Lets a request through whose key is right, or all where there is none.
pub(crate) async fn check_key(
    State(service): State<SharedService>,
    request: Request,
    next: Next,
) -> Response {
    if let Some(key) = &service.api_key {
        let shown = bearer(request.headers()).unwrap_or_default();
        if !same(shown.as_bytes(), key.as_bytes()) {
            let message = "the API key is missing or wrong: send `Authorization: Bearer KEY`";
            return ApiError::new(StatusCode::UNAUTHORIZED, message).code("invalid_api_key").into_response();
        }
    }
    next.run(request).await
}

/// The key that is shown; its scheme's name may be in any case.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, key) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
}

/// A name or address of this machine that no other could have.
fn is_local(host: &str) -> bool {
    let name = host.trim_end_matches('.').to_ascii_lowercase();
    let address = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    name == "localhost" || name.ends_with(".localhost") || address.is_ok_and(|address| address.is_loopback())
}

/// Compares in a time that doesn't tell how much of the key was right.
fn same(shown: &[u8], key: &[u8]) -> bool {
    shown.ct_eq(key).into()
}
