//! The MCP request handler.

use std::sync::Arc;

use rmcp::handler::server::router::tool::ToolRouter;
use rmcp::model::{
    DiscoverRequestMethod, DiscoverResult, GetPromptRequestParams, GetPromptResponse, Implementation,
    ListPromptsResult, ListResourceTemplatesResult, ListResourcesResult, ListToolsResult,
    PaginatedRequestParams, ReadResourceRequestParams, ReadResourceResponse, ServerCapabilities,
    ServerConfig, SubscriptionFilter, Tool,
};
use rmcp::service::{NotificationContext, RequestContext, RoleServer, SubscriptionContext};
use rmcp::{ErrorData, ServerHandler, tool_handler};

use super::announcements::{notify_session, notify_subscriber};
use super::paging::page;
use super::{prompts, resources};
use crate::memory::lock;
use crate::options::Eras;
use crate::service::Service;

#[derive(Clone)]
pub(crate) struct McpServer {
    pub(super) service: Arc<Service>,
    tools: ToolRouter<Self>,
}

impl McpServer {
    pub(crate) fn new(service: Arc<Service>) -> Self {
        Self { service, tools: Self::tool_router() }
    }
}

#[tool_handler(router = self.tools)]
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
        let shown = |tool: &Tool| !lock(&self.service.hidden_tools).contains(&*tool.name);
        let tools = self.tools.list_all().into_iter().filter(shown).collect();
        let (tools, next_cursor) = page(tools, request.as_ref(), self.service.options.page_size)?;
        let ttl_ms = self.service.options.tool_list_ttl.map(|ttl| ttl.as_millis() as u64);
        Ok(ListToolsResult { next_cursor, ttl_ms, ..ListToolsResult::with_all_items(tools) })
    }

    async fn list_resources(
        &self,
        request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        let all = self.service.notebook.all().iter().map(resources::resource).collect();
        let (resources, next_cursor) = page(all, request.as_ref(), self.service.options.page_size)?;
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
        resources::read(&self.service.notebook, &request.uri).map(Into::into)
    }

    async fn list_prompts(
        &self,
        request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        let (prompts, next_cursor) = page(prompts::all(), request.as_ref(), self.service.options.page_size)?;
        Ok(ListPromptsResult { next_cursor, ..ListPromptsResult::with_all_items(prompts) })
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        prompts::get(&self.service.notebook, &request).map(Into::into)
    }
}
