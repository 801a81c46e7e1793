//! Passwords that do not show themselves.

/// A password; neither `Debug` nor any log shows it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a password.
    pub fn new(password: impl Into<String>) -> Self {
        Self(password.into())
    }

    /// The password itself, for the one place that hands it over.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("…")
    }
}

/// A user and its password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    pub user: String,
    pub password: Secret,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_not_shown_when_what_holds_it_is_printed() {
        let credentials = Credentials { user: "alex".to_owned(), password: Secret::new("hunter2") };
        let shown = format!("{credentials:?} {credentials:#?}");
        assert!(shown.contains("alex") && shown.contains('…') && !shown.contains("hunter2"));
        assert_eq!(credentials.password.reveal(), "hunter2");
    }
}
