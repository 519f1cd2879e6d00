//! The MCP request handler.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use rmcp::handler::server::router::tool::ToolRouter;
use rmcp::handler::server::tool::ToolCallContext;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, DiscoverRequestMethod, DiscoverResult, GetPromptRequestParams,
    GetPromptResponse, Implementation, ListPromptsResult, ListResourceTemplatesResult, ListResourcesResult,
    ListToolsResult, PaginatedRequestParams, ReadResourceRequestParams, ReadResourceResponse,
    ServerCapabilities, ServerConfig, SubscriptionFilter, Tool,
};
use rmcp::service::{NotificationContext, RequestContext, RoleServer, SubscriptionContext};
use rmcp::{ErrorData, ServerHandler};

use super::announcements::{Announcements, notify_session, notify_subscriber};
use super::notebook::Notebook;
use super::paging::page;
use super::{prompts, resources};
use crate::options::Eras;
use crate::service::Service;

#[derive(Clone)]
pub(crate) struct McpServer {
    service: Arc<Service>,
    tools: ToolRouter<Self>,
}

impl McpServer {
    pub(crate) fn new(service: Arc<Service>) -> Self {
        Self { service, tools: Self::tools() }
    }

    pub(super) fn announcements(&self) -> &Announcements {
        &self.service.announcements
    }

    pub(super) fn notebook(&self) -> &Notebook {
        &self.service.notebook
    }

    pub(super) fn running_tasks(&self) -> &Arc<AtomicUsize> {
        &self.service.running_tasks
    }

    pub(super) fn elicits_by_session(&self) -> bool {
        self.service.options.elicits_by_session
    }

    fn page_size(&self) -> Option<usize> {
        self.service.options.page_size
    }
}

impl ServerHandler for McpServer {
    fn get_info(&self) -> ServerConfig {
        let capabilities = ServerCapabilities::builder()
            .enable_tools()
            .enable_tool_list_changed()
            .enable_resources()
            .enable_resources_list_changed()
            .enable_prompts()
            .enable_prompts_list_changed()
            .build();
        ServerConfig::new(capabilities)
            .with_server_info(
                Implementation::new("usher-demo", env!("CARGO_PKG_VERSION"))
                    .with_title("Usher demo")
                    .with_description("A demo service that runs on this computer."),
            )
            .with_instructions(
                "Find pages with search_pages, open one with read_page, add one with create_page.",
            )
    }

    async fn discover(&self, _context: RequestContext<RoleServer>) -> Result<DiscoverResult, ErrorData> {
        match self.service.options.eras {
            Eras::All => Ok(DiscoverResult::from_server_info(
                self.supported_protocol_versions().into_owned(),
                self.get_info(),
            )),
            Eras::HandshakeOnly => Err(ErrorData::method_not_found::<DiscoverRequestMethod>()),
        }
    }

    async fn on_initialized(&self, context: NotificationContext<RoleServer>) {
        tokio::spawn(notify_session(context.peer, self.service.announcements.subscribe()));
    }

    fn accepted_subscription_filter(&self, requested: &SubscriptionFilter) -> Option<SubscriptionFilter> {
        Some(requested.clone())
    }

    async fn listen(&self, context: SubscriptionContext) -> Result<(), ErrorData> {
        notify_subscriber(&context, self.service.announcements.subscribe()).await
    }

    async fn list_tools(
        &self,
        request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let shown = |tool: &Tool| !self.service.is_hidden(&tool.name);
        let tools = self.tools.list_all().into_iter().filter(shown).collect();
        let (tools, next_cursor) = page(tools, request.as_ref(), self.page_size())?;
        let ttl_ms = self.service.options.tool_list_ttl.map(|life| life.as_millis() as u64);
        Ok(ListToolsResult { next_cursor, ttl_ms, ..ListToolsResult::with_all_items(tools) })
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        self.tools.get(name).cloned()
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        self.tools.call(ToolCallContext::new(self, request, context)).await
    }

    async fn list_resources(
        &self,
        request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        let all = self.notebook().all().iter().map(resources::resource).collect();
        let (resources, next_cursor) = page(all, request.as_ref(), self.page_size())?;
        Ok(ListResourcesResult { next_cursor, ..ListResourcesResult::with_all_items(resources) })
    }

    async fn list_resource_templates(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        Ok(ListResourceTemplatesResult::with_all_items(vec![resources::template()]))
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        resources::read(self.notebook(), &request.uri).map(Into::into)
    }

    async fn list_prompts(
        &self,
        request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        let (prompts, next_cursor) = page(prompts::all(), request.as_ref(), self.page_size())?;
        Ok(ListPromptsResult { next_cursor, ..ListPromptsResult::with_all_items(prompts) })
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        prompts::get(self.notebook(), &request).map(Into::into)
    }
}
