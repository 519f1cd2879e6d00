//! A public server cannot refer to private networks: not by address, name, redirect or a changed DNS record.

use std::sync::Arc;

use reqwest::dns::Resolve;
use serde_json::json;
use usher_oauth::{
    Endpoint, Error, ErrorKind, HttpClient, HttpOptions, Issuer, NetworkZone, ServerUrl, Step, refresh,
};

use crate::internet::*;
use crate::support::*;

fn blocked(error: Error) -> String {
    match error.kind {
        ErrorKind::BlockedAddress { address } => address,
        kind => panic!("not blocked: {kind:?}"),
    }
}

async fn blocked_discovery(http: &HttpClient, server: &ServerUrl) -> String {
    blocked(discover_with_client(http, server, None).await.unwrap_err())
}

#[test]
fn each_zone_permits_its_addresses() {
    let public = [
        "8.8.8.8",
        "203.0.113.10",
        "172.32.0.1",
        "100.128.0.1",
        "2606:4700::1111",
        "::ffff:8.8.8.8",
        "64:ff9b::808:808",
        "2002:808:808::1",
    ];
    let private = [
        "127.0.0.1",
        "127.255.0.1",
        "10.0.0.1",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "100.64.0.1",
        "100.127.0.1",
        "198.18.0.1",
        "192.0.0.1",
        "::1",
        "fc00::1",
        "fdff::1",
        "fec0::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::7f00:1",
        "64:ff9b::7f00:1",
        "64:ff9b::a00:1",
        "64:ff9b:1::1",
        "2002:7f00:1::1",
        "2002:c0a8:101::",
        "::ffff:0:127.0.0.1",
    ];
    let forbidden = [
        "0.0.0.0",
        "0.1.2.3",
        "169.254.169.254",
        "169.254.0.1",
        "224.0.0.1",
        "239.255.255.250",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "fe80::1",
        "febf::1",
        "ff02::1",
        "::ffff:169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "2002:a9fe:a9fe::",
        "2001:0:1::1",
    ];
    let permits = |zone: NetworkZone, ip: &str| zone.permits(ip.parse().unwrap());
    for (addresses, expected) in
        [(&public[..], (true, true)), (&private[..], (false, true)), (&forbidden[..], (false, false))]
    {
        for ip in addresses {
            let permitted = (permits(NetworkZone::Public, ip), permits(NetworkZone::Private, ip));
            assert_eq!(permitted, expected, "{ip}");
        }
    }
}

#[tokio::test]
async fn the_addresses_of_a_server_determine_its_zone() {
    let table: [(&[&str], Option<NetworkZone>); 6] = [
        (&["203.0.113.10"], Some(NetworkZone::Public)),
        (&["10.0.0.1"], Some(NetworkZone::Private)),
        (&["fd00::1", "127.0.0.1"], Some(NetworkZone::Private)),
        // One public address makes the server public.
        (&["10.0.0.1", "203.0.113.10"], Some(NetworkZone::Public)),
        (&["169.254.169.254"], None),
        (&["0.0.0.0"], None),
    ];
    for (addresses, expected) in table {
        let resolver = Some(Names::new(&[("mcp.example", &[addresses])]) as Arc<dyn Resolve>);
        let server = ServerUrl::parse("https://mcp.example/mcp").unwrap();
        let http = HttpClient::with_options(&server, HttpOptions { resolver, ..Default::default() }).await;
        match (http, expected) {
            (Ok(http), Some(zone)) => assert_eq!(http.zone(), zone),
            (Err(error), None) => {
                assert_eq!((error.step, blocked(error).as_str()), (Step::Probe, "mcp.example"))
            }
            (http, _) => panic!("{addresses:?}: {:?}", http.map(|http| http.zone())),
        }
    }
    for raw in [
        "http://localhost:1/",
        "http://x.localhost:1/",
        "http://127.1:1/",
        "http://[::1]:1/",
        "https://192.168.0.1/",
    ] {
        // These hosts need no resolver.
        let resolver = Some(Names::new(&[]) as Arc<dyn Resolve>);
        let options = HttpOptions { resolver, ..Default::default() };
        let http = HttpClient::with_options(&ServerUrl::parse(raw).unwrap(), options).await;
        assert_eq!(http.unwrap().zone(), NetworkZone::Private, "{raw}");
    }
    let error =
        HttpClient::for_server(&ServerUrl::parse("https://nowhere.invalid/").unwrap()).await.err().unwrap();
    assert!(matches!((error.step, error.kind), (Step::Probe, ErrorKind::Unreachable { .. })));
}

