//! The MCP server through rmcp's client, in both eras of the protocol.

use std::sync::Mutex;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rmcp::model::{
    CallToolRequest, CallToolRequestParams, CallToolResult, ClientCapabilities, ClientConfig, ClientRequest,
    ElicitRequestParams, ElicitResult, ElicitationAction, GetPromptRequestParams, Implementation,
    PaginatedRequestParams, ProgressNotificationParam, ProtocolVersion, ReadResourceRequestParams,
    ServerNotification, SubscriptionFilter,
};
use rmcp::service::{NotificationContext, PeerRequestOptions, RequestContext, RoleClient, RunningService};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use rmcp::{ClientHandler, ClientLifecycleMode, ClientServiceExt, ErrorData};
use serde_json::{Value, json};
use tokio::sync::Notify;
use usher_demo::{Demo, DemoOptions, Eras, McpList};
use usher_fake_service::http_client;

use crate::browser::{Browser, start};

/// A client that answers every elicitation with the same action, and records the progress.
struct Client {
    version: ProtocolVersion,
    action: ElicitationAction,
    progress: Mutex<Vec<(f64, Option<f64>)>>,
    progressed: Notify,
}

impl ClientHandler for Client {
    fn get_info(&self) -> ClientConfig {
        let capabilities = ClientCapabilities::builder().enable_elicitation().build();
        ClientConfig::new(capabilities, Implementation::new("test", "1"))
            .with_protocol_version(self.version.clone())
    }

    async fn create_elicitation(
        &self,
        request: ElicitRequestParams,
        _context: RequestContext<RoleClient>,
    ) -> Result<ElicitResult, ErrorData> {
        let schema = serde_json::to_value(request).unwrap()["requestedSchema"].clone();
        assert_eq!(schema["required"], json!(["tea"]));
        assert_eq!(schema["properties"]["tea"]["enum"], json!(["Darjeeling", "Earl Grey", "Peppermint"]));
        let answer = ElicitResult::new(self.action.clone());
        Ok(match self.action {
            ElicitationAction::Accept => {
                answer.with_content(json!({ "tea": "Earl Grey", "name": "Charles" }))
            }
            _ => answer,
        })
    }

    async fn on_progress(
        &self,
        progress: ProgressNotificationParam,
        _context: NotificationContext<RoleClient>,
    ) {
        self.progress.lock().unwrap().push((progress.progress, progress.total));
        self.progressed.notify_one();
    }
}

type Connection = RunningService<RoleClient, Client>;

/// The eras that most tests run in.
fn eras() -> [(ProtocolVersion, ClientLifecycleMode); 2] {
    [
        (
            ProtocolVersion::V_2026_07_28,
            ClientLifecycleMode::Discover { preferred_versions: vec![ProtocolVersion::V_2026_07_28] },
        ),
        (ProtocolVersion::V_2025_11_25, ClientLifecycleMode::Initialize),
    ]
}

async fn connect(
    demo: &Demo,
    era: (ProtocolVersion, ClientLifecycleMode),
    action: ElicitationAction,
) -> Connection {
    let token = Browser::new(demo).sign_in().await.access_token;
    let config = StreamableHttpClientTransportConfig::with_uri(demo.url().to_string()).auth_header(token);
    let client = Client { version: era.0, action, progress: Mutex::default(), progressed: Notify::new() };
    client
        .serve_with_lifecycle(
            StreamableHttpClientTransport::with_client(http_client().build().unwrap(), config),
            era.1,
        )
        .await
        .unwrap()
}

fn params(name: &'static str, arguments: Value) -> CallToolRequestParams {
    let Value::Object(arguments) = arguments else { panic!("arguments must be an object") };
    CallToolRequestParams::new(name).with_arguments(arguments)
}

async fn call(connection: &Connection, name: &'static str, arguments: Value) -> CallToolResult {
    connection.call_tool(params(name, arguments)).await.unwrap()
}

fn text(result: &CallToolResult) -> &str {
    &result.content[0].as_text().unwrap().text
}

