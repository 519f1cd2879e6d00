//! Elicitation: a server's question reaches the caller whose call caused it, with both protocol versions.

use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::response::IntoResponse;
use serde_json::{Map, Value, json};
use tokio::task::JoinHandle;
use usher_api::{CallingProgram, ElicitationAnswer, ElicitationView, ErrorView, Event, ToolCallView};
use usher_demo::{DemoOptions, Eras};
use usher_engine::{CallOptions, Engine};
use usher_fake_service::{FakeService, Options, Protocol, Reply, result};

use crate::fixture::*;

/// Starts a call whose tool asks for a tea.
fn spawn_call(engine: &Engine, options: CallOptions) -> JoinHandle<Result<ToolCallView, ErrorView>> {
    let engine = engine.clone();
    tokio::spawn(async move { engine.call_tool(&id(), "ask_back", Map::new(), options).await })
}

/// Waits until the caller has exactly `count` open questions, and returns them.
async fn until_questions(engine: &Engine, count: usize) -> Vec<ElicitationView> {
    let mut events = engine.subscribe();
    let wait = async {
        loop {
            let questions = engine.snapshot().elicitations;
            if questions.len() == count {
                return questions;
            }
            events.recv().await.unwrap();
        }
    };
    tokio::time::timeout(TIMEOUT, wait).await.unwrap()
}

fn tea_for(name: &str) -> ElicitationAnswer {
    let Value::Object(content) = json!({ "tea": "Peppermint", "name": name }) else { unreachable!() };
    ElicitationAnswer::Accept(content)
}

async fn text_of(call: JoinHandle<Result<ToolCallView, ErrorView>>) -> String {
    let answer = tokio::time::timeout(TIMEOUT, call).await.unwrap().unwrap().unwrap();
    serde_json::to_value(&answer.content).unwrap()[0]["text"].as_str().unwrap().to_owned()
}

fn options(eras: Eras, elicits_by_session: bool) -> DemoOptions {
    DemoOptions { eras, elicits_by_session, ..DemoOptions::default() }
}

#[tokio::test]
async fn each_caller_gets_the_questions_of_its_own_calls() {
    for eras in [Eras::All, Eras::HandshakeOnly] {
        let (_sandbox, _demo, window) = signed_in(options(eras, false)).await;
        let (ada, bob) = (window.for_another(), window.for_another());
        let callers = [(&window, "Window"), (&ada, "Ada"), (&bob, "Bob")];
        // Call names are local to a caller, so they can be equal.
        let calls = callers.map(|(engine, _)| spawn_call(engine, CallOptions::new("tea")));
        let mut questions = Vec::new();
        for (engine, _) in callers {
            let question = until_questions(engine, 1).await.remove(0);
            assert_eq!((&question.server, question.call.as_deref()), (&id(), Some("tea")), "{eras:?}");
            questions.push(question.id);
        }
        for (index, (engine, name)) in callers.into_iter().enumerate() {
            for (other, question) in questions.iter().enumerate() {
                if other != index {
                    engine.answer_elicitation(question, tea_for("the wrong one")).await.unwrap_err();
                }
            }
            engine.answer_elicitation(&questions[index], tea_for(name)).await.unwrap();
        }
        for (call, (engine, name)) in calls.into_iter().zip(callers) {
            assert_eq!(text_of(call).await, format!("Ordered Peppermint for {name}."), "{eras:?}");
            until_questions(engine, 0).await;
        }
        window.stop().await;
    }
}

#[tokio::test]
async fn each_question_names_the_call_that_caused_it() {
    let (_sandbox, _demo, engine) = signed_in(options(Eras::HandshakeOnly, false)).await;
    let calls = ["one", "two"].map(|name| (name, spawn_call(&engine, CallOptions::new(name))));
    for question in until_questions(&engine, 2).await {
        let name = question.call.unwrap();
        engine.answer_elicitation(&question.id, tea_for(&name)).await.unwrap();
    }
    for (name, call) in calls {
        assert_eq!(text_of(call).await, format!("Ordered Peppermint for {name}."));
    }
}

#[tokio::test]
async fn a_question_of_the_session_goes_to_the_only_running_call_or_to_the_holder() {
    let (_sandbox, demo, window) = signed_in(options(Eras::HandshakeOnly, true)).await;
    until_listening(&demo, Eras::HandshakeOnly).await;
    let ada = window.for_another();
    let first = spawn_call(&ada, CallOptions::new("first"));
    let question = until_questions(&ada, 1).await.remove(0);
    assert_eq!(question.call.as_deref(), Some("first"));

    let second = spawn_call(&window.for_another(), CallOptions::new("second"));
    let unclear = until_questions(&window, 1).await.remove(0);
    assert_eq!(unclear.call, None, "it could belong to either call");
    window.answer_elicitation(&unclear.id, tea_for("somebody")).await.unwrap();
    ada.answer_elicitation(&question.id, tea_for("Ada")).await.unwrap();
    assert_eq!(text_of(first).await, "Ordered Peppermint for Ada.");
    assert_eq!(text_of(second).await, "Ordered Peppermint for somebody.");
}

