//! Measures the command `usher tools` as a whole process, at a server over http and over https, compared with curl and
//! the same requests. Prints JSON for `cargo xtask bench`.
//!
//! A private authority issued the certificate of the https server. Its folder is in `SSL_CERT_DIR`, so that the system's
//! certificates are loaded as on any computer.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use usher_fake_service::{FakeService, Options};
use usher_tests::bare_client::{client_information, initialized, request};
use usher_tests::{Cli, Desktop, DesktopOptions, Output, PipedProcess};

use crate::tls_server::TlsServer;
use crate::{milliseconds, this_program};

const DEADLINE: Duration = Duration::from_secs(300);
/// The tool that the server offers.
const TOOL: &str = "read";

#[derive(clap::Args)]
pub struct Arguments {
    /// The number of runs of each command, alternately
    #[arg(long, default_value_t = 20)]
    runs: u32,
    /// Runs the servers until the end of the input, and prints their addresses
    #[arg(long, hide = true)]
    serve: bool,
}

pub async fn run(arguments: Arguments) -> Result<()> {
    if arguments.serve {
        return serve().await;
    }
    let measured = tokio::time::timeout(DEADLINE, measure(arguments.runs)).await.context("timed out")??;
    println!("{measured}");
    Ok(())
}

async fn serve() -> Result<()> {
    let service = FakeService::start(Options::open_handshake()).await?;
    let tls = TlsServer::start(service.origin.trim_start_matches("http://")).await?;
    println!("{}\n{}\n{}", service.url(), tls.url(), tls.authorities().display());
    tokio::io::copy(&mut tokio::io::stdin(), &mut tokio::io::sink()).await?;
    Ok(())
}

async fn measure(runs: u32) -> Result<Value> {
    let mut servers = PipedProcess::start(this_program(&["command-time", "--serve"])?)?;
    let (http, https) = (servers.line().await?, servers.line().await?);
    let authorities = servers.line().await?;
    let desktop = Desktop::start_with(DesktopOptions::HEADLESS).await?;
    desktop.configure([("http", http.as_str()), ("https", https.as_str())])?;
    let cli = Cli::new(&desktop).env("USHER_SECRET_STORE", "memory").env("SSL_CERT_DIR", &authorities);
    let mut times = [(); 4].map(|()| Vec::new());
    // The first turn fills caches and stores what the server supports, so it is not counted.
    for turn in 0..=runs {
        let measured = [
            usher(&cli, "http").await?,
            curl(&desktop, &http, Path::new(&authorities)).await?,
            usher(&cli, "https").await?,
            curl(&desktop, &https, Path::new(&authorities)).await?,
        ];
        for (times, milliseconds) in times.iter_mut().zip(measured) {
            if turn > 0 {
                times.push(milliseconds);
            }
        }
    }
    let [http, curl_http, https, curl_https] = times;
    Ok(json!({ "http": http, "curl_http": curl_http, "https": https, "curl_https": curl_https }))
}

async fn usher(cli: &Cli<&Desktop>, server: &str) -> Result<f64> {
    let begun = Instant::now();
    let output = cli.run(&["tools", server]).await?;
    let taken = milliseconds(begun);
    check("usher", &output)?;
    Ok(taken)
}

async fn curl(desktop: &Desktop, url: &str, authorities: &Path) -> Result<f64> {
    let mut command = desktop.command("curl");
    let handshake = request(1, "initialize", client_information());
    for (number, message) in
        [handshake, initialized(), request(2, "tools/list", json!({}))].into_iter().enumerate()
    {
        if number > 0 {
            command.arg("--next");
        }
        command.args(["--silent", "--show-error", "--fail", "--capath"]).arg(authorities);
        command.args(["--header", "Content-Type: application/json"]);
        command.args(["--header", "Accept: application/json, text/event-stream"]);
        command.arg("--data").arg(message.to_string()).arg(url);
    }
    let begun = Instant::now();
    let output = PipedProcess::start(command)?.finish().await?;
    let taken = milliseconds(begun);
    check("curl", &output)?;
    Ok(taken)
}

fn check(program: &str, output: &Output) -> Result<()> {
    ensure!(output.code == Some(0) && output.stdout.contains(TOOL), "{program} failed: {output:?}");
    Ok(())
}
