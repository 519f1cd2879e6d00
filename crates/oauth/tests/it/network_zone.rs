//! A public server cannot refer to private networks: not by address, name, redirect or a changed DNS record.

use std::sync::Arc;

use reqwest::dns::Resolve;
use serde_json::json;
use usher_oauth::{
    AuthMethod, ClientSettings, Discovered, DiscoveryRequest, Endpoint, Error, ErrorKind, Grant,
    GrantBinding, HttpClient, HttpOptions, Issuer, NetworkZone, ServerUrl, Step, discover, refresh,
};

use crate::internet::{Canary, Names, PUBLIC, options, public};
use crate::support::{Answer, Fake, discover_with, merged, now};

const RESOURCE: &str = "GET /.well-known/oauth-protected-resource/mcp";
const METADATA: &str = "GET /.well-known/oauth-authorization-server";

async fn discover_by(http: &HttpClient, server: &ServerUrl) -> Result<Discovered, Error> {
    let settings = ClientSettings::default();
    discover(http, DiscoveryRequest { server, challenge: None, settings: &settings, has_grant: false }).await
}

fn blocked(error: Error) -> String {
    match error.kind {
        ErrorKind::BlockedAddress { address } => address,
        kind => panic!("not blocked: {kind:?}"),
    }
}

#[test]
fn permitted_addresses_by_zone() {
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
    for (addresses, by_public, by_private) in
        [(&public[..], true, true), (&private[..], false, true), (&forbidden[..], false, false)]
    {
        for ip in addresses {
            assert_eq!(
                (permits(NetworkZone::Public, ip), permits(NetworkZone::Private, ip)),
                (by_public, by_private),
                "{ip}"
            );
        }
    }
}

#[tokio::test]
async fn the_addresses_of_a_server_determine_its_zone() {
    let table: [(&[&str], Option<NetworkZone>); 6] = [
        (&["203.0.113.10"], Some(NetworkZone::Public)),
        (&["10.0.0.1"], Some(NetworkZone::Private)),
        (&["fd00::1", "127.0.0.1"], Some(NetworkZone::Private)),
        // One public address is enough.
        (&["10.0.0.1", "203.0.113.10"], Some(NetworkZone::Public)),
        (&["169.254.169.254"], None),
        (&["0.0.0.0"], None),
    ];
    for (addresses, expected) in table {
        let resolver = Some(Names::new(&[("mcp.example", &[addresses])]) as std::sync::Arc<dyn Resolve>);
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
        // These need no resolver.
        let resolver = Some(Names::new(&[]) as std::sync::Arc<dyn Resolve>);
        let options = HttpOptions { resolver, ..Default::default() };
        let http = HttpClient::with_options(&ServerUrl::parse(raw).unwrap(), options).await;
        assert_eq!(http.unwrap().zone(), NetworkZone::Private, "{raw}");
    }
    let error =
        HttpClient::for_server(&ServerUrl::parse("https://nowhere.invalid/").unwrap()).await.err().unwrap();
    assert!(matches!((error.step, error.kind), (Step::Probe, ErrorKind::Unreachable { .. })));
}

#[tokio::test]
async fn a_public_server_works() {
    let (fake, address) = public().await;
    fake.with_documents();
    let names = Names::new(&[("mcp.public.example", &[&[PUBLIC, "10.0.0.1"]])]);
    let http = HttpClient::with_options(&fake.server(), options(names, address)).await.unwrap();
    assert_eq!(http.zone(), NetworkZone::Public);
    assert_eq!(discover_by(&http, &fake.server()).await.unwrap().metadata.issuer.as_str(), fake.origin);
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
    let (fake, address) = public().await;
    let names: &[(&str, &[&[&str]])] = &[
        ("mcp.public.example", &[&[PUBLIC]]),
        ("inside.example", &[&["127.0.0.1", "10.1.2.3"]]),
        ("inside6.example", &[&["::1", "::ffff:127.0.0.1"]]),
    ];
    let http = HttpClient::with_options(&fake.server(), options(Names::new(names), address)).await.unwrap();
    for target in &targets {
        // As the authorization server, the target of redirects, an endpoint, and the document of a challenge.
        let resource = merged(fake.resource_document(), json!({ "authorization_servers": [target] }));
        fake.with_documents().on(RESOURCE, Answer::json(resource));
        blocked(discover_by(&http, &fake.server()).await.unwrap_err());

        fake.with_documents().on(RESOURCE, Answer::redirect(302, "/again"));
        fake.on("GET /again", Answer::redirect(307, &format!("{target}/latest/meta-data")));
        let error = discover_by(&http, &fake.server()).await.unwrap_err();
        match error.kind {
            ErrorKind::BlockedAddress { .. } => {}
            ErrorKind::BadRedirect { .. } => assert!(target.starts_with("http:"), "{target}"),
            kind => panic!("{target}: {kind:?}"),
        }

        if !target.contains("example") {
            fake.with_server_document(json!({ "authorization_endpoint": format!("{target}/authorize") }));
            blocked(discover_by(&http, &fake.server()).await.unwrap_err());
        }

        let challenge = crate::support::challenge(&format!("Bearer resource_metadata=\"{target}/m\""));
        let (server, settings) = (fake.server(), ClientSettings::default());
        let request = DiscoveryRequest {
            server: &server,
            challenge: Some(&challenge),
            settings: &settings,
            has_grant: false,
        };
        blocked(discover(&http, request).await.unwrap_err());
    }
    assert_eq!(canary.heard(), 0);
}