#[tokio::test]
async fn a_caller_can_leave_its_questions_to_the_holder() {
    let (_sandbox, _demo, window) = signed_in(Default::default()).await;
    let script = window.for_another();
    let options = CallOptions { asks_holder: true, ..CallOptions::new("script") };
    let mut events = script.subscribe();
    let call = spawn_call(&script, options);
    let question = until_questions(&window, 1).await.remove(0);
    assert_eq!(question.call, None, "it belongs to no call of the window");
    assert_eq!(script.snapshot().elicitations, []);
    let waits = async {
        loop {
            if let Event::CallWaitsForAnswer { call, expires_at, .. } = events.recv().await.unwrap() {
                return (call, expires_at);
            }
        }
    };
    let waiting = tokio::time::timeout(TIMEOUT, waits).await.unwrap();
    assert_eq!(waiting, ("script".to_owned(), question.expires_at));
    window.answer_elicitation(&question.id, tea_for("the script")).await.unwrap();
    assert_eq!(text_of(call).await, "Ordered Peppermint for the script.");
}

#[tokio::test]
async fn a_question_ends_with_its_call() {
    for eras in [Eras::All, Eras::HandshakeOnly] {
        let (_sandbox, _demo, window) = signed_in(options(eras, false)).await;
        let ada = window.for_another();
        let cancelled = spawn_call(&ada, CallOptions::new("tea"));
        let question = until_questions(&ada, 1).await.remove(0);
        // Call names are local to a caller, so another caller cannot cancel by name.
        window.cancel_call("tea");
        call(&window, "search_pages").await.unwrap();
        assert_eq!(until_questions(&ada, 1).await, std::slice::from_ref(&question));
        ada.cancel_call("tea");
        cancelled.await.unwrap().unwrap_err();
        until_questions(&ada, 0).await;
        ada.answer_elicitation(&question.id, tea_for("nobody")).await.unwrap_err();

        let abandoned = spawn_call(&ada, CallOptions::new("tea"));
        until_questions(&ada, 1).await;
        ada.leave();
        abandoned.await.unwrap().unwrap_err();
        until_questions(&ada, 0).await;
        let late = tokio::time::timeout(TIMEOUT, spawn_call(&ada, CallOptions::new("late"))).await.unwrap();
        let error = late.unwrap().unwrap_err();
        assert!(error.message.contains("cancelled"), "a caller that has left starts no calls");
        window.stop().await;
    }
}

#[tokio::test]
async fn a_question_says_who_asks_and_until_when() {
    let (sandbox, demo, engine) = signed_in(Default::default()).await;
    let begun = sandbox.clock.now();
    let options = CallOptions { program: CallingProgram::CommandLine, ..CallOptions::new("tea") };
    let call = spawn_call(&engine, options);
    let question = until_questions(&engine, 1).await.remove(0);
    let host = format!("127.0.0.1:{}", demo.url().port().unwrap());
    assert_eq!((question.service.as_str(), question.host), ("Usher demo", host));
    assert_eq!(question.tool.as_deref(), Some("Ask back"));
    assert_eq!(question.program, Some(CallingProgram::CommandLine));
    let left = question.expires_at.duration_since(begun).as_secs();
    assert!((600..630).contains(&left), "{left} seconds");
    engine.answer_elicitation(&question.id, ElicitationAnswer::Decline).await.unwrap();
    assert_eq!(text_of(call).await, "Declined. No tea ordered.");
}

#[tokio::test]
async fn a_declined_question_is_not_asked_again_during_the_call() {
    let server = FakeService::start(Options { protocol: Protocol::Discovery, ..Options::open_handshake() });
    let server = server.await.unwrap();
    let question = json!({
        "method": "elicitation/create",
        "params": { "mode": "form", "message": "Your password?",
            "requestedSchema": { "type": "object", "properties": { "p": { "type": "string" } } } },
    });
    server.intercept(move |request| {
        let required = json!({ "resultType": "input_required", "inputRequests": { "q": question } });
        (request.rpc_method() == "tools/call").then(|| result(request, required))
    });
    let (_sandbox, engine) = connected_to(&server).await;
    let mut events = engine.subscribe();
    let caller = engine.clone();
    let call = tokio::spawn(async move { call(&caller, "read").await });
    let question = until_questions(&engine, 1).await.remove(0);
    let view = engine.server(&id()).unwrap();
    assert_eq!(view.title.as_deref(), Some("fake"));
    assert_eq!(question.service, view.name, "the server's own title must not say who asks");
    engine.answer_elicitation(&question.id, ElicitationAnswer::Decline).await.unwrap();
    tokio::time::timeout(TIMEOUT, call).await.unwrap().unwrap().unwrap_err();
    let mut asked = 0;
    while let Ok(event) = events.try_recv() {
        asked += usize::from(matches!(event, Event::ElicitationRequested { .. }));
    }
    assert_eq!(asked, 1);
    let calls = server.requests().iter().filter(|request| request.rpc_method() == "tools/call").count();
    assert!(calls > 2, "the server asked {calls} times");
}

