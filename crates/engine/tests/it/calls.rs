//! Tools, resources and prompts of a connected server; progress, cancellation and elicitation.

use std::time::Duration;

use serde_json::{Map, Value};
use usher_api::{Code, ElicitationAnswer, Event, ToolContent};
use usher_demo::DemoOptions;
use usher_engine::{CallOptions, Engine};

use crate::fixture::*;

fn arguments(json: &str) -> Map<String, Value> {
    serde_json::from_str(json).unwrap()
}

async fn call(engine: &Engine, tool: &str, json: &str) -> usher_api::ToolCallView {
    engine.call_tool(&id(), tool, arguments(json), CallOptions::new(tool)).await.unwrap()
}

#[tokio::test]
async fn a_list_contains_all_its_pages() {
    let (_sandbox, _demo, engine) = signed_in(Default::default()).await;
    let (tools, resources, prompts) = (
        engine.tools(&id()).await.unwrap(),
        engine.resources(&id()).await.unwrap(),
        engine.prompts(&id()).await.unwrap(),
    );
    assert!(tools.len() > 2 && !resources.is_empty() && !prompts.is_empty());

    let paged = DemoOptions { page_size: Some(2), ..DemoOptions::default() };
    let (_sandbox, _demo, engine) = signed_in(paged).await;
    assert_eq!(engine.tools(&id()).await.unwrap(), tools);
    assert_eq!(engine.resources(&id()).await.unwrap().len(), resources.len());
    assert_eq!(engine.prompts(&id()).await.unwrap(), prompts);
}

#[tokio::test]
async fn a_call_returns_text_images_and_errors() {
    let (_sandbox, _demo, engine) = signed_in(Default::default()).await;
    let found = call(&engine, "search_pages", r#"{ "query": "tea" }"#).await;
    assert!(!found.is_error);
    let drawn = call(&engine, "draw_picture", "{}").await;
    let picture = |content: &ToolContent| matches!(content, ToolContent::Image { mime_type, .. } if mime_type == "image/png");
    assert!(drawn.content.iter().any(picture), "{drawn:?}");
    let failed = call(&engine, "failing_task", "{}").await;
    assert!(failed.is_error);
    let unknown =
        engine.call_tool(&id(), "no_such_tool", Map::new(), CallOptions::new("x")).await.unwrap_err();
    assert_eq!(unknown.code, Code::ProtocolError);
}

#[tokio::test]
async fn a_call_reports_progress_and_can_be_cancelled() {
    let (_sandbox, _demo, engine) = signed_in(Default::default()).await;
    let server = id();
    let mut events = engine.subscribe();
    let slow = engine.call_tool(
        &server,
        "slow_task",
        arguments(r#"{ "steps": 100, "millis": 20 }"#),
        CallOptions::new("slow"),
    );
    let cancel_at_progress = async {
        loop {
            if let Event::CallProgressed { call, progress, .. } = events.recv().await.unwrap() {
                assert_eq!(call, "slow");
                assert!(progress >= 0.0);
                return engine.cancel_call("slow");
            }
        }
    };
    let both = async { tokio::join!(slow, cancel_at_progress) };
    let (outcome, ()) = tokio::time::timeout(TIMEOUT, both).await.unwrap();
    let error = outcome.unwrap_err();
    assert!(error.message.contains("cancelled"), "{error:?}");
    assert!(is_connected(&engine.server(&id()).unwrap()));
}

#[tokio::test]
async fn a_silent_call_times_out() {
    let (_sandbox, _demo, engine) = signed_in(Default::default()).await;
    let server = id();
    let options = CallOptions { timeout: Duration::from_millis(50), ..CallOptions::new("slow") };
    let slow =
        engine.call_tool(&server, "slow_task", arguments(r#"{ "steps": 1, "millis": 10000 }"#), options);
    let error = tokio::time::timeout(TIMEOUT, slow).await.unwrap().unwrap_err();
    assert_eq!(error.code, Code::ServerUnreachable);
}

#[tokio::test]
async fn an_elicitation_can_be_accepted_declined_or_cancelled() {
    for answer in
        [ElicitationAnswer::Accept(Map::new()), ElicitationAnswer::Decline, ElicitationAnswer::Cancel]
    {
        let (_sandbox, _demo, engine) = signed_in(Default::default()).await;
        let server = id();
        let mut events = engine.subscribe();
        let asking = engine.call_tool(&server, "ask_back", arguments("{}"), CallOptions::new("ask"));
        let answering = async {
            loop {
                if let Event::ElicitationRequested { elicitation, .. } = events.recv().await.unwrap() {
                    assert_eq!(engine.snapshot().elicitations, std::slice::from_ref(&elicitation));
                    assert!(elicitation.schema.is_some());
                    engine.answer_elicitation(&elicitation.id, answer.clone()).await.unwrap();
                    engine.answer_elicitation(&elicitation.id, answer.clone()).await.unwrap_err();
                    return;
                }
            }
        };
        let both = async { tokio::join!(asking, answering) };
        let (outcome, ()) = tokio::time::timeout(TIMEOUT, both).await.unwrap();
        assert!(!outcome.unwrap().is_error);
        assert!(engine.snapshot().elicitations.is_empty());
        engine.stop().await;
    }
}