#[tokio::test]
async fn a_changed_dns_record_does_not_bypass_the_check() {
    let canary = Canary::start().await;
    let (fake, address) = public().await;
    fake.with_documents();
    // Public at the first lookup, private when the client connects.
    let names = Names::new(&[("mcp.public.example", &[&[PUBLIC], &["127.0.0.1"]])]);
    let server =
        ServerUrl::parse(&format!("https://mcp.public.example:{}/mcp", canary.address.port())).unwrap();
    let http = HttpClient::with_options(&server, options(names, address)).await.unwrap();
    assert_eq!(blocked(discover_by(&http, &server).await.unwrap_err()), "mcp.public.example");
    assert_eq!(canary.heard(), 0);
}

#[tokio::test]
async fn a_dns_record_that_was_private_first_does_not_open_private_networks() {
    let canary = Canary::start().await;
    let (fake, address) = public().await;
    fake.with_server_document(json!({ "token_endpoint": format!("http://{}/token", canary.address) }));
    // Private when the zone is determined, then public with documents that refer to a private address.
    let names = Names::new(&[("mcp.public.example", &[&["10.0.0.1"], &[PUBLIC]])]);
    let http = HttpClient::with_options(&fake.server(), options(names, address)).await.unwrap();
    assert_eq!(http.zone(), NetworkZone::Private);
    assert_eq!(blocked(discover_by(&http, &fake.server()).await.unwrap_err()), "mcp.public.example");
    assert_eq!(canary.heard(), 0);
}

#[tokio::test]
async fn a_server_that_moved_to_a_private_network_needs_a_new_client() {
    let (fake, address) = public().await;
    fake.with_documents();
    let private = "10.0.0.1";
    // Public, then private in another network, then public again.
    let names =
        Names::new(&[("mcp.public.example", &[&[PUBLIC], &[PUBLIC], &[private], &[private], &[PUBLIC]])]);
    let connect_to = vec![(PUBLIC.parse().unwrap(), address), (private.parse().unwrap(), address)];
    let options = || HttpOptions { connect_to: connect_to.clone(), ..options(Arc::clone(&names), address) };
    let outside = HttpClient::with_options(&fake.server(), options()).await.unwrap();
    discover_by(&outside, &fake.server()).await.unwrap();
    assert!(!outside.has_left_zone());
    // Open connections keep working; new ones are rejected permanently.
    let unconnected = outside.connection_builder().build().unwrap();
    unconnected.get(fake.server().url().clone()).send().await.unwrap_err();
    assert!(outside.has_left_zone());
    assert_eq!(outside.zone(), NetworkZone::Public);
    // A new client determines its zone again, and notices that the server becomes public again.
    let within = HttpClient::with_options(&fake.server(), options()).await.unwrap();
    assert_eq!((within.zone(), within.has_left_zone()), (NetworkZone::Private, false));
    blocked(discover_by(&within, &fake.server()).await.unwrap_err());
    assert!(within.has_left_zone());
}

#[tokio::test]
async fn a_private_address_of_another_name_does_not_count_as_a_move() {
    let (fake, address) = public().await;
    let names = Names::new(&[("mcp.public.example", &[&[PUBLIC]]), ("inside.example", &[&["10.0.0.1"]])]);
    let http = HttpClient::with_options(&fake.server(), options(names, address)).await.unwrap();
    let resource =
        merged(fake.resource_document(), json!({ "authorization_servers": ["https://inside.example"] }));
    fake.with_documents().on(RESOURCE, Answer::json(resource));
    blocked(discover_by(&http, &fake.server()).await.unwrap_err());
    assert!(!http.has_left_zone());
}

#[tokio::test]
async fn a_refresh_token_is_not_sent_into_a_private_network() {
    let canary = Canary::start().await;
    let (fake, address) = public().await;
    let names = Names::new(&[("mcp.public.example", &[&[PUBLIC]]), ("as.public.example", &[&["127.0.0.1"]])]);
    let http = HttpClient::with_options(&fake.server(), options(names, address)).await.unwrap();
    let token_endpoint = format!("https://as.public.example:{}/token", canary.address.port());
    let grant = Grant {
        binding: GrantBinding {
            issuer: Issuer::parse("https://as.public.example").unwrap(),
            token_endpoint: Endpoint::parse("", &token_endpoint).unwrap(),
            revocation_endpoint: None,
            client_id: "app".into(),
            auth_method: AuthMethod::None,
            resource: fake.at("/mcp"),
            sends_resource: true,
        },
        ..crate::refresh::grant(&fake)
    };
    let error = refresh(&http, &grant, None, now()).await.unwrap_err().error;
    assert!(!error.is_terminal_for_grant());
    assert_eq!(blocked(error), "as.public.example");
    assert_eq!(canary.heard(), 0);
}