#[tokio::test]
async fn pages_can_be_read_and_written_in_both_eras() {
    for era in eras() {
        let version = era.0.clone();
        let demo = Demo::start(DemoOptions::default()).await.unwrap();
        let connection = connect(&demo, era, ElicitationAction::Accept).await;
        let first_method = demo.requests().iter().find_map(|record| record.mcp_method.clone()).unwrap();
        let expected =
            if version == ProtocolVersion::V_2026_07_28 { "server/discover" } else { "initialize" };
        assert_eq!(first_method, expected);

        let tools = connection.list_all_tools().await.unwrap();
        let names: Vec<&str> = tools.iter().map(|tool| tool.name.as_ref()).collect();
        assert_eq!(
            names,
            [
                "ask_back",
                "create_page",
                "draw_picture",
                "failing_task",
                "read_page",
                "search_pages",
                "slow_task"
            ]
        );
        for tool in &tools {
            assert!(tool.title.is_some() && tool.description.is_some(), "{}", tool.name);
            let read_only = tool.annotations.as_ref().and_then(|hints| hints.read_only_hint);
            assert_eq!(read_only, Some(tool.name != "create_page"), "{}", tool.name);
        }

        let found = call(&connection, "search_pages", json!({ "query": "orange" })).await;
        let found = found.structured_content.unwrap();
        assert_eq!(
            found["pages"][0],
            json!({ "slug": "marmalade", "title": "Seville marmalade", "excerpt": "- 1 kg Seville oranges (two weeks in January, no longer)" })
        );
        let page = call(&connection, "read_page", json!({ "page": "night-train" })).await;
        assert!(text(&page).starts_with("# Night train to Lisbon"));
        let missing = call(&connection, "read_page", json!({ "page": "atlantis" })).await;
        assert_eq!(missing.is_error, Some(true));

        let created = call(&connection, "create_page", json!({ "title": "Ink", "text": "black" })).await;
        assert_eq!(text(&created), "Added “Ink” as `ink`.");
        let read =
            connection.read_resource(ReadResourceRequestParams::new("notebook://page/ink")).await.unwrap();
        let read = serde_json::to_value(&read.contents).unwrap();
        assert_eq!(
            read,
            json!([{ "uri": "notebook://page/ink", "mimeType": "text/markdown", "text": "black" }])
        );
        assert_eq!(connection.list_all_resources().await.unwrap().len(), 7);
        assert_eq!(connection.list_all_resource_templates().await.unwrap().len(), 1);
        assert!(connection.read_resource(ReadResourceRequestParams::new("notebook://page/x")).await.is_err());

        let prompts = connection.list_all_prompts().await.unwrap();
        assert_eq!(prompts.len(), 2);
        let Value::Object(arguments) = json!({ "page": "bees" }) else { panic!() };
        let request = GetPromptRequestParams::new("summarise_page").with_arguments(arguments);
        assert_eq!(connection.get_prompt(request).await.unwrap().messages.len(), 2);

        let failed = call(&connection, "failing_task", json!({ "reason": "no ink" })).await;
        assert_eq!((failed.is_error, text(&failed)), (Some(true), "no ink"));

        let picture = call(&connection, "draw_picture", json!({ "petals": 5, "size": 64 })).await;
        let image = picture.content[1].as_image().unwrap();
        assert_eq!(image.mime_type, "image/png");
        assert!(STANDARD.decode(&image.data).unwrap().starts_with(b"\x89PNG"));

        connection.cancel().await.unwrap();
        demo.stop().await;
    }
}

