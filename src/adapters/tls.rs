//! TLS to mail servers: the system's trusted roots, and one more root file where the settings name it.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio::sync::OnceCell;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// How a connection to a mail server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tls {
    /// Not at all: only for a server on this machine or in a protected network.
    Plain,
    /// Plain at first, then upgraded by command; refused if the server does not offer it.
    StartTls,
    /// From the first byte.
    Implicit,
}

/// Makes TLS connections; reads the root certificates at the first one.
pub(crate) struct Encryption {
    ca_file: Option<PathBuf>,
    connector: OnceCell<TlsConnector>,
}

impl Encryption {
    /// With one more file of root certificates (PEM) beside the system's.
    pub(crate) fn new(ca_file: Option<PathBuf>) -> Self {
        Self { ca_file, connector: OnceCell::new() }
    }

    /// Shakes hands; the certificate must be for `host`.
    pub(crate) async fn encrypt(
        &self,
        stream: TcpStream,
        host: &str,
    ) -> io::Result<TlsStream<TcpStream>> {
        let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
        let connector = self.connector.get_or_try_init(|| load(self.ca_file.clone())).await?;
        connector.connect(name, stream).await
    }
}

async fn load(ca_file: Option<PathBuf>) -> io::Result<TlsConnector> {
    let loading = tokio::task::spawn_blocking(move || connector(ca_file.as_deref()));
    loading.await.map_err(io::Error::other)?
}

fn connector(ca_file: Option<&Path>) -> io::Result<TlsConnector> {
    let mut roots = RootCertStore::empty();
    // A broken certificate in the system's store must not stop mail; the handshake decides.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(path) = ca_file {
        add_file(&mut roots, path)?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

fn add_file(roots: &mut RootCertStore, path: &Path) -> io::Result<()> {
    let complain = |error: &dyn std::fmt::Display| {
        io::Error::other(format!("the root certificates in {}: {error}", path.display()))
    };
    for certificate in CertificateDer::pem_file_iter(path).map_err(|error| complain(&error))? {
        let certificate = certificate.map_err(|error| complain(&error))?;
        roots.add(certificate).map_err(|error| complain(&error))?;
    }
    Ok(())
}
