//! Camunda 7's REST API on a port of this machine, over an engine in memory: `cargo run -p potok-faces --example engine_rest -- 8080`.
//! With `off` behind the port timers and savepoints wait to be executed by hand.

use potok::Engine;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let port: u16 = arguments.next().as_deref().unwrap_or("8080").parse()?;
    let executes = arguments.next().as_deref() != Some("off");
    let engine = Engine::builder().sqlite_in_memory().job_execution(executes).start().await?;
    let router = axum::Router::new().nest("/engine-rest", potok_faces::camunda7::router(engine));
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    println!("http://{}/engine-rest", listener.local_addr()?);
    axum::serve(listener, router).await?;
    Ok(())
}
