//! TLS: what is shown, that it is read again when it changes, and that nothing else is spoken.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use potok::Engine;
use potok_rest::{Options, Stop, Tls, router, serve};
use rcgen::{CertifiedKey, KeyPair, generate_simple_self_signed};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// A folder of its own, removed in the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("potok-tls-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    /// Writes a file, as if at that second.
    fn write(&self, name: &str, text: &str, second: u64) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, text).unwrap();
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000 + second);
        std::fs::File::options().write(true).open(&path).unwrap().set_modified(time).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn certificate() -> CertifiedKey<KeyPair> {
    generate_simple_self_signed(vec!["localhost".into()]).unwrap()
}

/// What is answered to whoever trusts one certificate alone; nothing if another one is shown.
async fn get(port: u16, trusted: &CertificateDer<'static>) -> Option<String> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    let config = config.with_safe_default_protocol_versions().unwrap().with_root_certificates(roots);
    let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let connector = TlsConnector::from(Arc::new(config.with_no_client_auth()));
    let mut stream = connector.connect("localhost".try_into().unwrap(), stream).await.ok()?;
    let request = format!("GET /healthz HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    Some(String::from_utf8(answer).unwrap())
}

#[tokio::test]
async fn a_new_certificate_is_shown_when_its_files_change() {
    let folder = Folder::new("change");
    let (first, second) = (certificate(), certificate());
    let path = folder.write("one.pem", &first.cert.pem(), 0);
    let key = folder.write("key.pem", &first.signing_key.serialize_pem(), 0);
    let tls = Tls::from_files(&path, &key).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let engine = Engine::builder().job_execution(false).start().await.unwrap();
    let stop = Stop::default();
    let app = router(engine.clone(), &Options { is_secure: true, ..Options::local(port) });
    let told = stop.clone();
    let running = tokio::spawn(async move { serve(listener, app, Some(&tls), &told).await });

    assert!(get(port, first.cert.der()).await.unwrap().starts_with("HTTP/1.1 204"));
    assert!(get(port, second.cert.der()).await.is_none());
    // The certificate without its key: the old one is shown until both are there.
    folder.write("one.pem", &second.cert.pem(), 1);
    assert!(get(port, first.cert.der()).await.is_some());
    folder.write("key.pem", &second.signing_key.serialize_pem(), 2);
    assert!(get(port, second.cert.der()).await.is_some());
    assert!(get(port, first.cert.der()).await.is_none());
    folder.write("one.pem", "nonsense", 3);
    assert!(get(port, second.cert.der()).await.is_some());

    let mut plain = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    plain.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    let _ = plain.read_to_end(&mut answer).await;
    assert!(!String::from_utf8_lossy(&answer).contains("HTTP/1.1"));
    stop.now();
    running.await.unwrap().unwrap();
    engine.stop().await;
}

#[test]
fn what_does_not_belong_together_is_not_served() {
    let folder = Folder::new("wrong");
    let (first, second) = (certificate(), certificate());
    let path = folder.write("one.pem", &first.cert.pem(), 0);
    let key = folder.write("key.pem", &second.signing_key.serialize_pem(), 0);
    let wrong = |certificate: &PathBuf, key: &PathBuf| Tls::from_files(certificate, key).unwrap_err().to_string();
    assert!(wrong(&path, &key).contains("not the certificate's key"));
    assert!(wrong(&folder.0.join("none.pem"), &key).contains("none.pem"));
    assert!(wrong(&folder.write("empty.pem", "", 0), &key).contains("empty.pem"));
    assert!(wrong(&path, &path).contains("one.pem"));
}
