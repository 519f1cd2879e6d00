//! A tool call, or another operation: one request, or several if the server asks for input in between.

use std::collections::HashSet;
use std::time::Duration;

use bytes::Bytes;
use rmcp::model::{ElicitRequestParams, ElicitationAction, InputRequest, InputRequests, InputResponses};
use rmcp::service::ServiceError;
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use usher_budgets as budgets;

use super::Connection;
use super::call_result::{Answer, CallResult};
use super::fault::Fault;
use super::operation::Operation;
use super::page_visits::visit_id;
use super::progress::Progress;
use super::rmcp_error::from_service;
use crate::caller::Addressee;

const LONGEST_CALL: Duration = Duration::from_secs(budgets::LONGEST_CALL_SECONDS);

/// The code of an error that lists addresses which the person must visit first (MCP 2025-11-25, elicitation).
const URL_ELICITATION_REQUIRED: i32 = -32042;

/// The response to one request of a call.
enum Response {
    Result(Bytes),
    UrlsToVisit(Vec<UrlToVisit>),
}

/// An address, and the elicitation for it.
type UrlToVisit = (String, ElicitRequestParams);

/// Returns the elicitations in an error, if the call can be repeated after them.
fn urls_to_visit(error: &ServiceError) -> Option<Vec<UrlToVisit>> {
    let ServiceError::McpError(error) = error else { return None };
    let listed =
        error.data.as_ref().filter(|_| error.code.0 == URL_ELICITATION_REQUIRED)?.get("elicitations")?;
    let questions: Vec<ElicitRequestParams> = serde_json::from_value(listed.clone()).ok()?;
    let with_url = |question: ElicitRequestParams| match &question {
        ElicitRequestParams::UrlElicitationParams { url, .. } => Some((url.clone(), question)),
        _ => None,
    };
    let questions: Vec<_> = questions.into_iter().map(with_url).collect::<Option<_>>()?;
    (!questions.is_empty() && questions.len() <= budgets::CALL_ROUNDS).then_some(questions)
}

/// The conditions of a call.
pub(crate) struct CallTerms<'a> {
    /// The idle timeout. Progress and questions to the person restart it.
    pub idle_timeout: Duration,
    pub cancelled: CancellationToken,
    /// The caller that gets the server's questions.
    pub addressee: Addressee,
    pub on_progress: &'a (dyn Fn(Progress) + Send + Sync),
}

impl Connection {
    /// Sends a request. If the server asks for input, gets the input and sends it again.
    pub async fn call(&self, mut operation: Operation, terms: &CallTerms<'_>) -> Result<CallResult, Fault> {
        let mut visited = HashSet::new();
        let mut completed_visits = self.client.page_visits.subscribe();
        for round in 0..budgets::CALL_ROUNDS {
            let response = self.request(&operation, terms).await;
            let result = match response.map_err(|fault| self.inbound.reason_for(fault))? {
                Response::UrlsToVisit(mut questions) => {
                    let ids: Vec<_> =
                        questions.iter().filter_map(|(_, question)| visit_id(question)).collect();
                    // The person may still be on the page, so the same address is not shown again.
                    questions.retain(|(url, _)| visited.insert(url.clone()));
                    self.visit(questions, terms).await?;
                    // Not every server reports that the person is done, so the call is also repeated after a while,
                    // later if the questions have the ids that a report needs.
                    let delay = if ids.is_empty() { 2 } else { 5 } << round.min(4);
                    tokio::select! {
                        () = completed_visits.wait_for(&ids) => {}
                        () = tokio::time::sleep(Duration::from_secs(delay)) => {}
                        () = terms.cancelled.cancelled() => return Err(Fault::Cancelled),
                    }
                    continue;
                }
                Response::Result(result) => result,
            };
            match Answer::parse(result, &operation)? {
                Answer::Result(result) => return Ok(result),
                Answer::InputRequired(required) => {
                    let requests = required.input_requests.unwrap_or_default();
                    if requests.is_empty() {
                        if required.request_state.is_none() {
                            return Err(Fault::violation("it asked for input without saying which"));
                        }
                        // The server expects the same request again. A delay avoids a busy loop.
                        tokio::time::sleep(Duration::from_millis(50 << round.min(4))).await;
                    }
                    let responses = self.input(requests, terms).await?;
                    operation.set_input((!responses.is_empty()).then_some(responses), required.request_state);
                }
            }
        }
        Err(Fault::violation("it keeps asking for input"))
    }

