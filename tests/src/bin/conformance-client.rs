//! `conformance-client SERVER_URL`, the client that the public conformance suite runs.
//!
//! It acts like a person: it adds the server, approves the sign-in (one GET, without following the redirect), calls
//! tools and accepts elicitations. The engine does all of OAuth and MCP. This program only chooses the calls.

use std::cell::Cell;
use std::time::Duration;

use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use usher_api::{Code, ElicitationAnswer, ErrorView, Event, ServerId, Status, ToolView};
use usher_engine::{CallOptions, Engine, SignInOptions};
use usher_fake_service::http_client;
use usher_tests::engine::options;
use usher_tests::wait::until_ready;

/// The maximum number of sign-ins. A server may ask for more scopes after each one.
const MAX_SIGN_INS: usize = 3;

/// Shorter than the 30 s after which the suite kills a client, so that the client can print its error.
const TIMEOUT: Duration = Duration::from_secs(25);

/// The parameters that some scenarios pass in `MCP_CONFORMANCE_CONTEXT`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct SuiteContext {
    client_id: Option<String>,
    client_secret: Option<String>,
    private_key_pem: Option<String>,
    signing_algorithm: Option<String>,
    valid_jwt: Option<String>,
    idp_client_id: Option<String>,
    idp_id_token: Option<String>,
    idp_token_endpoint: Option<String>,
    #[serde(rename = "toolCalls")]
    tool_calls: Vec<ToolCall>,
}

#[derive(Debug, Deserialize)]
struct ToolCall {
    name: String,
    arguments: Map<String, Value>,
}

#[tokio::main]
async fn main() -> Result<()> {
    let server_url = std::env::args().next_back().context("the server's address is missing")?;
    let scenario =
        std::env::var("MCP_CONFORMANCE_SCENARIO").context("MCP_CONFORMANCE_SCENARIO is not set")?;
    let context: SuiteContext = match std::env::var("MCP_CONFORMANCE_CONTEXT") {
        Ok(text) => serde_json::from_str(&text).context("cannot parse MCP_CONFORMANCE_CONTEXT")?,
        Err(_) => SuiteContext::default(),
    };
    let folder = tempfile::tempdir()?;
    let person = Person::start(folder.path(), &server_url, &scenario, &context).await?;
    let done = tokio::time::timeout(TIMEOUT, person.run_scenario(&scenario, context.tool_calls)).await;
    person.engine.stop().await;
    done.context("the scenario took too long")?
}

/// The `oauth` settings that a person writes for a scenario. The presence of an endpoint in the metadata must not choose
/// the flow.
fn oauth_settings(scenario: &str, context: &SuiteContext) -> Value {
    let Some(client_id) = &context.client_id else {
        return json!({ "clientMetadataUrl": "https://conformance-test.local/client-metadata.json" });
    };
    let mut oauth = json!({ "clientId": client_id });
    if context.client_secret.is_some() {
        oauth["clientSecret"] = json!("{{secret}}");
    }
    if context.private_key_pem.is_some() {
        oauth["privateKey"] = json!("{{key}}");
        oauth["signingAlgorithm"] = json!(context.signing_algorithm);
    }
    match scenario {
        "auth/client-credentials-jwt" | "auth/client-credentials-basic" => {
            oauth["flow"] = json!("client_credentials");
        }
        "auth/wif-jwt-bearer" => {
            oauth = json!({ "flow": "jwt_bearer", "assertion": "{{jwt}}" });
        }
        "auth/enterprise-managed-authorization" => {
            oauth["flow"] = json!("enterprise");
            oauth["identityProvider"] = json!({
                "tokenUrl": context.idp_token_endpoint,
                "clientId": context.idp_client_id,
                "idToken": "{{id_token}}",
            });
        }
        _ => {}
    }
    oauth
}

/// A person with one server in `mcp.json`.
struct Person {
    engine: Engine,
    server: ServerId,
    http: reqwest::Client,
    sign_ins_left: Cell<usize>,
}

impl Person {
    async fn start(
        folder: &std::path::Path,
        server_url: &str,
        scenario: &str,
        context: &SuiteContext,
    ) -> Result<Person> {
        let oauth = oauth_settings(scenario, context);
        // Disabled until the secrets are stored, so that the first connection uses it.
        let server = json!({ "type": "http", "url": server_url, "oauth": oauth, "disabled": true });
        let config = json!({ "mcpServers": { "conformance": server } });
        std::fs::write(folder.join("mcp.json"), config.to_string())?;
        let engine = Engine::start(options(folder)).await?;
        accept_elicitations(&engine);
        let secrets = [
            ("secret", &context.client_secret),
            ("key", &context.private_key_pem),
            ("jwt", &context.valid_jwt),
            ("id_token", &context.idp_id_token),
        ];
        for (name, secret) in secrets {
            if let Some(secret) = secret {
                engine.set_secret(name, secret.clone().into()).await?;
            }
        }
        let server = ServerId("conformance".to_owned());
        engine.enable(&server).await?;
        let http = http_client().build()?;
        Ok(Person { engine, server, http, sign_ins_left: Cell::new(MAX_SIGN_INS) })
    }

