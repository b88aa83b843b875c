//! Who makes the load: one connection, kept alive, and as little work for each call as can be, for the caller shares the processor with
//! whom it measures.

use std::io;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

/// One connection to a server. Many of them wait in one thread.
#[derive(Debug)]
pub struct Caller {
    stream: BufReader<TcpStream>,
    address: String,
    /// What stands before each path.
    base: &'static str,
}

impl Caller {
    /// Connects to a server, whose paths begin with `base`.
    ///
    /// # Errors
    /// If it does not listen.
    pub async fn connect(address: &str, base: &'static str) -> io::Result<Self> {
        Ok(Self { stream: connected(address).await?, address: address.to_owned(), base })
    }

    /// Asks for what there is under a path.
    ///
    /// # Errors
    /// If the answer is none of success.
    pub async fn get(&mut self, path: &str) -> io::Result<Value> {
        self.call("GET", path, "").await
    }

    /// Sends a JSON body.
    ///
    /// # Errors
    /// If the answer is none of success.
    pub async fn post(&mut self, path: &str, body: &Value) -> io::Result<Value> {
        self.call("POST", path, &body.to_string()).await
    }

    async fn call(&mut self, method: &str, path: &str, body: &str) -> io::Result<Value> {
        let (address, base, length) = (&self.address, self.base, body.len());
        let request = format!(
            "{method} {base}{path} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        self.stream.get_mut().write_all(request.as_bytes()).await?;
        let mut status = String::new();
        self.stream.read_line(&mut status).await?;
        let body = self.answer().await?;
        if !status.starts_with("HTTP/1.1 2") {
            let body = String::from_utf8_lossy(&body);
            return Err(io::Error::other(format!("{method} {path}: {} {body}", status.trim_end())));
        }
        if body.is_empty() { Ok(Value::Null) } else { Ok(serde_json::from_slice(&body)?) }
    }

    /// The body of an answer, whose first line has been read.
    async fn answer(&mut self) -> io::Result<Vec<u8>> {
        let (mut line, mut length, mut is_chunked, mut is_last) = (String::new(), 0, false, false);
        loop {
            line.clear();
            self.stream.read_line(&mut line).await?;
            match line.trim_end().split_once(':') {
                Some((name, value)) if name.eq_ignore_ascii_case("content-length") => length = number(value, 10)?,
                Some((name, _)) if name.eq_ignore_ascii_case("transfer-encoding") => is_chunked = true,
                // Some servers keep a connection for a hundred calls only.
                Some((name, value)) if name.eq_ignore_ascii_case("connection") => is_last = value.trim() == "close",
                Some(_) => {}
                None => break,
            }
        }
        let body = if is_chunked { self.pieces().await? } else { self.exactly(length).await? };
        if is_last {
            self.stream = connected(&self.address).await?;
        }
        Ok(body)
    }

    async fn exactly(&mut self, length: usize) -> io::Result<Vec<u8>> {
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).await?;
        Ok(body)
    }

    async fn pieces(&mut self) -> io::Result<Vec<u8>> {
        let (mut line, mut body) = (String::new(), Vec::new());
        loop {
            line.clear();
            self.stream.read_line(&mut line).await?;
            let length = number(&line, 16)?;
            body.extend(self.exactly(length).await?);
            // A piece ends with a line's end, and so does what follows the last, which is empty.
            self.exactly(2).await?;
            if length == 0 {
                return Ok(body);
            }
        }
    }
}

async fn connected(address: &str) -> io::Result<BufReader<TcpStream>> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(BufReader::new(stream))
}

fn number(text: &str, radix: u32) -> io::Result<usize> {
    usize::from_str_radix(text.trim(), radix).map_err(io::Error::other)
}