    /// Sends one request. Progress and questions to the person restart its idle timeout.
    async fn request(&self, operation: &Operation, terms: &CallTerms<'_>) -> Result<Response, Fault> {
        let addressee = Some(terms.addressee.clone());
        let sent = self.client.requests.send(&self.peer, operation.request(), addressee).await;
        let (mut handle, mut running) = sent.map_err(from_service)?;
        let idle_timeout = terms.idle_timeout.min(LONGEST_CALL);
        let begun = tokio::time::Instant::now();
        let mut idle_deadline = begun + idle_timeout;
        let fault = loop {
            tokio::select! {
                biased;
                response = &mut handle.rx => {
                    while let Some(step) = running.pending_progress() {
                        (terms.on_progress)(step);
                    }
                    return match response.map_err(|_| Fault::Lost)? {
                        Ok(_) => {
                            let result = running.take_result();
                            Ok(Response::Result(result.ok_or_else(|| Fault::violation("its response is not a tool result"))?))
                        }
                        Err(error) => match urls_to_visit(&error) {
                            Some(questions) => Ok(Response::UrlsToVisit(questions)),
                            None => Err(from_service(error)),
                        },
                    };
                }
                step = running.progress() => {
                    idle_deadline = tokio::time::Instant::now() + idle_timeout;
                    (terms.on_progress)(step);
                }
                () = terms.cancelled.cancelled() => break Fault::Cancelled,
                () = self.closed.cancelled() => break Fault::Lost,
                () = tokio::time::sleep_until(idle_deadline.min(begun + LONGEST_CALL)) => {
                    let asks = self.client.elicitations.is_open(&self.client.server, &terms.addressee);
                    if !asks || begun.elapsed() >= LONGEST_CALL {
                        break Fault::TimedOut(begun.elapsed().as_secs());
                    }
                    idle_deadline = tokio::time::Instant::now() + idle_timeout;
                }
            }
        };
        let _ = tokio::time::timeout(Duration::from_secs(1), handle.cancel(Some(fault.to_string()))).await;
        Err(fault)
    }

    /// Asks the person to visit addresses, one after the other.
    async fn visit(&self, questions: Vec<UrlToVisit>, terms: &CallTerms<'_>) -> Result<(), Fault> {
        for (_, question) in questions {
            let question =
                self.client.elicitations.ask(&self.client.server, terms.addressee.clone(), question);
            let answer = tokio::select! {
                answer = question => answer,
                () = terms.cancelled.cancelled() => return Err(Fault::Cancelled),
            };
            if answer.action != ElicitationAction::Accept {
                return Err(Fault::Cancelled);
            }
        }
        Ok(())
    }

    async fn input(&self, requests: InputRequests, terms: &CallTerms<'_>) -> Result<InputResponses, Fault> {
        let mut responses = InputResponses::new();
        for (key, request) in requests {
            let response = match request {
                InputRequest::Elicitation(request) => {
                    let question = self.client.elicitations.ask(
                        &self.client.server,
                        terms.addressee.clone(),
                        request.params,
                    );
                    tokio::select! {
                        answer = question => serde_json::to_value(answer),
                        () = terms.cancelled.cancelled() => return Err(Fault::Cancelled),
                    }
                }
                InputRequest::ListRoots(_) => Ok(serde_json::json!({ "roots": [] })),
                // Usher's capabilities do not include sampling.
                InputRequest::CreateMessage(_) => {
                    return Err(Fault::violation("it asked for sampling, which Usher does not support"));
                }
                _ => return Err(Fault::violation("it asked for input of an unknown kind")),
            };
            responses.insert(key, response.unwrap_or(Value::Null));
        }
        Ok(responses)
    }
}