#[tokio::test]
async fn a_public_server_is_discovered() {
    let (fake, address) = public_server().await;
    fake.serve_metadata();
    let http = client(&fake, address, &[("mcp.public.example", &[&[PUBLIC, "10.0.0.1"]])]).await;
    assert_eq!(http.zone(), NetworkZone::Public);
    let discovered = discover_with_client(&http, &fake.server(), None).await.unwrap();
    assert_eq!(discovered.metadata.issuer.as_str(), fake.origin);
}

#[tokio::test]
async fn no_document_of_a_public_server_leads_into_a_private_network() {
    let canary = Canary::start().await;
    let port = canary.address.port();
    let targets = [
        format!("https://127.0.0.1:{port}"),
        format!("http://127.0.0.1:{port}"),
        format!("http://localhost:{port}"),
        format!("http://x.localhost:{port}"),
        format!("https://localhost:{port}"),
        format!("https://[::1]:{port}"),
        format!("https://[::ffff:127.0.0.1]:{port}"),
        format!("https://[::ffff:7f00:1]:{port}"),
        format!("https://2130706433:{port}"),
        format!("https://0x7f000001:{port}"),
        format!("https://0177.0.0.1:{port}"),
        format!("https://127.1:{port}"),
        format!("https://0.0.0.0:{port}"),
        format!("https://inside.example:{port}"),
        format!("https://inside6.example:{port}"),
        "https://169.254.169.254".to_owned(),
        "https://[fe80::1]".to_owned(),
        "https://[fd00:ec2::254]".to_owned(),
        "https://10.0.0.1".to_owned(),
        "https://100.64.0.1".to_owned(),
    ];
    let (fake, address) = public_server().await;
    let names: Records = &[
        ("mcp.public.example", &[&[PUBLIC]]),
        ("inside.example", &[&["127.0.0.1", "10.1.2.3"]]),
        ("inside6.example", &[&["::1", "::ffff:127.0.0.1"]]),
    ];
    let http = client(&fake, address, names).await;
    for target in &targets {
        // The target is used as the authorization server, as the target of redirects, as an endpoint, and in a
        // challenge.
        fake.serve_metadata();
        fake.serve_changed_resource_metadata(json!({ "authorization_servers": [target] }));
        blocked_discovery(&http, &fake.server()).await;

        fake.serve_metadata().on(RESOURCE, Response::redirect(302, "/again"));
        fake.on("GET /again", Response::redirect(307, &format!("{target}/latest/meta-data")));
        let error = discover_with_client(&http, &fake.server(), None).await.unwrap_err();
        match error.kind {
            ErrorKind::BlockedAddress { .. } => {}
            ErrorKind::BadRedirect { .. } => assert!(target.starts_with("http:"), "{target}"),
            kind => panic!("{target}: {kind:?}"),
        }

        if !target.contains("example") {
            fake.serve_changed_metadata(json!({ "authorization_endpoint": format!("{target}/authorize") }));
            blocked_discovery(&http, &fake.server()).await;
        }

        let challenge = challenge(&format!("Bearer resource_metadata=\"{target}/m\""));
        blocked(discover_with_client(&http, &fake.server(), Some(&challenge)).await.unwrap_err());
    }
    assert_eq!(canary.connections(), 0);
}

#[tokio::test]
async fn a_changed_dns_record_does_not_bypass_the_check() {
    let canary = Canary::start().await;
    let (fake, address) = public_server().await;
    fake.serve_metadata();
    // Public at the first lookup, private when the client connects.
    let names = Names::new(&[("mcp.public.example", &[&[PUBLIC], &["127.0.0.1"]])]);
    let server =
        ServerUrl::parse(&format!("https://mcp.public.example:{}/mcp", canary.address.port())).unwrap();
    let http = HttpClient::with_options(&server, options(names, address)).await.unwrap();
    assert_eq!(blocked_discovery(&http, &server).await, "mcp.public.example");
    assert_eq!(canary.connections(), 0);
}

