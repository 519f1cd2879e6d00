//! A public server leads into no private network: by number, by name, by redirect, or by a change of mind.

use std::sync::Arc;

use reqwest::dns::Resolve;
use serde_json::json;
use usher_oauth::{
    AuthMethod, Binding, ClientSettings, Discovered, DiscoveryRequest, Endpoint, Error, ErrorKind, Grant,
    HttpClient, HttpOptions, Issuer, Reach, ServerUrl, Step, discover, refresh,
};

use crate::internet::{Canary, Names, PUBLIC, options, public};
use crate::support::{Answer, Fake, discover_with, merged, now};

const RESOURCE: &str = "GET /.well-known/oauth-protected-resource/mcp";
const METADATA: &str = "GET /.well-known/oauth-authorization-server";

async fn discover_by(http: &HttpClient, server: &ServerUrl) -> Result<Discovered, Error> {
    let settings = ClientSettings::default();
    discover(http, DiscoveryRequest { server, challenge: None, settings: &settings, has_credentials: false })
        .await
}

fn blocked(error: Error) -> String {
    match error.kind {
        ErrorKind::BlockedAddress { address } => address,
        kind => panic!("not blocked: {kind:?}"),
    }
}

#[test]
fn the_rule_by_number() {
    let internet = [
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
    let nowhere = [
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
    let permits = |reach: Reach, ip: &str| reach.permits(ip.parse().unwrap());
    for (addresses, by_public, by_private) in
        [(&internet[..], true, true), (&private[..], false, true), (&nowhere[..], false, false)]
    {
        for ip in addresses {
            assert_eq!(
                (permits(Reach::Public, ip), permits(Reach::Private, ip)),
                (by_public, by_private),
                "{ip}"
            );
        }
    }
}

#[tokio::test]
async fn the_reach_follows_from_where_the_server_is() {
    let table: [(&[&str], Option<Reach>); 6] = [
        (&["203.0.113.10"], Some(Reach::Public)),
        (&["10.0.0.1"], Some(Reach::Private)),
        (&["fd00::1", "127.0.0.1"], Some(Reach::Private)),
        // One foot outside is outside.
        (&["10.0.0.1", "203.0.113.10"], Some(Reach::Public)),
        (&["169.254.169.254"], None),
        (&["0.0.0.0"], None),
    ];
    for (addresses, expected) in table {
        let resolver = Some(Names::new(&[("mcp.example", &[addresses])]) as std::sync::Arc<dyn Resolve>);
        let server = ServerUrl::parse("https://mcp.example/mcp").unwrap();
        let http = HttpClient::with_options(&server, HttpOptions { resolver, ..Default::default() }).await;
        match (http, expected) {
            (Ok(http), Some(reach)) => assert_eq!(http.reach(), reach),
            (Err(error), None) => {
                assert_eq!((error.step, blocked(error).as_str()), (Step::Probe, "mcp.example"))
            }
            (http, _) => panic!("{addresses:?}: {:?}", http.map(|http| http.reach())),
        }
    }
    for raw in [
        "http://localhost:1/",
        "http://x.localhost:1/",
        "http://127.1:1/",
        "http://[::1]:1/",
        "https://192.168.0.1/",
    ] {
        // No name server is asked for these.
        let resolver = Some(Names::new(&[]) as std::sync::Arc<dyn Resolve>);
        let options = HttpOptions { resolver, ..Default::default() };
        let http = HttpClient::with_options(&ServerUrl::parse(raw).unwrap(), options).await;
        assert_eq!(http.unwrap().reach(), Reach::Private, "{raw}");
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
    assert_eq!(http.reach(), Reach::Public);
    assert_eq!(discover_by(&http, &fake.server()).await.unwrap().metadata.issuer.as_str(), fake.origin);
}

#[tokio::test]
async fn no_document_leads_it_inside() {
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
        // As the authorization server, as the target of redirects, as an endpoint, as a challenge's document.
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
            has_credentials: false,
        };
        blocked(discover(&http, request).await.unwrap_err());
    }
    assert_eq!(canary.heard(), 0);
}

#[tokio::test]
async fn a_changed_record_gains_nothing() {
    let canary = Canary::start().await;
    let (fake, address) = public().await;
    fake.with_documents();
    // Public when it is looked up first, inside when it is dialled.
    let names = Names::new(&[("mcp.public.example", &[&[PUBLIC], &["127.0.0.1"]])]);
    let server =
        ServerUrl::parse(&format!("https://mcp.public.example:{}/mcp", canary.address.port())).unwrap();
    let http = HttpClient::with_options(&server, options(names, address)).await.unwrap();
    assert_eq!(blocked(discover_by(&http, &server).await.unwrap_err()), "mcp.public.example");
    assert_eq!(canary.heard(), 0);
}

#[tokio::test]
async fn a_record_that_was_inside_first_does_not_open_the_inside() {
    let canary = Canary::start().await;
    let (fake, address) = public().await;
    fake.with_server_document(json!({ "token_endpoint": format!("http://{}/token", canary.address) }));
    // Inside when the reach is decided; then on the internet, with documents that name an inside address.
    let names = Names::new(&[("mcp.public.example", &[&["10.0.0.1"], &[PUBLIC]])]);
    let http = HttpClient::with_options(&fake.server(), options(names, address)).await.unwrap();
    assert_eq!(http.reach(), Reach::Private);
    assert_eq!(blocked(discover_by(&http, &fake.server()).await.unwrap_err()), "mcp.public.example");
    assert_eq!(canary.heard(), 0);
}

#[tokio::test]
async fn a_server_that_moved_inside_gets_a_new_decision_and_not_another_rule() {
    let (fake, address) = public().await;
    fake.with_documents();
    let inside = "10.0.0.1";
    // On the internet; then, by the names of a network that was joined, inside; then on the internet again.
    let names =
        Names::new(&[("mcp.public.example", &[&[PUBLIC], &[PUBLIC], &[inside], &[inside], &[PUBLIC]])]);
    let connect_to = vec![(PUBLIC.parse().unwrap(), address), (inside.parse().unwrap(), address)];
    let options = || HttpOptions { connect_to: connect_to.clone(), ..options(Arc::clone(&names), address) };
    let outside = HttpClient::with_options(&fake.server(), options()).await.unwrap();
    discover_by(&outside, &fake.server()).await.unwrap();
    assert!(!outside.is_displaced());
    // A connection that is open serves on; a new one is refused, and stays so.
    let unconnected = outside.connection_builder().build().unwrap();
    unconnected.get(fake.server().url().clone()).send().await.unwrap_err();
    assert!(outside.is_displaced());
    assert_eq!(outside.reach(), Reach::Public);
    // The next client is told of it, and of the way back.
    let within = HttpClient::with_options(&fake.server(), options()).await.unwrap();
    assert_eq!((within.reach(), within.is_displaced()), (Reach::Private, false));
    blocked(discover_by(&within, &fake.server()).await.unwrap_err());
    assert!(within.is_displaced());
}

#[tokio::test]
async fn a_foreign_name_that_leads_inside_displaces_nobody() {
    let (fake, address) = public().await;
    let names = Names::new(&[("mcp.public.example", &[&[PUBLIC]]), ("inside.example", &[&["10.0.0.1"]])]);
    let http = HttpClient::with_options(&fake.server(), options(names, address)).await.unwrap();
    let resource =
        merged(fake.resource_document(), json!({ "authorization_servers": ["https://inside.example"] }));
    fake.with_documents().on(RESOURCE, Answer::json(resource));
    blocked(discover_by(&http, &fake.server()).await.unwrap_err());
    assert!(!http.is_displaced());
}

#[tokio::test]
async fn a_refresh_token_is_not_led_inside_either() {
    let canary = Canary::start().await;
    let (fake, address) = public().await;
    let names = Names::new(&[("mcp.public.example", &[&[PUBLIC]]), ("as.public.example", &[&["127.0.0.1"]])]);
    let http = HttpClient::with_options(&fake.server(), options(names, address)).await.unwrap();
    let token_endpoint = format!("https://as.public.example:{}/token", canary.address.port());
    let grant = Grant {
        binding: Binding {
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
async fn a_private_server_may_lead_to_its_neighbours_but_not_nowhere() {
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
        ("javascript:alert(1)", "it is a “javascript:” address, and only https is opened"),
        ("file:///etc/passwd", "it is a “file:” address, and only https is opened"),
        ("http://as.example/", "it is not encrypted (http)"),
        ("https://user@as.example/", "it holds a user name"),
    ] {
        fake.on(RESOURCE, Answer::redirect(302, target));
        let error = discover_with(&fake, None, &ClientSettings::default()).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::BadRedirect { why: why.into() }, "{target}");
    }
    // Five hops are enough for anybody.
    for hop in 0..6 {
        fake.on(&format!("GET /{hop}"), Answer::redirect(302, &format!("/{}", hop + 1)));
    }
    fake.on("GET /6", Answer::json(fake.resource_document()));
    fake.on(RESOURCE, Answer::redirect(302, "/2"));
    discover_with(&fake, None, &ClientSettings::default()).await.unwrap();
    fake.on(RESOURCE, Answer::redirect(302, "/1"));
    let error = discover_with(&fake, None, &ClientSettings::default()).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::BadRedirect { why: "it goes on and on".into() });
}

#[tokio::test]
async fn an_untrusted_certificate_is_named() {
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
    // Names that only the proxy knows are on the internet, and go to the proxy.
    let server = ServerUrl::parse("https://mcp.public.example/mcp").unwrap();
    let http = HttpClient::with_options(&server, behind(&[])).await.unwrap();
    assert_eq!(http.reach(), Reach::Public);
    discover_by(&http, &server).await.unwrap_err();
    let asked = proxy.heard();
    assert!(asked > 0);
    // What this computer knows to be inside is not asked for through the proxy either.
    let names: &[(&str, &[&[&str]])] = &[("mcp.public.example", &[&[PUBLIC], &["10.0.0.1"]])];
    let http = HttpClient::with_options(&server, behind(names)).await.unwrap();
    assert_eq!(blocked(discover_by(&http, &server).await.unwrap_err()), "mcp.public.example");
    // A server on this computer has nothing to do with it.
    fake.with_documents();
    let http = HttpClient::with_options(&fake.server(), behind(&[])).await.unwrap();
    discover_by(&http, &fake.server()).await.unwrap();
    assert_eq!(proxy.heard(), asked);
}
