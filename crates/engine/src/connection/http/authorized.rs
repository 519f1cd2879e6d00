//! Authorization of HTTP exchanges: adds the access token, and refreshes it once after a 401.

use secrecy::SecretString;

use crate::connection::fault::Fault;
use crate::credentials::Credentials;

/// The credentials of one server. `None` if `mcp.json` sets an `Authorization` header.
#[derive(Clone, Debug)]
pub(crate) struct Authorized(pub Option<Credentials>);

impl Authorized {
    /// Runs an exchange with the current token. If the server rejects the token, runs it again with a new one.
    pub async fn run<T, F>(&self, exchange: impl Fn(Option<SecretString>) -> F) -> Result<T, Fault>
    where
        F: Future<Output = Result<T, Fault>>,
    {
        let token = match &self.0 {
            Some(credentials) => credentials.token().await?,
            None => None,
        };
        let (challenge, token_sent) = match exchange(token.clone()).await {
            Err(Fault::Unauthorized { challenge, token_sent }) => (challenge, token_sent),
            outcome => return outcome,
        };
        let (Some(credentials), Some(token)) = (&self.0, token) else {
            return Err(Fault::Unauthorized { challenge, token_sent });
        };
        match credentials.refresh(&token).await? {
            Some(refreshed) => exchange(Some(refreshed)).await,
            None => Err(Fault::Unauthorized { challenge, token_sent: true }),
        }
    }

    /// Returns the token in memory, for requests that are not worth a refresh.
    pub fn cached_token(&self) -> Option<SecretString> {
        self.0.as_ref()?.cached_token()
    }
}