#[tokio::test]
async fn ask_back_elicits_in_both_eras_and_accepts_every_action() {
    for (action, expected) in [
        (ElicitationAction::Accept, "Ordered Earl Grey for Charles."),
        (ElicitationAction::Decline, "Declined. No tea ordered."),
        (ElicitationAction::Cancel, "Cancelled. No tea ordered."),
    ] {
        for era in eras() {
            let demo = Demo::start(DemoOptions::default()).await.unwrap();
            let connection = connect(&demo, era.clone(), action.clone()).await;
            assert_eq!(text(&call(&connection, "ask_back", json!({})).await), expected, "{:?}", era.0);
            connection.cancel().await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_client_without_elicitation_gets_an_error() {
    let (_demo, browser) = start(DemoOptions::default()).await;
    let token = browser.sign_in().await.access_token;
    let ask = crate::browser::call("tools/call", json!({ "name": "ask_back", "arguments": {} }));
    let response = browser.mcp(Some(&token), ask).await.text().await.unwrap();
    assert!(response.contains("does not support elicitation"), "{response}");
}

#[tokio::test]
async fn a_slow_task_reports_progress_in_both_eras() {
    for era in eras() {
        let demo = Demo::start(DemoOptions::default()).await.unwrap();
        let connection = connect(&demo, era, ElicitationAction::Accept).await;
        let done = call(&connection, "slow_task", json!({ "steps": 3, "millis": 1 })).await;
        assert_eq!(text(&done), "Done: 3 steps.");
        let all_reported = async {
            while connection.service().progress.lock().unwrap().len() < 3 {
                connection.service().progressed.notified().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), all_reported).await.unwrap();
        let progress = connection.service().progress.lock().unwrap().clone();
        assert_eq!(progress, [(1.0, Some(3.0)), (2.0, Some(3.0)), (3.0, Some(3.0))]);
        connection.cancel().await.unwrap();
    }
}

#[tokio::test]
async fn a_slow_task_ends_when_it_is_cancelled() {
    for era in eras() {
        let demo = Demo::start(DemoOptions::default()).await.unwrap();
        let connection = connect(&demo, era, ElicitationAction::Accept).await;
        let request = ClientRequest::CallToolRequest(CallToolRequest::new(params(
            "slow_task",
            json!({ "steps": 100, "millis": 100 }),
        )));
        let handle =
            connection.send_cancellable_request(request, PeerRequestOptions::no_options()).await.unwrap();
        tokio::time::timeout(Duration::from_secs(10), connection.service().progressed.notified())
            .await
            .unwrap();
        assert_eq!(demo.running_tasks(), 1);
        handle.cancel(Some("enough".to_owned())).await.unwrap();
        // Without the cancellation, the task would take ten seconds.
        let ended = async {
            while demo.running_tasks() > 0 {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(5), ended).await.unwrap();
        connection.cancel().await.unwrap();
    }
}

#[tokio::test]
async fn an_older_server_supports_only_the_handshake() {
    let demo = Demo::start(DemoOptions { eras: Eras::HandshakeOnly, ..Default::default() }).await.unwrap();
    let auto = ClientLifecycleMode::Auto {
        preferred_versions: vec![ProtocolVersion::V_2026_07_28],
        legacy_version: Some(ProtocolVersion::V_2025_11_25),
    };
    let connection = connect(&demo, (ProtocolVersion::V_2025_11_25, auto), ElicitationAction::Accept).await;
    let methods: Vec<String> = demo.requests().into_iter().filter_map(|record| record.mcp_method).collect();
    assert_eq!(methods, ["server/discover", "initialize", "notifications/initialized"]);
    assert_eq!(connection.list_all_tools().await.unwrap().len(), 7);
    connection.cancel().await.unwrap();
}

#[tokio::test]
async fn lists_are_paginated_if_configured() {
    for era in eras() {
        let demo = Demo::start(DemoOptions { page_size: Some(3), ..Default::default() }).await.unwrap();
        let connection = connect(&demo, era, ElicitationAction::Accept).await;
        let first = connection.list_tools(None).await.unwrap();
        assert_eq!((first.tools.len(), first.next_cursor.as_deref()), (3, Some("after-3")));
        assert_eq!(connection.list_all_tools().await.unwrap().len(), 7);
        let unknown = PaginatedRequestParams::default().with_cursor(Some("elsewhere".to_owned()));
        assert!(connection.list_tools(Some(unknown)).await.is_err());
        connection.cancel().await.unwrap();
    }
}

#[tokio::test]
async fn a_subscriber_is_notified_that_a_list_changed() {
    let ttl = Duration::from_secs(60);
    let demo = Demo::start(DemoOptions { tool_list_ttl: Some(ttl), ..DemoOptions::default() }).await.unwrap();
    let [modern, _] = eras();
    let connection = connect(&demo, modern, ElicitationAction::Accept).await;
    let wanted = SubscriptionFilter::builder().tools_list_changed().resources_list_changed().build();
    let mut subscription = connection.listen(wanted.clone()).await.unwrap();
    assert_eq!(subscription.acknowledged(), &wanted);
    demo.hide_tool("draw_picture", true);
    let notification = loop {
        tokio::select! {
            notification = subscription.next() => break notification.unwrap().unwrap(),
            // The demo may have sent the first notification before the subscription was active.
            () = tokio::time::sleep(Duration::from_millis(200)) => demo.announce(McpList::Tools),
        }
    };
    assert!(matches!(notification, ServerNotification::ToolListChangedNotification(_)), "{notification:?}");
    let listed = connection.list_tools(None).await.unwrap();
    assert_eq!(listed.ttl_ms, Some(60_000));
    assert!(listed.tools.iter().all(|tool| tool.name != "draw_picture"));
    call(&connection, "create_page", json!({ "title": "New" })).await;
    let notification = loop {
        match subscription.next().await.unwrap().unwrap() {
            ServerNotification::ToolListChangedNotification(_) => {}
            other => break other,
        }
    };
    assert!(
        matches!(notification, ServerNotification::ResourceListChangedNotification(_)),
        "{notification:?}"
    );
}