#[tokio::test]
async fn a_server_whose_first_address_is_private_cannot_become_public() {
    let canary = Canary::start().await;
    let (fake, address) = public_server().await;
    fake.serve_changed_metadata(json!({ "token_endpoint": format!("http://{}/token", canary.address) }));
    // Private when the zone is determined, then public with documents that refer to a private address.
    let http = client(&fake, address, &[("mcp.public.example", &[&["10.0.0.1"], &[PUBLIC]])]).await;
    assert_eq!(http.zone(), NetworkZone::Private);
    assert_eq!(blocked_discovery(&http, &fake.server()).await, "mcp.public.example");
    assert_eq!(canary.connections(), 0);
}

#[tokio::test]
async fn a_server_that_moved_to_a_private_network_needs_a_new_client() {
    let (fake, address) = public_server().await;
    fake.serve_metadata();
    let private = "10.0.0.1";
    // Public, then private in another network, then public again.
    let names =
        Names::new(&[("mcp.public.example", &[&[PUBLIC], &[PUBLIC], &[private], &[private], &[PUBLIC]])]);
    let connect_to = vec![(PUBLIC.parse().unwrap(), address), (private.parse().unwrap(), address)];
    let options = || HttpOptions { connect_to: connect_to.clone(), ..options(Arc::clone(&names), address) };
    let public_client = HttpClient::with_options(&fake.server(), options()).await.unwrap();
    discover_with_client(&public_client, &fake.server(), None).await.unwrap();
    assert!(!public_client.has_left_zone());
    // The client rejects all new connections. Open connections are not closed.
    let connection = public_client.connection_builder().build().unwrap();
    connection.get(fake.server().url().clone()).send().await.unwrap_err();
    assert!(public_client.has_left_zone());
    assert_eq!(public_client.zone(), NetworkZone::Public);
    // A new client determines its zone again, and notices that the server becomes public again.
    let private_client = HttpClient::with_options(&fake.server(), options()).await.unwrap();
    assert_eq!((private_client.zone(), private_client.has_left_zone()), (NetworkZone::Private, false));
    blocked_discovery(&private_client, &fake.server()).await;
    assert!(private_client.has_left_zone());
}

#[tokio::test]
async fn a_private_address_of_another_name_does_not_count_as_a_move() {
    let (fake, address) = public_server().await;
    let names: Records = &[("mcp.public.example", &[&[PUBLIC]]), ("inside.example", &[&["10.0.0.1"]])];
    let http = client(&fake, address, names).await;
    fake.serve_metadata();
    fake.serve_changed_resource_metadata(json!({ "authorization_servers": ["https://inside.example"] }));
    blocked_discovery(&http, &fake.server()).await;
    assert!(!http.has_left_zone());
}

#[tokio::test]
async fn a_refresh_token_is_not_sent_into_a_private_network() {
    let canary = Canary::start().await;
    let (fake, address) = public_server().await;
    let names: Records = &[("mcp.public.example", &[&[PUBLIC]]), ("as.public.example", &[&["127.0.0.1"]])];
    let http = client(&fake, address, names).await;
    let token_endpoint = format!("https://as.public.example:{}/token", canary.address.port());
    let mut grant = crate::refresh::grant(&fake);
    grant.binding.issuer = Issuer::parse("https://as.public.example").unwrap();
    grant.binding.token_endpoint = Endpoint::parse("", &token_endpoint).unwrap();
    let error = refresh(&http, &grant, None, now()).await.unwrap_err().error;
    assert!(!error.is_terminal_for_grant());
    assert_eq!(blocked(error), "as.public.example");
    assert_eq!(canary.connections(), 0);
}

