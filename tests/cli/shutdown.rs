//! The end of a command: a second Ctrl-C ends it at once, and a sign-out waits for the revocation.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, UnixListener, UnixStream};
use tokio::sync::Semaphore;
use usher_secrets::{SecretStore, StoreKind};
use usher_tests::wait::TIMEOUT;

use crate::one_engine::{holder, see_tasks, signed_in};

/// Starts a relay between the commands and the holder's socket, until the end of the test. Instead of forwarding a
/// `cancel_call`, the relay adds a permit to the returned semaphore.
fn start_relay(socket: &Path) -> Result<Arc<Semaphore>> {
    let real = socket.with_extension("behind");
    std::fs::rename(socket, &real)?;
    let listener = UnixListener::bind(socket)?;
    let cancelled = Arc::new(Semaphore::new(0));
    let counter = Arc::clone(&cancelled);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (counter, real) = (Arc::clone(&counter), real.clone());
            tokio::spawn(async move { forward(stream, &real, &counter).await });
        }
    });
    Ok(cancelled)
}

async fn forward(client: UnixStream, real: &Path, cancelled: &Semaphore) -> std::io::Result<()> {
    let (from_client, mut to_client) = client.into_split();
    let (mut from_holder, mut to_holder) = UnixStream::connect(real).await?.into_split();
    let requests = async {
        let mut lines = BufReader::new(from_client).lines();
        while let Some(line) = lines.next_line().await? {
            if line.contains("cancel_call") {
                cancelled.add_permits(1);
            } else {
                to_holder.write_all(format!("{line}\n").as_bytes()).await?;
            }
        }
        to_holder.shutdown().await
    };
    let replies = tokio::io::copy(&mut from_holder, &mut to_client);
    tokio::try_join!(requests, async { replies.await.map(drop) }).map(drop)
}

#[tokio::test]
async fn a_second_ctrl_c_ends_the_command_at_once() -> Result<()> {
    let (cli, demo) = signed_in().await?;
    let _first = holder(&cli).await?;
    let cancelled = start_relay(&cli.desktop.engine_socket())?;
    let mut call = cli.start(&["call", "demo", "slow_task", r#"{ "steps": 1000, "millis": 500 }"#])?;
    see_tasks(&demo, 1).await?;
    call.interrupt();
    tokio::time::timeout(TIMEOUT, cancelled.acquire()).await??.forget();
    call.interrupt();
    let call = call.finish().await?;
    assert_eq!(call.code, Some(1), "{}", call.stderr);
    assert!(call.stderr.contains("Stopped waiting for slow_task"), "{}", call.stderr);
    see_tasks(&demo, 0).await
}

/// Responds late to one revocation request. Returns whether the client waited for the response.
async fn revoke_slowly(listener: TcpListener) -> std::io::Result<bool> {
    let (mut stream, _) = listener.accept().await?;
    let mut request = Vec::new();
    let closed = stream.read_to_end(&mut request);
    // Longer than any other wait of a stopping engine.
    if tokio::time::timeout(Duration::from_secs(3), closed).await.is_ok() {
        return Ok(false);
    }
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await?;
    Ok(true)
}

#[tokio::test]
async fn a_sign_out_waits_until_the_service_has_revoked_the_grant() -> Result<()> {
    let (cli, _demo) = signed_in().await?;
    let slow = TcpListener::bind("127.0.0.1:0").await?;
    let store = SecretStore::open(StoreKind::File(cli.desktop.secret_file()));
    let mut grant = store.grant("demo").await?.context("no grant")?;
    grant.revocation_endpoint = Some(format!("http://{}/revoke", slow.local_addr()?));
    store.put_grant("demo", &grant).await?;
    let revoked = tokio::spawn(revoke_slowly(slow));
    cli.succeed(&["logout", "demo"]).await?;
    assert!(
        tokio::time::timeout(TIMEOUT, revoked).await???,
        "the command ended before the service responded"
    );
    Ok(())
}
