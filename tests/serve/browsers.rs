//! Pages of a browser, names of the machine, keys.

use reqwest::{Method, RequestBuilder};

use super::{Server, json_of, serve};

fn preflight(server: &Server, origin: &str) -> RequestBuilder {
    let request = server.client.request(Method::OPTIONS, format!("{}/v1/chat/completions", server.url));
    request
        .header("origin", origin)
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "authorization,content-type,x-stainless-os")
}

#[tokio::test]
async fn a_browser_is_told_without_a_key_which_pages_may_ask() {
    let server = serve(Some("secret"), 8).await;
    for origin in ["http://localhost:3000", "https://127.0.0.1", "http://[::1]:8000"] {
        let response = preflight(&server, origin).send().await.unwrap();
        assert_eq!(response.status(), 204);
        let headers = response.headers();
        assert_eq!(headers["access-control-allow-origin"], origin);
        assert_eq!(headers["access-control-allow-methods"], "GET, POST, OPTIONS");
        assert_eq!(headers["access-control-allow-headers"], "authorization,content-type,x-stainless-os");
        assert!(!headers.contains_key("allow"));
    }
    for origin in ["https://evil.example", "http://localhost.evil.example", "null"] {
        let response = preflight(&server, origin).send().await.unwrap();
        assert_eq!(response.status(), 403);
        assert!(!response.headers().contains_key("access-control-allow-origin"));
        assert!(json_of(response).await["error"]["message"].as_str().unwrap().contains("--origin"));
    }
    // An answer says so too, even where the key is wrong: else the page can't read why.
    let models = format!("{}/v1/models", server.url);
    let response = server.client.get(models).header("origin", "http://localhost:3000").send().await.unwrap();
    assert_eq!(response.status(), 401);
    assert_eq!(response.headers()["access-control-allow-origin"], "http://localhost:3000");
    server.end().await;
}

#[tokio::test]
async fn without_a_key_only_this_machines_names_are_answered() {
    let server = serve(None, 8).await;
    let ask = async |host: &str| {
        let request = server.client.get(format!("{}/v1/models", server.url)).header("host", host);
        request.send().await.unwrap().status().as_u16()
    };
    for host in ["localhost", "LOCALHOST:8080", "127.0.0.1:1", "[::1]:8080", "studio.localhost"] {
        assert_eq!(ask(host).await, 200, "{host}");
    }
    for host in ["evil.example", "127.0.0.1.evil.example:8080", "192.168.1.5", "localhost.evil.example"] {
        assert_eq!(ask(host).await, 403, "{host}");
    }
    server.end().await;
    let server = serve(Some("secret"), 8).await;
    let request = server.client.get(format!("{}/v1/models", server.url)).header("host", "models.example");
    assert_eq!(request.header("authorization", "bEARER secret").send().await.unwrap().status(), 200);
    server.end().await;
}

#[tokio::test]
async fn a_second_name_is_no_way_round_the_first() {
    let server = serve(None, 8).await;
    let both = server.client.get(format!("{}/v1/models", server.url)).header("host", "localhost");
    let mut headers = reqwest::header::HeaderMap::new();
    headers.append("host", "localhost".parse().unwrap());
    headers.append("host", "evil.example".parse().unwrap());
    assert_eq!(both.try_clone().unwrap().send().await.unwrap().status(), 200);
    assert_eq!(both.headers(headers).send().await.unwrap().status(), 403);
    // Some browsers ask a page from elsewhere for a word about this machine.
    let asked = preflight(&server, "http://localhost:3000");
    let response = asked.header("access-control-request-private-network", "true").send().await.unwrap();
    assert_eq!(response.headers()["access-control-allow-private-network"], "true");
    server.end().await;
}