#[tokio::test]
async fn a_blocked_server_asks_nothing_until_it_is_allowed_again() {
    let (sandbox, _demo, engine) = signed_in(options(Eras::HandshakeOnly, false)).await;
    let open = spawn_call(&engine, CallOptions::new("tea"));
    until_questions(&engine, 1).await;
    engine.set_questions_blocked(&id(), true).unwrap();
    assert_eq!(text_of(open).await, "Declined. No tea ordered.");
    until(&engine, &id(), |view| view.questions_blocked).await;
    assert_eq!(text_of(spawn_call(&engine, CallOptions::new("tea"))).await, "Declined. No tea ordered.");
    engine.stop().await;

    let engine = sandbox.start_connected().await;
    assert!(engine.server(&id()).unwrap().questions_blocked);
    let answer = tokio::time::timeout(TIMEOUT, spawn_call(&engine, CallOptions::new("tea"))).await;
    let answer = answer.unwrap().unwrap().unwrap();
    assert!(answer.is_error, "the server knows that it cannot ask: {answer:?}");

    engine.set_questions_blocked(&id(), false).unwrap();
    until(&engine, &id(), |view| !view.questions_blocked).await;
    engine.stop().await;
    let engine = sandbox.start_connected().await;
    let call = spawn_call(&engine, CallOptions::new("tea"));
    let question = until_questions(&engine, 1).await.remove(0);
    engine.answer_elicitation(&question.id, tea_for("Ada")).await.unwrap();
    assert_eq!(text_of(call).await, "Ordered Peppermint for Ada.");
}

#[tokio::test]
async fn a_call_is_repeated_when_the_server_reports_that_the_person_is_done_with_a_page() {
    let (sender, notifications) = tokio::sync::mpsc::unbounded_channel::<String>();
    let stream = Mutex::new(Some(notifications));
    let is_complete = Arc::new(AtomicBool::new(false));
    let complete = Arc::clone(&is_complete);
    let server = mcp_server(move |request| {
        if request.line.starts_with("GET ") {
            let notifications = stream.lock().unwrap().take()?;
            let events = futures::stream::unfold(notifications, async |mut notifications| {
                Some((Ok::<_, Infallible>(notifications.recv().await?), notifications))
            });
            let body = axum::body::Body::from_stream(events);
            return Some(([("content-type", "text/event-stream")], body).into_response());
        }
        if request.rpc_method() != "tools/call" || complete.load(Ordering::SeqCst) {
            return None;
        }
        let page = json!({
            "mode": "url", "message": "Confirm.", "url": "https://example.com/confirm", "elicitationId": "e1",
        });
        let error = json!({ "code": -32042, "message": "Visit", "data": { "elicitations": [page] } });
        let body = json!({ "jsonrpc": "2.0", "id": request.json()["id"], "error": error });
        Some(Reply::json(body).into_response())
    })
    .await;
    let (_sandbox, engine) = connected_to(&server).await;
    until_true(|| server.requests().iter().any(|request| request.line.starts_with("GET "))).await;
    let caller = engine.clone();
    let call = tokio::spawn(async move { call(&caller, "read").await });
    let question = until_questions(&engine, 1).await.remove(0);
    assert_eq!(question.url.as_deref(), Some("https://example.com/confirm"));

    let done = json!({
        "jsonrpc": "2.0", "method": "notifications/elicitation/complete", "params": { "elicitationId": "e1" },
    });
    engine.answer_elicitation(&question.id, ElicitationAnswer::Accept(Map::new())).await.unwrap();
    is_complete.store(true, Ordering::SeqCst);
    let reported = Instant::now();
    sender.send(format!("data: {done}\n\n")).unwrap();
    tokio::time::timeout(TIMEOUT, call).await.unwrap().unwrap().unwrap();
    // Without the report, the call would be repeated after five seconds.
    assert!(reported.elapsed() < Duration::from_secs(4), "{:?}", reported.elapsed());
    let calls = server.requests().iter().filter(|request| request.rpc_method() == "tools/call").count();
    assert_eq!(calls, 2);
}