    async fn run_scenario(&self, scenario: &str, tool_calls: Vec<ToolCall>) -> Result<()> {
        self.connect().await?;
        let tools = self.with_sign_in(async || self.engine.tools(&self.server).await).await?;
        if scenario == "http-standard-headers" {
            self.engine.resources(&self.server).await?;
            self.engine.prompts(&self.server).await?;
        }
        let calls = match scenario {
            // These scenarios serve the tool list, but not the tools.
            "initialize" | "json-schema-ref-no-deref" => Vec::new(),
            _ if tool_calls.is_empty() => {
                let usable = tools.iter().filter(|tool| tool.broken.is_none());
                usable.map(example_call).collect::<Result<_>>()?
            }
            _ => tool_calls,
        };
        for (number, call) in calls.into_iter().enumerate() {
            self.with_sign_in(async || {
                let options = CallOptions::new(format!("call-{number}"));
                let arguments = call.arguments.clone();
                let calling = self.engine.call_tool(&self.server, &call.name, arguments, options);
                let mut calling = std::pin::pin!(calling);
                loop {
                    tokio::select! {
                        outcome = &mut calling => return outcome,
                        () = self.step_up_requested() => self.step_up().await,
                    }
                }
            })
            .await
            .with_context(|| format!("the call of {} failed", call.name))?;
        }
        Ok(())
    }

    /// Waits until a call needs a step-up.
    async fn step_up_requested(&self) {
        let mut events = self.engine.subscribe();
        while self.engine.server(&self.server).is_none_or(|view| view.permission.is_none()) {
            if events.recv().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    /// Approves the step-up, or declines it if the sign-in fails.
    async fn step_up(&self) {
        if let Err(error) = self.sign_in().await {
            eprintln!("step-up failed: {error:#}");
            self.engine.decline_permission(&self.server);
        }
    }

    /// Waits for the connection, and signs in when the server requires it.
    async fn connect(&self) -> Result<()> {
        loop {
            let status = until_ready("the connection to settle", || Ok(self.settled_status())).await?;
            match status {
                Status::Connected { .. } => return Ok(()),
                Status::NeedsSignIn { .. } => match self.sign_in().await {
                    Err(error) if !error.downcast_ref().is_some_and(asks_for_sign_in) => return Err(error),
                    Ok(()) | Err(_) => {}
                },
                other => anyhow::bail!("not connected: {other:?}"),
            }
        }
    }

    /// Calls `act`. If the server requires a sign-in, signs in and calls `act` again.
    async fn with_sign_in<T>(&self, act: impl AsyncFn() -> Result<T, ErrorView>) -> Result<T> {
        loop {
            match act().await {
                Ok(value) => return Ok(value),
                Err(error) if asks_for_sign_in(&error) => {
                    self.sign_in().await?;
                    self.connect().await?;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    async fn sign_in(&self) -> Result<()> {
        let left = self.sign_ins_left.get();
        anyhow::ensure!(left > 0, "the server required more than {MAX_SIGN_INS} sign-ins");
        self.sign_ins_left.set(left - 1);
        let request = self.engine.sign_in(&self.server, SignInOptions::default()).await?;
        let response = self.http.get(&request.authorization_url).send().await?;
        let location =
            response.headers().get("location").context("the authorization endpoint did not redirect")?;
        self.engine.complete_sign_in(location.to_str()?).await?;
        Ok(())
    }

    /// The status, or `None` if it is transient.
    fn settled_status(&self) -> Option<Status> {
        let status = self.engine.server(&self.server)?.status;
        let is_transient = matches!(status, Status::Connecting | Status::SigningIn { .. } | Status::Disabled);
        (!is_transient).then_some(status)
    }
}

fn asks_for_sign_in(error: &ErrorView) -> bool {
    matches!(error.code, Code::SignInRequired | Code::InsufficientScope)
}

/// Accepts every elicitation with default values.
fn accept_elicitations(engine: &Engine) {
    let mut events = engine.subscribe();
    let engine = engine.clone();
    tokio::spawn(async move {
        while let Ok(event) = events.recv().await {
            if let Event::ElicitationRequested { elicitation, .. } = event {
                let answered =
                    engine.answer_elicitation(&elicitation.id, ElicitationAnswer::Accept(Map::new())).await;
                if let Err(error) = answered {
                    eprintln!("cannot answer the elicitation: {error}");
                }
            }
        }
    });
}

/// A call with a value of the right type in each required field.
fn example_call(tool: &ToolView) -> Result<ToolCall> {
    let schema: Value = serde_json::from_str(&tool.input_schema)?;
    let required = schema["required"].as_array().cloned().unwrap_or_default();
    let arguments = required
        .iter()
        .filter_map(Value::as_str)
        .map(|name| (name.to_owned(), example_value(&schema["properties"][name])))
        .collect();
    Ok(ToolCall { name: tool.name.clone(), arguments })
}

fn example_value(schema: &Value) -> Value {
    match schema["type"].as_str() {
        Some("number") => json!(1.5),
        Some("integer") => json!(1),
        Some("boolean") => json!(true),
        Some("array") => json!([]),
        Some("object") => json!({}),
        Some("null") => Value::Null,
        _ => json!("example"),
    }
}