#[tokio::test]
async fn a_private_server_may_refer_to_its_neighbours_but_not_to_forbidden_addresses() {
    let (fake, neighbour) = (Fake::start().await, Fake::start().await);
    neighbour.on(METADATA, Response::json(neighbour.server_document()));
    fake.serve_changed_resource_metadata(json!({ "authorization_servers": [neighbour.origin] }));
    discovered(&fake).await;
    for target in [
        "https://169.254.169.254",
        "https://[fe80::1]",
        "https://0.0.0.0",
        "https://[::ffff:169.254.169.254]",
    ] {
        fake.serve_changed_resource_metadata(json!({ "authorization_servers": [target] }));
        blocked(discovery_error(&fake).await);
    }
}

#[tokio::test]
async fn redirects_of_metadata_requests_are_followed_and_checked() {
    let (fake, neighbour) = (Fake::start().await, Fake::start().await);
    neighbour.on("GET /document", Response::json(fake.resource_document()));
    for status in [301, 302, 303, 307, 308] {
        fake.serve_metadata().on(RESOURCE, Response::redirect(status, "/hop"));
        fake.on("GET /hop", Response::redirect(status, &neighbour.at("/document")));
        discovered(&fake).await;
    }
    for (target, why) in [
        ("javascript:alert(1)", "“javascript:” is not allowed, only “https:”"),
        ("file:///etc/passwd", "“file:” is not allowed, only “https:”"),
        ("http://as.example/", "it is not encrypted (http)"),
        ("https://user@as.example/", "it contains a user name"),
    ] {
        fake.on(RESOURCE, Response::redirect(302, target));
        let error = discovery_error(&fake).await;
        assert_eq!(error.kind, ErrorKind::BadRedirect { why: why.into() }, "{target}");
    }
    // At most five redirects.
    for hop in 0..6 {
        fake.on(&format!("GET /{hop}"), Response::redirect(302, &format!("/{}", hop + 1)));
    }
    fake.on("GET /6", Response::json(fake.resource_document()));
    fake.on(RESOURCE, Response::redirect(302, "/2"));
    discovered(&fake).await;
    fake.on(RESOURCE, Response::redirect(302, "/1"));
    let error = discovery_error(&fake).await;
    assert_eq!(error.kind, ErrorKind::BadRedirect { why: "there are too many redirects".into() });
}

#[tokio::test]
async fn an_untrusted_certificate_is_a_tls_error() {
    let (fake, address) = public_server().await;
    let names = Names::new(&[("mcp.public.example", &[&[PUBLIC]])]);
    let untrusting = HttpOptions { authorities: Vec::new(), ..options(names, address) };
    let http = HttpClient::with_options(&fake.server(), untrusting).await.unwrap();
    let error = discover_with_client(&http, &fake.server(), None).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Tls { why: "the issuer of its certificate is not trusted".into() });
    assert!(!error.is_terminal_for_grant() && error.is_transient());
}

#[tokio::test]
async fn a_proxy_resolves_unknown_names_and_is_not_used_for_loopback() {
    let (proxy, fake) = (Canary::start().await, Fake::start().await);
    let with_proxy = |names: Records| HttpOptions {
        resolver: Some(Names::new(names)),
        proxy: Some(format!("http://{}", proxy.address).parse().unwrap()),
        ..short_deadlines()
    };
    // Names that only the proxy can resolve are public, and requests go through the proxy.
    let server = ServerUrl::parse("https://mcp.public.example/mcp").unwrap();
    let http = HttpClient::with_options(&server, with_proxy(&[])).await.unwrap();
    assert_eq!(http.zone(), NetworkZone::Public);
    discover_with_client(&http, &server, None).await.unwrap_err();
    let connections = proxy.connections();
    assert!(connections > 0);
    // A name that this computer resolves to a private address is not requested through the proxy.
    let names: Records = &[("mcp.public.example", &[&[PUBLIC], &["10.0.0.1"]])];
    let http = HttpClient::with_options(&server, with_proxy(names)).await.unwrap();
    assert_eq!(blocked_discovery(&http, &server).await, "mcp.public.example");
    // Requests to a server on this computer do not go through the proxy.
    fake.serve_metadata();
    let http = HttpClient::with_options(&fake.server(), with_proxy(&[])).await.unwrap();
    discover_with_client(&http, &fake.server(), None).await.unwrap();
    assert_eq!(proxy.connections(), connections);
}
