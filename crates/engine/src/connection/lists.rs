//! The lists of a server: tools, resources, prompts.

use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use rmcp::model::{
    ClientRequest, ListPromptsRequest, ListResourceTemplatesRequest, ListResourcesRequest, ListToolsRequest,
    PaginatedRequestParams, ServerResult,
};
use tokio::time::timeout;
use usher_budgets as budgets;

use super::Connection;
use super::fault::Fault;
use super::offers::{ListName, Offer, Page};
use super::pagination::{List, pages};
use super::rmcp_error::from_service;

/// The time for which a list of the tools is reused, unless the server permits a longer one.
const LISTING_LIFETIME: Duration = Duration::from_secs(5);

/// The last list of the tools.
#[derive(Debug)]
pub(super) struct Listing {
    tools: Arc<Vec<Offer>>,
    fresh_until: Instant,
}

impl Connection {
    /// Returns the tools. Reuses the last list for five seconds, or for as long as the server permits.
    pub async fn tools(&self) -> Result<Arc<Vec<Offer>>, Fault> {
        if let Some(listing) = &*self.listing.lock().unwrap_or_else(PoisonError::into_inner)
            && Instant::now() < listing.fresh_until
        {
            return Ok(Arc::clone(&listing.tools));
        }
        self.list_tools().await
    }

    /// Returns the last list of the tools, regardless of its age.
    pub fn listed_tools(&self) -> Option<Arc<Vec<Offer>>> {
        let listing = self.listing.lock().unwrap_or_else(PoisonError::into_inner);
        listing.as_ref().map(|listing| Arc::clone(&listing.tools))
    }

    /// Requests the tools from the server, and stores the list for [`Self::tools`].
    pub async fn list_tools(&self) -> Result<Arc<Vec<Offer>>, Fault> {
        let List { offers, lifetime } = self.list(ListName::Tools).await?;
        let tools = Arc::new(offers);
        let fresh_until = Instant::now() + lifetime.max(LISTING_LIFETIME);
        let listing = Listing { tools: Arc::clone(&tools), fresh_until };
        *self.listing.lock().unwrap_or_else(PoisonError::into_inner) = Some(listing);
        Ok(tools)
    }

    /// Requests the tools. Success proves that the server accepts the current token.
    pub async fn verify(&self) -> Result<Arc<Vec<Offer>>, Fault> {
        let tools = self.list_tools().await?;
        self.inbound.monitor().signed_in();
        Ok(tools)
    }

    pub async fn list_resources(&self) -> Result<Vec<Offer>, Fault> {
        if self.peer.peer_info().is_none_or(|info| info.capabilities.resources.is_none()) {
            return Ok(Vec::new());
        }
        Ok(self.list(ListName::Resources).await?.offers)
    }

    pub async fn list_resource_templates(&self) -> Result<Vec<Offer>, Fault> {
        if self.peer.peer_info().is_none_or(|info| info.capabilities.resources.is_none()) {
            return Ok(Vec::new());
        }
        Ok(self.list(ListName::ResourceTemplates).await?.offers)
    }

    pub async fn list_prompts(&self) -> Result<Vec<Offer>, Fault> {
        if self.peer.peer_info().is_none_or(|info| info.capabilities.prompts.is_none()) {
            return Ok(Vec::new());
        }
        Ok(self.list(ListName::Prompts).await?.offers)
    }

    /// Requests all pages of a list.
    async fn list(&self, list: ListName) -> Result<List, Fault> {
        let list = pages(|cursor| self.list_page(list, cursor)).await;
        list.map_err(|fault| self.inbound.reason_for(fault))
    }

    async fn list_page(&self, list: ListName, cursor: Option<String>) -> Result<Page, Fault> {
        let params = cursor.map(|cursor| PaginatedRequestParams::default().with_cursor(Some(cursor)));
        let (method, extensions) = (Default::default(), Default::default());
        let request = match list {
            ListName::Tools => {
                ClientRequest::ListToolsRequest(ListToolsRequest { method, params, extensions })
            }
            ListName::Resources => ClientRequest::ListResourcesRequest(ListResourcesRequest {
                method: Default::default(),
                params,
                extensions,
            }),
            ListName::ResourceTemplates => {
                ClientRequest::ListResourceTemplatesRequest(ListResourceTemplatesRequest {
                    method: Default::default(),
                    params,
                    extensions,
                })
            }
            ListName::Prompts => ClientRequest::ListPromptsRequest(ListPromptsRequest {
                method: Default::default(),
                params,
                extensions,
            }),
        };
        let sent = self.client.requests.send(&self.peer, request, None).await;
        let (mut handle, mut running) = sent.map_err(from_service)?;
        let Ok(response) = timeout(budgets::PAGE_TIMEOUT, &mut handle.rx).await else {
            let fault = Fault::TimedOut(budgets::PAGE_TIMEOUT.as_secs());
            let _ = timeout(Duration::from_secs(1), handle.cancel(Some(fault.to_string()))).await;
            return Err(fault);
        };
        let stand_in = response.map_err(|_| Fault::Lost)?.map_err(from_service)?;
        let result = running.take_result();
        let page = result.and_then(|result| Page::parse(&result, list));
        let mut page = page.ok_or_else(|| {
            Fault::violation(&format!("its list is not an array of at most {} items", budgets::LIST_ITEMS))
        })?;
        if let ServerResult::ListToolsResult(accepted) = stand_in {
            let accepted: Vec<_> = accepted.tools.iter().map(|tool| tool.name.to_string()).collect();
            page.mark_invalid_headers(&accepted);
        }
        Ok(page)
    }

    /// Returns whether a tool may be called again when the outcome of the first call is unknown.
    pub fn may_repeat(&self, tool: &str) -> bool {
        let tools = self.listed_tools().unwrap_or_default();
        tools.iter().find(|known| known.name() == tool).is_some_and(Offer::may_repeat)
    }

    /// Returns why a tool cannot be called, as a sentence. `None` if it can, or if it is not in the last list.
    pub fn reason_against(&self, tool: &str) -> Option<&'static str> {
        let tools = self.listed_tools()?;
        tools.iter().find(|known| known.name() == tool)?.broken_tool()
    }

    /// Returns a tool's title or, if there is none, its name.
    pub fn title_of(&self, tool: &str) -> String {
        let tools = self.listed_tools().unwrap_or_default();
        let title = tools.iter().find(|known| known.name() == tool).and_then(Offer::title);
        title.unwrap_or_else(|| tool.to_owned())
    }
}
