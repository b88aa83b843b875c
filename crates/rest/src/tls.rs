//! TLS: a certificate and its key, read again when their files change.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::{CryptoProvider, aws_lc_rs};
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{Error, ServerConfig};

/// What a server shows that it is itself, and keeps others from listening.
#[derive(Clone)]
pub struct Tls {
    pub(crate) acceptor: TlsAcceptor,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tls")
    }
}

impl Tls {
    /// By two files in PEM: the certificate with those that stand between it and its authority, and its private key. When they change they
    /// are read again, for connections that come then; what cannot be used is not taken, and the log says so.
    ///
    /// # Errors
    /// If they cannot be read, or do not belong together.
    pub fn from_files(certificate: impl Into<PathBuf>, key: impl Into<PathBuf>) -> io::Result<Self> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let files = Files { certificate: certificate.into(), key: key.into(), provider: provider.clone() };
        let changed = files.changed();
        let shown = Arc::new(files.read()?);
        let resolver = Arc::new(Shown { files, held: Mutex::new(Held { shown, changed }) });
        let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let mut config = config.map_err(io::Error::other)?.with_no_client_auth().with_cert_resolver(resolver);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { acceptor: TlsAcceptor::from(Arc::new(config)) })
    }
}

#[derive(Debug)]
struct Files {
    certificate: PathBuf,
    key: PathBuf,
    provider: Arc<CryptoProvider>,
}

/// When two files were changed.
type Changed = [Option<SystemTime>; 2];

impl Files {
    fn changed(&self) -> Changed {
        [&self.certificate, &self.key].map(|path| std::fs::metadata(path).and_then(|file| file.modified()).ok())
    }

    fn read(&self) -> io::Result<CertifiedKey> {
        let wrong = |path: &Path, why: &dyn std::fmt::Display| {
            io::Error::new(io::ErrorKind::InvalidData, format!("{}: {why}", path.display()))
        };
        let chain = CertificateDer::pem_file_iter(&self.certificate).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        let chain = chain.map_err(|error| wrong(&self.certificate, &error))?;
        if chain.is_empty() {
            return Err(wrong(&self.certificate, &"there is no certificate in it"));
        }
        let key = PrivateKeyDer::from_pem_file(&self.key).map_err(|error| wrong(&self.key, &error))?;
        match CertifiedKey::from_der(chain, key, &self.provider) {
            Ok(shown) => Ok(shown),
            Err(Error::InconsistentKeys(_)) => Err(wrong(&self.key, &"this is not the certificate's key")),
            Err(error) => Err(wrong(&self.certificate, &error)),
        }
    }
}

/// The certificate that is shown.
#[derive(Debug)]
struct Shown {
    files: Files,
    held: Mutex<Held>,
}

#[derive(Debug)]
struct Held {
    shown: Arc<CertifiedKey>,
    changed: Changed,
}

impl ResolvesServerCert for Shown {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let changed = self.files.changed();
        if changed != held.changed {
            held.changed = changed;
            match self.files.read() {
                Ok(shown) => {
                    tracing::info!(certificate = %self.files.certificate.display(), "a new certificate is shown");
                    held.shown = Arc::new(shown);
                }
                // One of the files may be written only now: it will have changed again then.
                Err(error) => tracing::warn!(%error, "the new certificate cannot be used; the old one is still shown"),
            }
        }
        Some(held.shown.clone())
    }
}