#[tokio::test]
async fn a_private_server_may_refer_to_its_neighbours_but_not_to_forbidden_addresses() {
    let (fake, neighbour) = (Fake::start().await, Fake::start().await);
    let leading_to = |target: &str| {
        let resource = merged(fake.resource_document(), json!({ "authorization_servers": [target] }));
        fake.on(RESOURCE, Answer::json(resource));
    };
    neighbour.on(METADATA, Answer::json(neighbour.server_document()));
    leading_to(&neighbour.origin);
    discover_with(&fake, None, &ClientSettings::default()).await.unwrap();
    for target in [
        "https://169.254.169.254",
        "https://[fe80::1]",
        "https://0.0.0.0",
        "https://[::ffff:169.254.169.254]",
    ] {
        leading_to(target);
        blocked(discover_with(&fake, None, &ClientSettings::default()).await.unwrap_err());
    }
}

#[tokio::test]
async fn redirects_of_documents_are_followed_and_checked() {
    let (fake, neighbour) = (Fake::start().await, Fake::start().await);
    neighbour.on("GET /document", Answer::json(fake.resource_document()));
    for status in [301, 302, 303, 307, 308] {
        fake.with_documents().on(RESOURCE, Answer::redirect(status, "/hop"));
        fake.on("GET /hop", Answer::redirect(status, &neighbour.at("/document")));
        discover_with(&fake, None, &ClientSettings::default()).await.unwrap();
    }
    for (target, why) in [
        ("javascript:alert(1)", "“javascript:” is not allowed, only “https:”"),
        ("file:///etc/passwd", "“file:” is not allowed, only “https:”"),
        ("http://as.example/", "it is not encrypted (http)"),
        ("https://user@as.example/", "it contains a user name"),
    ] {
        fake.on(RESOURCE, Answer::redirect(302, target));
        let error = discover_with(&fake, None, &ClientSettings::default()).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::BadRedirect { why: why.into() }, "{target}");
    }
    // At most five redirects.
    for hop in 0..6 {
        fake.on(&format!("GET /{hop}"), Answer::redirect(302, &format!("/{}", hop + 1)));
    }
    fake.on("GET /6", Answer::json(fake.resource_document()));
    fake.on(RESOURCE, Answer::redirect(302, "/2"));
    discover_with(&fake, None, &ClientSettings::default()).await.unwrap();
    fake.on(RESOURCE, Answer::redirect(302, "/1"));
    let error = discover_with(&fake, None, &ClientSettings::default()).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::BadRedirect { why: "there are too many redirects".into() });
}

#[tokio::test]
async fn an_untrusted_certificate_is_a_tls_error() {
    let (fake, address) = public().await;
    let names = Names::new(&[("mcp.public.example", &[&[PUBLIC]])]);
    let untrusting = HttpOptions { authorities: Vec::new(), ..options(names, address) };
    let http = HttpClient::with_options(&fake.server(), untrusting).await.unwrap();
    let error = discover_by(&http, &fake.server()).await.unwrap_err();
    assert!(matches!(error.kind, ErrorKind::Tls { .. }), "{error}");
    assert!(!error.is_terminal_for_grant() && error.is_transient());
}

#[tokio::test]
async fn a_proxy_resolves_what_this_computer_cannot_and_loopback_goes_around_it() {
    let (proxy, fake) = (Canary::start().await, Fake::start().await);
    let behind = |names: &[(&'static str, &[&[&'static str]])]| HttpOptions {
        resolver: Some(Names::new(names)),
        proxy: Some(format!("http://{}", proxy.address).parse().unwrap()),
        ..crate::support::short_deadlines()
    };
    // Names that only the proxy can resolve are public, and requests go through the proxy.
    let server = ServerUrl::parse("https://mcp.public.example/mcp").unwrap();
    let http = HttpClient::with_options(&server, behind(&[])).await.unwrap();
    assert_eq!(http.zone(), NetworkZone::Public);
    discover_by(&http, &server).await.unwrap_err();
    let connections = proxy.heard();
    assert!(connections > 0);
    // A name that this computer resolves to a private address is not requested through the proxy.
    let names: &[(&str, &[&[&str]])] = &[("mcp.public.example", &[&[PUBLIC], &["10.0.0.1"]])];
    let http = HttpClient::with_options(&server, behind(names)).await.unwrap();
    assert_eq!(blocked(discover_by(&http, &server).await.unwrap_err()), "mcp.public.example");
    // Requests to a server on this computer do not go through the proxy.
    fake.with_documents();
    let http = HttpClient::with_options(&fake.server(), behind(&[])).await.unwrap();
    discover_by(&http, &fake.server()).await.unwrap();
    assert_eq!(proxy.heard(), connections);
}
